#include "daemon/systemd/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "daemon/systemd/variable.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::systemd {

namespace {

// A newline would begin another assignment of the protocol.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// One datagram. The environment stays as it is: later calls need NOTIFY_SOCKET too. The library that has this
// brings seven others along, for 1 MB of the daemon's memory.
void send(const std::string& message) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (!path || (*path != '/' && *path != '@')) return;
  const std::string_view name = path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return;
  name.copy(address.sun_path, name.size());
  if (*path == '@') address.sun_path[0] = '\0';  // an abstract one
  const util::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), size);
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
  const auto interval = number_in("WATCHDOG_USEC");
  if (!interval || *interval == 0) return std::nullopt;
  const bool of_another =
      std::getenv("WATCHDOG_PID") && number_in("WATCHDOG_PID") != static_cast<std::uint64_t>(::getpid());
  if (of_another) return std::nullopt;
  return std::chrono::microseconds(*interval);
}

void watchdog() {
  send("WATCHDOG=1");
}

}  // namespace stackd::systemd
