// Signals: every signal is blocked in the shim for its whole life, so none can end it by surprise; the two
// that mean something are read here. SIGTERM: end the run (Runs::end, or the machine goes down). SIGINT and
// SIGHUP: nothing.
#pragma once

#include "daemon/util/fd.hpp"

namespace stackd::shim {

class Signals {
public:
  // Blocks all; to be called before the run's directory is taken, so that an early SIGTERM waits for its
  // reader.
  Signals();
  // Readable when take() has something.
  int fd() const { return fd_.get(); }
  struct Seen {
    bool child = false, terminate = false;
  };
  Seen take();
  // In a forked child, before exec: nothing blocked, nothing ignored.
  static void restore_in_child();

private:
  util::Fd fd_;
};

}  // namespace stackd::shim
