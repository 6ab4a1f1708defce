// `hooks run`: entries that somebody calls by hand, in a stack that is up.
#include <algorithm>

#include "daemon/plan/graph.hpp"
#include "daemon/plan/plan.hpp"
#include "daemon/resolve/hook_names.hpp"
#include "daemon/resolve/hook_policy.hpp"
#include "daemon/util/error.hpp"

namespace stackd::plan {
namespace {

using model::HookPlace;
using model::Phase;

constexpr const char* k_by_hand = "manual";

// Entries that run in, or for, a container of their service.
bool is_of_container(const model::Hook& hook) {
  return hook.run_in.empty() && hook.run_in_image.empty() &&
         (model::row_of(hook.phase).place == HookPlace::exec || hook.phase == Phase::pre_start);
}

void add(Graph& graph, const model::Hook& hook, const Snapshot& seen, Keys& before) {
  Hook params;
  params.phase = hook.phase;
  params.index = hook.index;
  params.reason = k_by_hand;
  params.by_hand = true;
  if (!is_of_container(hook)) {
    before = {graph.add(resolve::label_of(hook), hook.service, params, before)};
    return;
  }
  bool found = false;
  for (const auto& [number, container] : seen.of(hook.service)) {
    if (!container.runs()) continue;
    const bool once = hook.phase == Phase::pre_start && !hook.per_replica;  // C4.4
    if (once && found) break;
    found = true;
    params.container = container.id;
    params.name = container.name;
    const auto subject = replica(hook.service, number);
    auto key = subject + " " + model::to_string(hook.phase) + "[" + std::to_string(hook.index) + "]";
    before = {graph.add(std::move(key), hook.service, params, before)};
  }
  if (!found)
    throw util::Error(util::ErrorKind::failed, "cannot run " + resolve::label_of(hook) + ": service '" +
                                                   hook.service + "' does not run");
}

}  // namespace

std::vector<const model::Hook*> hooks_named(const model::Spec& spec, const std::string& text) {
  std::vector<const model::Hook*> found;
  const auto name = resolve::hook_name_from(text);
  if (!name) return found;
  for (const auto& hook : spec.hooks)
    if (resolve::is_meant(*name, hook)) found.push_back(&hook);
  for (const auto& service : spec.services)
    for (const auto& hook : service.hooks)
      if (resolve::is_meant(*name, hook)) found.push_back(&hook);
  return found;
}

Plan plan_hooks(const model::Stack& stack, const Request& request, const Snapshot& seen) {
  Graph graph;
  Keys before;
  for (const auto& name : request.wish.hooks)
    for (const auto* hook : hooks_named(*stack.spec, name)) add(graph, *hook, seen, before);
  return {.steps = graph.take()};
}

}  // namespace stackd::plan
