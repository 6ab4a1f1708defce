// The container of a hook that has one of its own: pre_start's init containers (C4.5) and run_in: {image}.
// Pure.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "daemon/model/facts.hpp"
#include "daemon/model/spec.hpp"
#include "daemon/resolve/environment.hpp"

namespace stackd::translate {

struct HookContainer {
  std::string name;  // the run's, by which it is found again after a crash: the caller's to set
  std::string platform;
  nlohmann::json body;  // POST /containers/create
  std::map<std::string, nlohmann::json> more_networks;
};

struct HookContainerInputs {
  const model::Spec& spec;
  const model::Facts& facts;
  const model::Hook& hook;
  const model::Service* service = nullptr;  // null for a stack's hook
  std::string service_container;            // id: its volumes are lent (C4.5); empty: none
  std::string service_image;                // what that one runs: with build hooks it is not the file's
  std::string operation;
  resolve::Variables variables = {};  // STACKD_STACK and its like
  bool network_is_there = true;       // the stack's: not in after_down, nor on the way down from a failed up
  std::map<std::string, std::string> container_of = {};  // service -> id, for network_mode: service:x
};
HookContainer hook_container(const HookContainerInputs& inputs);

}  // namespace stackd::translate
