#include "daemon/process/shim/ending.hpp"

#include <signal.h>

#include <algorithm>

namespace stackd::shim {

void Ending::begin(Millis grace, Tree& tree) {
  const auto at = now() + std::max<Millis>(grace, 0);
  kill_at_ = begun_ ? std::min(kill_at_, at) : at;
  next_ = std::min(next_, kill_at_);
  if (begun_) return;
  begun_ = true;
  if (grace > 0) tree.send(SIGTERM);
}

bool Ending::step(Tree& tree) {
  if (tree.gone()) return true;
  const auto at = now();
  if (at < kill_at_) {
    next_ = tree.look_again() > 0 ? std::min(kill_at_, at + tree.look_again()) : kill_at_;
    return false;
  }
  if (!killing_) {
    killing_ = true;
    give_up_at_ = at + k_give_up;
  } else if (at >= give_up_at_) {
    error_ = "cannot end all processes: still there after SIGKILL: " + tree.survivors();
    return true;
  }
  // More than once: a process may have forked between being listed and being hit.
  tree.send(SIGKILL);
  next_ = at + pause_;
  pause_ = std::min<Millis>(pause_ * 2, 200);
  return false;
}

}  // namespace stackd::shim
