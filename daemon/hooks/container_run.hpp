// ContainerRun: a hook that is a container of its own (pre_start, C4; run_in: {image}). The engine holds it,
// so it needs no shim: it has a name of its own run, is started at most once, and its exit code and output
// are read from the engine even when the daemon was away. Control thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "daemon/docker/engine.hpp"
#include "daemon/process/types.hpp"
#include "daemon/translate/hook_container.hpp"

namespace stackd::hooks {

struct ContainerRunResult {
  process::RunExit exit;
  std::string id;  // of the container; the caller's to remove once the result is written
};

// Creates, starts and waits, each unless it was done before. `resumed`: a daemon died while this ran, so a
// start of its may still be on its way (E5) and is waited for. The log shows no secret. `on_line` gets output
// as it comes.
awaitable<ContainerRunResult> run_container_hook(docker::Engine& engine, translate::HookContainer hook,
                                                 std::filesystem::path log, std::vector<std::string> secrets,
                                                 std::optional<std::chrono::milliseconds> timeout,
                                                 bool resumed,
                                                 std::function<void(const std::string&)> on_line);

// The newest `limit` bytes of what was appended, cut at a line.
class NewestBytes {
public:
  explicit NewestBytes(std::size_t limit) : limit_(limit) {}
  void append(std::string_view piece);
  std::string text() const;

private:
  std::size_t limit_;
  std::string kept_;
};

}  // namespace stackd::hooks
