#include "daemon/systemd/listen_fds.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/systemd/variable.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::systemd {
namespace {

constexpr int k_first_fd = 3;

// How many there are for this process.
int count_passed() {
  const char* text = ::getenv("LISTEN_FDS");
  if (!text || number_in("LISTEN_PID") != static_cast<std::uint64_t>(::getpid())) return 0;
  const auto count = number_in("LISTEN_FDS");
  if (!count || *count > static_cast<std::uint64_t>(::sysconf(_SC_OPEN_MAX)))
    throw util::Error(util::ErrorKind::io,
                      "cannot take the sockets that the service manager passed: LISTEN_FDS is '" +
                          std::string(text) + "', which is no number of them");
  return static_cast<int>(*count);
}

int option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

std::vector<PassedSocket> take_passed_sockets() {
  const int count = count_passed();
  const char* named = ::getenv("LISTEN_FDNAMES");
  const auto names = util::split(named ? named : "", ':');
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);

  std::vector<PassedSocket> sockets;
  for (int i = 0; i < count; ++i) {
    const int fd = k_first_fd + i;
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
      throw util::system_error("cannot take a socket that the service manager passed", errno);
    const auto place = static_cast<std::size_t>(i);
    sockets.push_back({place < names.size() ? names[place] : "", util::Fd(fd)});
  }
  for (const auto& socket : sockets)
    if (option(socket.fd.get(), SO_TYPE) != SOCK_STREAM || option(socket.fd.get(), SO_ACCEPTCONN) != 1)
      throw util::Error(util::ErrorKind::io,
                        "cannot use the passed file \"" + socket.name +
                            "\": it is no listening stream socket; look at the socket unit");
  return sockets;
}

}  // namespace stackd::systemd
