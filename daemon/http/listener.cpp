#include "daemon/http/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "daemon/util/error.hpp"

namespace stackd::http {
namespace {

using util::Error;
using util::ErrorKind;

constexpr int k_backlog = 128;

sockaddr_un unix_address(const std::filesystem::path& path, const std::string& what) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& text = path.native();
  if (text.empty() || text.size() >= sizeof(address.sun_path))
    throw Error(ErrorKind::invalid_request, what + ": a socket's path has 1 to " +
                                                std::to_string(sizeof(address.sun_path) - 1) +
                                                " bytes, this one " + std::to_string(text.size()) +
                                                "; set STACKD_SOCKET to a shorter one");
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  return address;
}

// Whether a socket file is left over from a daemon that is gone. A full backlog (EAGAIN) means that one is
// there.
bool nobody_listens(const sockaddr_un& address) {
  util::Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return false;
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
         (errno == ECONNREFUSED || errno == ENOENT);
}

void remove_leftover(const std::filesystem::path& path, const sockaddr_un& address, const std::string& what) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return;
  if (!S_ISSOCK(info.st_mode))
    throw Error(ErrorKind::conflict,
                what + ": a file that is not a socket is there; move it away, or set STACKD_SOCKET");
  if (!nobody_listens(address)) throw Error(ErrorKind::conflict, what + ": another daemon listens there");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    throw util::system_error(what + ": cannot remove the old socket", errno);
}

int listening_family(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw util::system_error("cannot use the passed socket", errno);
  int listening = 0;
  size = sizeof(listening);
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening)
    throw Error(ErrorKind::invalid_request, "cannot use the passed socket: it does not listen");
  return address.ss_family;
}

bool is_loopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET)
    return (ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24) == 127;
  return address.ss_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

// "127.0.0.1:7070" as a socket address; nothing when it is no loopback address with a port.
std::optional<std::pair<sockaddr_storage, socklen_t>> loopback_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end) return std::nullopt;
  if (host == "localhost") host = "127.0.0.1";
  sockaddr_storage storage{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address.sin6_addr) != 1)
      return std::nullopt;
    if (!is_loopback(storage)) return std::nullopt;
    return std::pair(storage, static_cast<socklen_t>(sizeof(sockaddr_in6)));
  }
  auto& address = reinterpret_cast<sockaddr_in&>(storage);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1 || !is_loopback(storage))
    return std::nullopt;
  return std::pair(storage, static_cast<socklen_t>(sizeof(sockaddr_in)));
}

}  // namespace

Listener Listener::unix_socket(const std::filesystem::path& path) {
  const auto what = "cannot listen on " + path.string();
  const auto address = unix_address(path, what);
  if (path.has_parent_path()) util::make_directories(path.parent_path());
  auto lock = util::FileLock::try_acquire(path.string() + ".lock");
  if (!lock)
    throw Error(ErrorKind::conflict,
                what + ": another daemon holds its lock file " + path.string() + ".lock");
  remove_leftover(path, address, what);

  util::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw util::system_error(what, errno);
  // The file gets the socket's own mode, so there is no moment at which another user could connect.
  ::fchmod(fd.get(), 0600);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    throw util::system_error(what, errno);
  ::chmod(path.c_str(), 0600);
  if (::listen(fd.get(), k_backlog) != 0) throw util::system_error(what, errno);

  Listener listener(std::move(fd), Transport::unix_socket);
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    listener.device_ = info.st_dev;
    listener.inode_ = info.st_ino;
  }
  listener.path_ = path;
  listener.lock_ = std::move(lock);
  return listener;
}

Listener Listener::tcp(const std::string& text) {
  const auto what = "cannot listen on " + text;
  const auto address = loopback_address(text);
  if (!address)
    throw Error(ErrorKind::invalid_request, what +
                                                ": only loopback addresses with a port are served, such as "
                                                "127.0.0.1:7070; to reach the daemon from "
                                                "elsewhere, forward its socket over ssh");
  util::Fd fd(::socket(address->first.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw util::system_error(what, errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address->first), address->second) != 0 ||
      ::listen(fd.get(), k_backlog) != 0) {
    if (errno == EADDRINUSE) throw Error(ErrorKind::conflict, what + ": the port is taken");
    throw util::system_error(what, errno);
  }
  return Listener(std::move(fd), Transport::tcp);
}

Listener Listener::passed(util::Fd fd) {
  const int family = listening_family(fd.get());
  if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
    throw Error(ErrorKind::invalid_request,
                "cannot use the passed socket: it is neither a Unix nor a TCP socket");
  if (family != AF_UNIX) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
    if (!is_loopback(address))
      throw Error(ErrorKind::invalid_request,
                  "cannot use the passed socket: it is not on a loopback address");
  }
  if (::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0)
    throw util::system_error("cannot use the passed socket", errno);
  return Listener(std::move(fd), family == AF_UNIX ? Transport::unix_socket : Transport::tcp);
}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::move(other.fd_)),
      transport_(other.transport_),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_),
      lock_(std::exchange(other.lock_, std::nullopt)) {}

Listener::~Listener() {
  if (path_.empty()) return;
  struct stat info {};
  if (::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_)
    ::unlink(path_.c_str());
}

std::uint16_t Listener::port() const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  return 0;
}

std::string Listener::describe() const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return "a socket";
  char text[INET6_ADDRSTRLEN] = "";
  switch (address.ss_family) {
    case AF_UNIX:
      return std::string(reinterpret_cast<sockaddr_un&>(address).sun_path);
    case AF_INET:
      ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in&>(address).sin_addr, text, sizeof(text));
      return std::string(text) + ":" + std::to_string(port());
    default:
      ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6&>(address).sin6_addr, text, sizeof(text));
      return "[" + std::string(text) + "]:" + std::to_string(port());
  }
}

}  // namespace stackd::http
