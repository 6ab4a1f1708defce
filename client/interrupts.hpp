// Interrupts: Ctrl-C as something to poll for. While one lives SIGINT no longer ends the process; every one
// makes fd() readable. Only one at a time; restores the former disposition.
#pragma once

#include <signal.h>

#include "client/fd.hpp"

namespace stackd::client {

class Interrupts {
public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int fd() const { return read_.get(); }
  // How many have come since the last call.
  int take();

private:
  Fd read_, write_;
  struct sigaction before_ {};
};

}  // namespace stackd::client
