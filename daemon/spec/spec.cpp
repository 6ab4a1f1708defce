#include "daemon/spec/spec.hpp"

#include <array>
#include <utility>

#include "daemon/util/text.hpp"

namespace stackd::spec {

namespace {

constexpr std::array<std::pair<Phase, const char*>, 12> k_phases{{{Phase::post_build_root, "post_build_root"},
                                                                  {Phase::post_build, "post_build"},
                                                                  {Phase::before_up, "before_up"},
                                                                  {Phase::before_start, "before_start"},
                                                                  {Phase::pre_start, "pre_start"},
                                                                  {Phase::pre_run, "pre_run"},
                                                                  {Phase::post_start, "post_start"},
                                                                  {Phase::after_ready, "after_ready"},
                                                                  {Phase::after_up, "after_up"},
                                                                  {Phase::before_down, "before_down"},
                                                                  {Phase::pre_stop, "pre_stop"},
                                                                  {Phase::after_down, "after_down"}}};

std::vector<const Hook*> of_phase(const std::vector<Hook>& hooks, Phase phase) {
  std::vector<const Hook*> out;
  for (const Hook& hook : hooks) {
    if (hook.phase == phase) out.push_back(&hook);
  }
  return out;
}

}  // namespace

std::string Hook::text() const {
  return argv.empty() ? shell : util::join(argv, " ");
}

std::vector<const Hook*> Service::hooks_of(Phase phase) const {
  return of_phase(hooks, phase);
}
std::vector<const Hook*> Spec::hooks_of(Phase phase) const {
  return of_phase(hooks, phase);
}

const Service* Spec::find(const std::string& service) const {
  for (const Service& candidate : services) {
    if (candidate.name == service) return &candidate;
  }
  return nullptr;
}

const Service* Spec::find_gone(const std::string& service) const {
  for (const Service& candidate : gone) {
    if (candidate.name == service) return &candidate;
  }
  return nullptr;
}

const Service* Spec::find_known(const std::string& service) const {
  const Service* found = find(service);
  return found ? found : find_gone(service);
}

std::string to_string(Phase phase) {
  for (const auto& [value, word] : k_phases) {
    if (value == phase) return word;
  }
  return "";
}

std::optional<Phase> phase_from(const std::string& word) {
  for (const auto& [value, name] : k_phases) {
    if (word == name) return value;
  }
  return std::nullopt;
}

std::string to_string(ServiceKind kind) {
  switch (kind) {
    case ServiceKind::container:
      return "container";
    case ServiceKind::process:
      return "process";
    case ServiceKind::oneshot:
      return "oneshot";
  }
  return "";
}

}  // namespace stackd::spec
