// Listening sockets. One that this process bound itself, or one that the service manager passed; only the
// former's path is removed at the end. Errors: `conflict` when another daemon listens there,
// `invalid_request` for an address that is not loopback, `io` for the rest.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "daemon/http/access.hpp"
#include "daemon/util/fd.hpp"
#include "daemon/util/files.hpp"

namespace stackd::http {

class Listener {
public:
  // Binds `path` with mode 0600; missing directories are made with 0700. A socket file that is there is
  // removed only when nothing listens on it, and a lock file beside it (held until this object goes away)
  // keeps two daemons that start at once from taking it from each other.
  static Listener unix_socket(const std::filesystem::path& path);
  // "127.0.0.1:7070", "localhost:0", "[::1]:7070". Port 0 takes a free one.
  static Listener tcp(const std::string& address);
  // A listening socket that is open already (socket activation).
  static Listener passed(util::Fd fd);

  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  int fd() const { return fd_.get(); }
  Transport transport() const { return transport_; }
  std::uint16_t port() const;    // of TCP
  std::string describe() const;  // "/run/stackd/stackd.sock", "127.0.0.1:7070"

private:
  Listener(util::Fd fd, Transport transport) : fd_(std::move(fd)), transport_(transport) {}

  util::Fd fd_;
  Transport transport_;
  std::filesystem::path path_;  // empty unless this process bound it
  dev_t device_ = 0;            // of the socket file, so that nobody else's is removed
  ino_t inode_ = 0;
  std::optional<util::FileLock> lock_;
};

}  // namespace stackd::http
