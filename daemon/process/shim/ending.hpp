// Ending: takes a tree of processes down. TERM to all, the grace, KILL again and again until nothing is left;
// after k_give_up (processes that the kernel holds, or that belong to another user) it says what is left and
// stops.
#pragma once

#include <string>

#include "daemon/process/shim/system.hpp"

namespace stackd::shim {

class Tree {
public:
  virtual ~Tree() = default;
  virtual void send(int signal) = 0;
  virtual bool gone() = 0;
  // How soon to look again whether it is gone; 0 when a SIGCHLD tells.
  virtual Millis look_again() const = 0;
  // Who is left, for the message.
  virtual std::string survivors() = 0;
};

class Ending {
public:
  bool begun() const { return begun_; }
  // Again with an earlier end of the grace: that one counts.
  void begin(Millis grace, Tree& tree);
  // Does what is due. True once it is over: all gone, or given up (then error() is not empty).
  bool step(Tree& tree);
  // When step() wants to be called again.
  Millis next() const { return next_; }
  const std::string& error() const { return error_; }

private:
  static constexpr Millis k_give_up = 10'000;
  bool begun_ = false, killing_ = false;
  Millis kill_at_ = 0, give_up_at_ = 0, next_ = 0, pause_ = 10;
  std::string error_;
};

}  // namespace stackd::shim
