// ContainerRun: a hook that is a container of its own (pre_start, C4; run_in: {image}). The engine holds it,
// so it needs no shim: it has a name of its own run, is started at most once, and its exit code and output
// are read from the engine even when the daemon was away. Control thread.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/docker/engine.hpp"
#include "daemon/logs/run_log.hpp"
#include "daemon/process/types.hpp"
#include "daemon/translate/hook_container.hpp"

namespace stackd::hooks {

struct ContainerRunResult {
  process::RunExit exit;
  std::string id;  // of the container; the caller's to remove once the result is written
};

// Creates, starts and waits, each unless it was done before. `resumed`: a daemon died while this ran, so a
// start of its may still be on its way (E5) and is waited for. `on_line` gets the newest line of its output
// now and then.
struct ContainerRun {
  translate::HookContainer hook;
  std::optional<std::chrono::milliseconds> timeout;
  bool resumed = false;
  std::function<void(const std::string&)> on_line;
};
awaitable<ContainerRunResult> run_container_hook(docker::Engine& engine, ContainerRun run, logs::RunLog& log);

}  // namespace stackd::hooks
