// Following an operation to its end: its events over SSE, across losses of the daemon, with Ctrl-C as an
// answer.
#pragma once

#include <chrono>
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

}  // namespace stackd::client
