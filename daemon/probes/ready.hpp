// Readiness of one service: its probe, what its log says, its exit and the clock, whichever speaks first
// (L3.4 to L3.6). Strings are resolved already; this folder knows no stack files. Control thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/async/asio.hpp"
#include "daemon/docker/engine.hpp"

namespace stackd::probes {

using Captured = std::map<std::string, std::string>;

struct ReadyWait {
  std::string what;  // "service 'api'", for messages
  // First of these that is set decides; they do not combine (L3.4).
  std::string log_match;  // RE2, per complete line
  std::string http_url;
  std::string tcp_host;
  int tcp_port = 0;
  std::function<awaitable<bool>()> command;    // one run of ready_when.cmd: did it exit with 0?
  std::map<std::string, std::string> capture;  // key -> RE2, over all of the run's output
  std::string fail_match;                      // fail_when.log_match
  std::chrono::milliseconds timeout{60'000};
  bool extend_on_progress = false;  // the timeout is the longest silence of the log

  // Feeds every line of this run's output, from its start, until it is cancelled. Null when there is no log
  // to read.
  std::function<awaitable<void>(std::function<void(const std::string&)>)> log_lines;
  // Returns when the service has ended, with the words for it. Null when that cannot happen.
  std::function<awaitable<std::string>()> died;
};

// Returns when the service is ready. Throws Error(failed) when it died, said fail_match or lacks a capture,
// Error(timed_out) with the last failure of the probe when time is up.
awaitable<Captured> wait_ready(ReadyWait wait);

// Runs a container's healthcheck command by exec at a short, growing interval until it passes, so that
// readiness need not wait for the engine's own interval. Never returns otherwise; the caller races it against
// the engine's verdict. `test` is the engine's form ({"CMD", …} or {"CMD-SHELL", text}).
awaitable<void> until_healthy(docker::Engine& engine, std::string container, std::vector<std::string> test,
                              std::chrono::milliseconds timeout);

}  // namespace stackd::probes
