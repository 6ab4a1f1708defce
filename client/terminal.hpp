// The terminal that stackctl was started in, handed over to a command: raw mode, its size, signals that are
// to be answered. Only one at a time; what was is put back when it goes away.
#pragma once

#include <signal.h>
#include <termios.h>

#include <vector>

#include "client/fd.hpp"
#include "proto/types.hpp"

namespace stackd::client {

// Every key goes to the command, Ctrl-C too. Nothing happens when standard input is no terminal.
class RawMode {
public:
  RawMode();
  ~RawMode();
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

  void put_back();

private:
  bool raw_ = false;
  termios before_{};
};

// Single keys of standard input, as they are typed and unseen; Ctrl-C and Ctrl-Z mean what they always do.
// None for a program in the background, or whose input is no terminal.
class Keys {
public:
  Keys();
  ~Keys();
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  // What was typed since the last call; does not wait.
  std::string take() const;

private:
  bool taken_ = false;
};

// Signals as something to poll for.
class Signals {
public:
  explicit Signals(const std::vector<int>& which);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return read_.get(); }
  // Those that have come since the last call, in order.
  std::vector<int> take();

private:
  Fd read_, write_;
  std::vector<std::pair<int, struct sigaction>> before_;
};

// The live view hides the cursor, and what is typed: what ends this program from outside gives both back
// first.
void give_cursor_back_at_death();

// Of standard output's terminal; zeros when it is none.
proto::WindowSize window_size();

}  // namespace stackd::client
