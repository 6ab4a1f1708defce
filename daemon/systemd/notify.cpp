#include "daemon/systemd/notify.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>

namespace stackd::systemd {

namespace {

// A newline would begin another assignment of the protocol.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// The environment stays as it is: later calls need NOTIFY_SOCKET too.
void send(const std::string& message) {
  sd_notify(0, message.c_str());
}

}  // namespace

void ready(const std::string& text) {
  send(text.empty() ? "READY=1" : "READY=1\nSTATUS=" + one_line(text));
}

void stopping() {
  send("STOPPING=1");
}

void status(const std::string& text) {
  send("STATUS=" + one_line(text));
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return std::chrono::microseconds(microseconds);
}

void watchdog() {
  send("WATCHDOG=1");
}

}  // namespace stackd::systemd
