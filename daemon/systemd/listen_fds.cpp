#include "daemon/systemd/listen_fds.hpp"

#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "daemon/util/error.hpp"

namespace stackd::systemd {

std::vector<PassedSocket> take_passed_sockets() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(/*unset_environment=*/1, &names);
  if (count < 0) throw util::system_error("cannot take the sockets that the service manager passed", -count);

  std::vector<PassedSocket> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.push_back({names && names[i] ? names[i] : "", util::Fd(SD_LISTEN_FDS_START + i)});
    if (names) ::free(names[i]);
  }
  ::free(names);

  for (const auto& socket : sockets)
    if (sd_is_socket(socket.fd.get(), AF_UNSPEC, SOCK_STREAM, /*listening=*/1) <= 0)
      throw util::Error(util::ErrorKind::io,
                        "cannot use the passed file \"" + socket.name +
                            "\": it is no listening stream socket; look at the socket unit");
  return sockets;
}

}  // namespace stackd::systemd
