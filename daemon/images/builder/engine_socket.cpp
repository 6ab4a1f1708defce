#include "daemon/images/builder/engine_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "daemon/util/error.hpp"

namespace stackd::builder {
namespace {

using util::Error;
using util::ErrorKind;

constexpr time_t k_limit_s = 60;
constexpr std::size_t k_longest_head = 64 * 1024;

util::Fd opened(int family) {
  util::Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{k_limit_s, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

util::Fd connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return {};
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  auto fd = opened(AF_UNIX);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? std::move(fd)
                                                                                               : util::Fd();
}

// "<address> <port>"
util::Fd connect_tcp(const std::string& text) {
  const auto space = text.find(' ');
  const auto host = text.substr(0, space);
  const auto port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + space + 1)));
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  const bool is_v4 = ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return {};
  v4.sin_family = AF_INET;
  v4.sin_port = port;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = port;
  auto fd = opened(is_v4 ? AF_INET : AF_INET6);
  const auto* address =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  if (::connect(fd.get(), address, is_v4 ? sizeof v4 : sizeof v6) != 0) return {};
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

util::Fd connect_any(const std::vector<std::string>& engines) {
  for (const auto& engine : engines) {
    auto fd = engine.starts_with("unix:") ? connect_unix(engine.substr(5)) : connect_tcp(engine.substr(4));
    if (fd) return fd;
  }
  throw Error(ErrorKind::no_engine, std::string("cannot reach the Docker engine: ") + std::strerror(errno));
}

}  // namespace

Upgraded upgrade(const std::vector<std::string>& engines, const std::string& path,
                 const std::vector<std::pair<std::string, std::string>>& headers) {
  Upgraded made{connect_any(engines), ""};
  std::string head = "POST " + path + " HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n";
  for (const auto& [name, value] : headers) head.append(name).append(": ").append(value).append("\r\n");
  head += "\r\n";
  if (::send(made.socket.get(), head.data(), head.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(head.size()))
    throw util::Error(ErrorKind::no_engine, "cannot ask the Docker engine for a build session");
  std::string answer;
  std::size_t end = 0;
  while ((end = answer.find("\r\n\r\n")) == answer.npos) {
    char bytes[4096];
    const auto count = ::recv(made.socket.get(), bytes, sizeof bytes, 0);
    if (count <= 0 || answer.size() > k_longest_head)
      throw util::Error(ErrorKind::no_engine, "the Docker engine broke off before a build session began");
    answer.append(bytes, static_cast<std::size_t>(count));
  }
  const auto status = answer.substr(0, answer.find("\r\n"));
  if (status.find(" 101") == status.npos)
    throw NoBuildKit("the engine has no BuildKit: to " + path + " it answers \"" + status + "\"");
  made.early = answer.substr(end + 4);
  ::fcntl(made.socket.get(), F_SETFL, O_NONBLOCK);
  return made;
}

}  // namespace stackd::builder
