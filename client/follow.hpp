// Following an operation to its end: its events over SSE, across losses of the daemon, with Ctrl-C as an
// answer.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "client/api.hpp"
#include "client/output/progress.hpp"

namespace stackd::client {

struct FollowPolicy {
  bool interrupt_cancels = false;  // the first Ctrl-C cancels the operation; else it only leaves
  std::chrono::milliseconds reconnect_for{30'000};
};

struct Followed {
  std::string document;  // the operation as the API last had it, with its steps
  proto::Operation operation;
  bool left = false;       // Ctrl-C: the operation goes on without us
  bool cancelled = false;  // Ctrl-C asked for its end
};

// Throws ClientError(3) when the daemon stays away for longer than `reconnect_for`, ApiError when it refuses.
Followed follow(Api& api, const std::string& operation, Progress& progress, const FollowPolicy& policy);

// Calls `on_event` for every event of a stream (`/v1/events`, say) for ever, across losses of the daemon
// likewise.
using OnEvent = std::function<void(const proto::Event&, const std::string& text)>;
void follow_events(Api& api, const std::string& target, const std::string& last_event_id,
                   std::chrono::milliseconds reconnect_for, const OnEvent& on_event);

// Reads a log's answer to its end, with --follow across losses of the daemon likewise. `target` names what is
// still to come, and is called for each connection; `on_lost` when one has ended before its time.
struct LogReader {
  std::function<std::string()> target;
  std::string accept;
  std::function<void(const std::string& bytes)> on_bytes;
  std::function<void(bool first)> on_lost;
  std::function<void(const Head& head)> on_head = nullptr;
};
void read_log(Api& api, const LogReader& reader, bool follow,
              std::chrono::milliseconds reconnect_for = k_reconnect_for);

}  // namespace stackd::client
