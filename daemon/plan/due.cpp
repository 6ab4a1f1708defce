#include "daemon/plan/due.hpp"

#include <algorithm>

#include "daemon/resolve/hook_names.hpp"

namespace stackd::plan {
namespace {

constexpr const char* k_asked_for = "--rerun-hooks";

}  // namespace

void find_due(const model::Stack& stack, const Snapshot& seen, UpChoice& choice) {
  for (const auto& one : seen.hooks) {
    const auto& row = model::row_of(one.phase);
    if (one.due.empty() || row.direction != model::Direction::up) continue;
    const auto* service = stack.spec->find(one.service);
    if (one.service.empty() ? !choice.stack_hooks : !service || !choice.selected.contains(one.service))
      continue;
    if (!service || one.phase == model::Phase::post_start || one.phase == model::Phase::after_ready) {
      choice.due.insert({one.service, one.phase, one.index});
      continue;
    }
    if (service->container && choice.scale.at(service->name) == 0) continue;
    choice.fresh.insert(service->name);
    if (service->container && seen.containers.contains(service->name)) choice.recreate.insert(service->name);
  }
}

namespace {

void leave_out(const std::vector<std::string>& names, Snapshot& seen) {
  for (auto& one : seen.hooks) {
    model::Hook hook;
    hook.service = one.service;
    hook.phase = one.phase;
    hook.index = one.index;
    if (!resolve::is_meant(names, hook)) continue;
    one.due.clear();
    one.skip = "--skip-hooks";
  }
}

void run_again(const model::Stack& stack, const Wish& wish, Snapshot& seen) {
  const auto phase = model::phase_from(wish.rerun);
  for (auto& one : seen.hooks) {
    if (phase && one.phase != *phase) continue;
    if (one.by_memory) one.skip.clear();
    if (one.by_memory || !one.due.empty()) one.due = k_asked_for;
    one.worked.clear();
  }
  if (!phase) return;
  auto entries = stack.spec->hooks;
  for (const auto& service : stack.spec->services)
    entries.insert(entries.end(), service.hooks.begin(), service.hooks.end());
  for (const auto& hook : entries) {
    if (hook.phase != *phase) continue;
    const auto known = std::find_if(seen.hooks.begin(), seen.hooks.end(), [&](const auto& one) {
      return one.service == hook.service && one.phase == hook.phase && one.index == hook.index;
    });
    if (known == seen.hooks.end())
      seen.hooks.push_back({hook.service, hook.phase, hook.index, "", k_asked_for, false, {}});
    else if (known->skip.empty())
      known->due = k_asked_for;
  }
}

}  // namespace

void heed_wish(const model::Stack& stack, const Wish& wish, Snapshot& seen) {
  if (!wish.rerun.empty()) run_again(stack, wish, seen);
  leave_out(wish.skip_hooks, seen);
}

}  // namespace stackd::plan
