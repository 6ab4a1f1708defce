// Talk: between a command in a container and whoever asked for it (ExecEnds): output one way; input, the
// window's size and signals the other. Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/docker/attached.hpp"
#include "daemon/stacks/manager.hpp"

namespace stackd::stacks {

class Talk {
public:
  struct Command {
    std::unique_ptr<docker::Attached> attached;
    std::function<awaitable<int>()> exit_code;  // asked once its output has ended
    std::function<awaitable<void>(int rows, int columns)> resize;
    std::function<awaitable<void>(std::string name)> signal = nullptr;  // none: it is not told
  };
  Talk(Command command, const ExecEnds& ends) : command_(std::move(command)), ends_(ends) {}

  // To the command's end, or until its ends let go of it. Throws Error(cancelled) when they have gone.
  awaitable<void> run();
  // A terminal of the wrong size is no reason to end what runs in it.
  awaitable<void> resize(proto::WindowSize size);

  const std::optional<int>& exit_code() const { return exit_code_; }
  bool detached() const { return detached_; }

private:
  awaitable<void> output();
  awaitable<void> input();
  awaitable<void> pass_on(std::string signal);

  Command command_;
  const ExecEnds& ends_;
  std::optional<int> exit_code_;
  bool detached_ = false;
};

}  // namespace stackd::stacks
