// A container's own healthcheck, run by stackd while it starts.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "daemon/docker/engine.hpp"

namespace stackd::probes {

// Runs a container's healthcheck command by exec at a short, growing interval until it passes, so that
// readiness need not wait for the engine's own interval. Never returns otherwise; the caller races it against
// the engine's verdict. `test` is the engine's form ({"CMD", …} or {"CMD-SHELL", text}). A try that is out of
// time is ended by `end` before there is another, and so is one that is under way when this is cancelled;
// `mark` is in its environment.
using OnTry = std::function<void(int number, const std::string& answer)>;
using EndExec = std::function<awaitable<void>(std::string exec, std::string mark)>;
// `on_try`: after each that did not pass, with its number and what it said.
awaitable<void> until_healthy(docker::Engine& engine, std::string container, std::vector<std::string> test,
                              std::chrono::milliseconds timeout, EndExec end, OnTry on_try = nullptr);

}  // namespace stackd::probes
