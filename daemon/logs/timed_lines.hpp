// Lines of a container's log as the engine tells them, each with its time. Control thread.
#pragma once

#include <functional>
#include <string>

#include "daemon/docker/engine.hpp"

namespace stackd::logs {

struct TimedLine {
  docker::Stream stream = docker::Stream::out;
  std::string time;  // the engine's, RFC 3339 with nanoseconds: as text in the order of time
  std::string text;
};
// Suspends for as long as it likes: less is read then. What it throws ends the reading.
using TimedSink = std::function<awaitable<void>(TimedLine)>;

// Until the log's end, or the container's with `follow`. Times are asked for whatever the options say.
awaitable<void> timed_lines(docker::Engine& engine, std::string id, bool tty, docker::LogOptions options,
                            TimedSink sink);

}  // namespace stackd::logs
