#include "client/terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <string_view>

#include "client/error.hpp"

namespace stackd::client {
namespace {

int g_signals = -1;  // for the handler; a write to a pipe is all that it may do

void on_signal(int number) {
  const int error = errno;
  const char byte = static_cast<char>(number);
  [[maybe_unused]] ssize_t ignored = ::write(g_signals, &byte, 1);
  errno = error;
}

// Of standard input, while Keys has it otherwise.
termios g_input{};
volatile sig_atomic_t g_input_taken = 0;

bool in_foreground() {
  return ::isatty(0) && ::tcgetpgrp(0) == ::getpgrp();
}

void show_cursor_and_die(int number) {
  if (g_input_taken) ::tcsetattr(0, TCSANOW, &g_input);
  constexpr std::string_view k_show = "\x1b[?25h";
  [[maybe_unused]] ssize_t ignored = ::write(1, k_show.data(), k_show.size());
  ::raise(number);  // its action is the default again
}

}  // namespace

void give_cursor_back_at_death() {
  for (const int number : {SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler != SIG_DFL) continue;  // nohup
    action.sa_handler = show_cursor_and_die;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    ::sigaction(number, &action, nullptr);
  }
}

Keys::Keys() {
  if (!in_foreground() || ::tcgetattr(0, &g_input) < 0) return;
  termios single = g_input;
  single.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  single.c_cc[VMIN] = 0;
  single.c_cc[VTIME] = 0;
  g_input_taken = 1;
  taken_ = ::tcsetattr(0, TCSANOW, &single) == 0;
}

Keys::~Keys() {
  if (taken_) ::tcsetattr(0, TCSANOW, &g_input);
  g_input_taken = 0;
}

std::string Keys::take() const {
  char typed[64];
  if (!taken_ || !in_foreground()) return {};
  const ssize_t got = ::read(0, typed, sizeof typed);
  return got > 0 ? std::string(typed, static_cast<std::size_t>(got)) : std::string();
}

RawMode::RawMode() {
  if (::tcgetattr(0, &before_) < 0) return;
  termios raw = before_;
  ::cfmakeraw(&raw);
  raw_ = ::tcsetattr(0, TCSANOW, &raw) == 0;
}

RawMode::~RawMode() {
  put_back();
}

void RawMode::put_back() {
  if (raw_) ::tcsetattr(0, TCSANOW, &before_);
  raw_ = false;
}

Signals::Signals(const std::vector<int>& which) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
    throw ClientError(proto::k_operation_failed, "cannot make a pipe");
  read_ = Fd(ends[0]);
  write_ = Fd(ends[1]);
  g_signals = write_.get();
  for (const int number : which) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, &before_.emplace_back(number, action).second);
  }
}

Signals::~Signals() {
  for (const auto& [number, action] : before_) ::sigaction(number, &action, nullptr);
  g_signals = -1;
}

std::vector<int> Signals::take() {
  char bytes[64];
  const ssize_t got = ::read(read_.get(), bytes, sizeof bytes);
  return {bytes, bytes + (got > 0 ? got : 0)};
}

proto::WindowSize window_size() {
  winsize size{};
  if (::ioctl(1, TIOCGWINSZ, &size) < 0) return {};
  return {size.ws_row, size.ws_col};
}

}  // namespace stackd::client
