// Readiness of one service: its probe, what its log says, its exit and the clock, whichever speaks first
// (L3.4 to L3.6). Strings are resolved already; this folder knows no stack files. Control thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/probes/probe.hpp"

namespace stackd::probes {

using Captured = std::map<std::string, std::string>;

struct ReadyWait {
  std::string what;  // "service 'api'", for messages
  std::optional<Probe>
      probe;  // what decides; without one and without captures it is ready as soon as its log flows
  std::map<std::string, std::string> capture;  // key -> RE2, over all of the run's output
  std::string fail_match;                      // fail_when.log_match
  std::chrono::milliseconds timeout{60'000};
  bool extend_on_progress = false;  // the timeout is the longest silence of the log

  // Feeds this run's output, from its start, until it is cancelled: whole lines, many at a time; a line that
  // has had no end for a while, and then perhaps once more. Null when there is no log to read.
  std::function<awaitable<void>(std::function<void(std::string_view lines)>)> output;
  // After each try of the probe that did not pass, with its number and what came back. May be null.
  std::function<void(int number, const std::string& answer)> on_try;
  // Returns when the service has ended, with the words for it. Null when that cannot happen.
  std::function<awaitable<std::string>()> died;
};

// Returns when the service is ready. Throws Error(failed) when it died, said fail_match or lacks a capture,
// Error(timed_out) with the last failure of the probe when time is up.
awaitable<Captured> wait_ready(ReadyWait wait);

}  // namespace stackd::probes
