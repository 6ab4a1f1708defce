// The container of a hook that has one of its own: pre_start's init containers (C4.5) and run_in: {image}.
// Pure.
#pragma once

#include <map>
#include <string>

#include "daemon/hooks/container_run.hpp"
#include "daemon/spec/environment.hpp"
#include "daemon/spec/facts.hpp"
#include "daemon/spec/spec.hpp"

namespace stackd::stacks {

struct HookContainerInputs {
  const spec::Spec& spec;
  const spec::Facts& facts;
  const spec::Hook& hook;
  const spec::Service* service = nullptr;  // null for a stack's hook
  std::string service_container;           // id: its volumes are lent (C4.5); empty: none
  std::string service_image;               // what that one runs: with build hooks it is not the file's
  std::string operation;
  spec::Variables variables = {};  // STACKD_STACK and its like
  bool network_is_there = true;    // the stack's: not in after_down, nor on the way down from a failed up
  std::map<std::string, std::string> container_of = {};  // service -> id, for network_mode: service:x
};
hooks::ContainerHook hook_container(const HookContainerInputs& inputs);

}  // namespace stackd::stacks
