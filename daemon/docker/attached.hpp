// Attached: the bare connection to a command in a container, an exec's or the container's own: its output
// comes, its input goes. Control thread only; one read and one write at a time may wait. The command goes on
// in the container when this goes away.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/docker/connection.hpp"
#include "daemon/docker/engine.hpp"

namespace stackd::docker {

class Body;

class Attached {
public:
  // `what`: "cannot run exec …", begins every error's message.
  Attached(std::shared_ptr<Connection> connection, std::string what, bool tty);

  // Hands on all that comes until the engine ends it; no more is read while the sink is busy.
  awaitable<void> read(OutputSink sink);
  // Waits while the command reads none. A command that has ended takes its input no longer; that is no
  // mistake, its output tells of the end.
  awaitable<void> write(std::string_view bytes);
  void end_input();

private:
  std::shared_ptr<Connection> connection_;
  std::string what_;
  bool tty_;
};

// The end of a container that is being waited for.
class Ending {
public:
  Ending(std::unique_ptr<Body> body, std::string what);
  ~Ending();
  awaitable<int> exit_code();  // once

private:
  std::unique_ptr<Body> body_;
  std::string what_;
};

}  // namespace stackd::docker
