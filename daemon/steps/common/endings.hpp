// What is said of a container or a process that has ended: how, and its last lines (semantics.md L3.7, C6.3,
// X28). Control thread.
#pragma once

#include <string>

#include "daemon/process/runs.hpp"
#include "daemon/steps/common/tools.hpp"
#include "daemon/util/error.hpp"

namespace stackd::steps {

// How long after its start a service is looked at before it counts as there (L3.5).
inline std::chrono::milliseconds settle_of(const model::Service& service) {
  constexpr std::chrono::milliseconds k_settle{100};
  return service.ready_when ? service.ready_when->settle.value_or(k_settle) : k_settle;
}

// Waits until the container has ended; "<what> exited (<code>)" with its last lines.
// Not so while its restart policy starts it again. Throws Error(no_engine) when the engine itself has ended
// it on its way out.
awaitable<bool> ended_for_good(Tools& tools, std::string id);
awaitable<std::string> container_death(Tools& tools, std::string id, std::string what);

// "exited with status 3", after the name of what did.
std::string exit_words(const process::RunExit& exit);
// "service '<name>' <words>" with its last lines, and where its log is.
awaitable<util::Error> process_failure(Tools& tools, const model::Service& service, store::ProcessRow row,
                                       std::string words);

}  // namespace stackd::steps
