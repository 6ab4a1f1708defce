#include "daemon/model/spec.hpp"

#include "daemon/util/text.hpp"

namespace stackd::model {

namespace {

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

}  // namespace stackd::model
