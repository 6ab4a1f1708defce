#include "client/interrupts.hpp"

#include <fcntl.h>

#include <cerrno>

#include "client/error.hpp"

namespace stackd::client {
namespace {

int g_write_end = -1;  // for the handler; a write to a pipe is all that it may do

void on_interrupt(int) {
  int error = errno;
  [[maybe_unused]] ssize_t ignored = ::write(g_write_end, "", 1);  // a full pipe already says it
  errno = error;
}

}  // namespace

Interrupts::Interrupts() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
    throw ClientError(proto::k_operation_failed, "cannot make a pipe");
  read_ = Fd(ends[0]);
  write_ = Fd(ends[1]);
  g_write_end = write_.get();
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &before_);
}

Interrupts::~Interrupts() {
  ::sigaction(SIGINT, &before_, nullptr);
  g_write_end = -1;
}

int Interrupts::take() {
  char bytes[64];
  ssize_t got = ::read(read_.get(), bytes, sizeof bytes);
  return got > 0 ? static_cast<int>(got) : 0;
}

}  // namespace stackd::client
