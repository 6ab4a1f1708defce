// What is there now: one look at the engine's containers and at the process rows of a stack.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/docker/engine.hpp"
#include "daemon/stacks/services.hpp"
#include "daemon/store/records.hpp"

namespace stackd::stacks {

struct Observed {
  // service -> number -> container; every container that carries this stack's label, hook containers apart.
  std::map<std::string, std::map<int, docker::ContainerSummary>> containers;
  std::vector<docker::ContainerSummary> hook_containers;
  std::map<std::string, store::ProcessRow> processes;  // by service: its current run, which may have ended
  std::set<std::string> running_processes;             // services whose run lives
  bool engine_asked = false;
};

// Asks the engine only when `engine` says so (a stack of processes alone never needs one).
awaitable<Observed> observe(Services& services, std::string stack_id, bool engine);

// Does this stack need an engine at all?
bool needs_engine(const spec::Spec& spec);

std::string label_of(const docker::ContainerSummary& container, const char* label);

}  // namespace stackd::stacks
