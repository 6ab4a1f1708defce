#include "client/http.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "client/error.hpp"

namespace stackd::client {
namespace {

constexpr std::size_t k_longest_head = 64 * 1024;

TransportError failed(const std::string& what, int error_number) {
  return TransportError(what + ": " + std::strerror(error_number), error_number);
}

int milliseconds_until(Deadline deadline) {
  if (deadline == k_never) return -1;
  auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000));
}

// The address as connect() takes it, and its length.
std::pair<sockaddr_storage, socklen_t> address_of(const Endpoint& endpoint) {
  sockaddr_storage storage{};
  if (endpoint.address == "[::1]") {
    auto* tcp = reinterpret_cast<sockaddr_in6*>(&storage);
    tcp->sin6_family = AF_INET6;
    tcp->sin6_port = htons(endpoint.port);
    tcp->sin6_addr = in6addr_loopback;
    return {storage, sizeof(sockaddr_in6)};
  }
  if (endpoint.socket.empty()) {
    auto* tcp = reinterpret_cast<sockaddr_in*>(&storage);
    tcp->sin_family = AF_INET;
    tcp->sin_port = htons(endpoint.port);
    if (::inet_pton(AF_INET, endpoint.address.c_str(), &tcp->sin_addr) != 1)
      throw TransportError("cannot connect to " + endpoint.text() + ": not an IPv4 address", EINVAL);
    return {storage, sizeof(sockaddr_in)};
  }
  auto* local = reinterpret_cast<sockaddr_un*>(&storage);
  local->sun_family = AF_UNIX;
  if (endpoint.socket.size() >= sizeof local->sun_path)
    throw failed("cannot connect to " + endpoint.text(), ENAMETOOLONG);
  std::memcpy(local->sun_path, endpoint.socket.c_str(), endpoint.socket.size() + 1);
  return {storage, sizeof(sockaddr_un)};
}

}  // namespace

Deadline in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

std::string Endpoint::text() const {
  return socket.empty() ? "http://" + address + ":" + std::to_string(port) : "unix://" + socket;
}

Connection::Connection(const Endpoint& endpoint, Deadline deadline)
    : host_header_(endpoint.socket.empty() ? endpoint.address + ":" + std::to_string(endpoint.port)
                                           : "localhost"),
      token_(endpoint.token) {
  auto [address, length] = address_of(endpoint);
  fd_ = Fd(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) throw failed("cannot make a socket", errno);
  // EAGAIN from a Unix socket is a full backlog: nothing tells when it has room, so try again soon.
  while (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    if (errno == EINPROGRESS) {
      if (wait(POLLOUT, deadline, -1) != Ready::yes)
        throw failed("cannot connect to " + endpoint.text(), ETIMEDOUT);
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) throw failed("cannot connect to " + endpoint.text(), error);
      break;
    }
    int error = errno;
    if (error != EAGAIN && error != EINTR) throw failed("cannot connect to " + endpoint.text(), error);
    if (std::chrono::steady_clock::now() >= deadline)
      throw failed("cannot connect to " + endpoint.text(), ETIMEDOUT);
    ::poll(nullptr, 0, 5);
  }
  if (endpoint.socket.empty()) {
    int one = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
}

Connection::Ready Connection::wait(short events, Deadline deadline, int wake) const {
  pollfd fds[2] = {{fd_.get(), events, 0}, {wake, POLLIN, 0}};
  while (true) {
    int ready = ::poll(fds, wake >= 0 ? 2 : 1, milliseconds_until(deadline));
    if (ready > 0) return fds[1].revents != 0 && wake >= 0 ? Ready::interrupted : Ready::yes;
    if (ready == 0) return Ready::timed_out;
    if (errno != EINTR) throw failed("cannot wait for the daemon", errno);
  }
}

void Connection::send_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (wait(POLLOUT, deadline, -1) != Ready::yes) throw failed("cannot send to the daemon", ETIMEDOUT);
    } else if (errno != EINTR) {
      throw failed("cannot send to the daemon", errno);
    }
  }
}

bool Connection::receive() {
  char bytes[16 * 1024];
  while (true) {
    ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
    if (got >= 0) return got > 0;
    if (errno == EAGAIN) return true;  // a wait that woke for nothing
    if (errno != EINTR) throw failed("cannot read the daemon's answer", errno);
  }
}

std::string Connection::head_of(const Request& request) const {
  std::string text = request.method + " " + request.target + " HTTP/1.1\r\nHost: " + host_header_ +
                     "\r\nUser-Agent: stackctl/" STACKD_VERSION "\r\n";
  if (!token_.empty()) text += "Authorization: Bearer " + token_ + "\r\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  return text;
}

Head Connection::exchange(const Request& request, Deadline deadline) {
  std::string text = head_of(request);
  if (!request.body.empty()) text += "Content-Type: application/json\r\n";
  if (request.method != "GET") text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  text += "\r\n" + request.body;
  reusable_ = false;  // until the answer has said so
  send_all(text, deadline);
  return read_head(request.method + " " + request.target, deadline);
}

Head Connection::read_head(const std::string& what, Deadline deadline) {
  while (true) {
    std::size_t end = buffer_.find("\r\n\r\n");
    if (end != std::string::npos) {
      Head head = parse_head(std::string_view(buffer_).substr(0, end));
      buffer_.erase(0, end + 4);
      if (head.status / 100 == 1 && head.status != 101) continue;  // an interim answer
      body_ = BodyDecoder(head);
      reusable_ = head.header("connection") != "close" && !body_.ends_with_connection();
      return head;
    }
    if (buffer_.size() > k_longest_head)
      throw TransportError("cannot read the daemon's answer: endless headers", 0);
    if (wait(POLLIN, deadline, -1) != Ready::yes)
      throw TransportError("the daemon does not answer (" + what + ")", ETIMEDOUT);
    if (!receive()) throw TransportError("the daemon closed the connection", ECONNRESET);
  }
}

void Connection::begin_upload(const Request& request, Deadline deadline) {
  reusable_ = refused_ = false;
  send_all(head_of(request) + "Transfer-Encoding: chunked\r\n\r\n", deadline);
}

bool Connection::upload(std::string_view piece) {
  if (refused_ || piece.empty()) return !refused_;
  char length[24];
  std::snprintf(length, sizeof length, "%zx\r\n", piece.size());
  std::string chunk = length;
  chunk.append(piece).append("\r\n");
  std::string_view rest = chunk;
  while (!rest.empty()) {
    pollfd fd{fd_.get(), POLLIN | POLLOUT, 0};
    if (::poll(&fd, 1, -1) < 0 && errno != EINTR) throw failed("cannot send to the daemon", errno);
    if (fd.revents & (POLLIN | POLLERR | POLLHUP)) {
      refused_ = true;
      return false;
    }
    if (!(fd.revents & POLLOUT)) continue;
    const ssize_t sent = ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
      refused_ = true;
      return false;
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR) throw failed("cannot send to the daemon", errno);
  }
  return true;
}

Head Connection::end_upload(Deadline deadline) {
  if (!refused_) send_all("0\r\n\r\n", deadline);
  Head head = read_head("an upload", deadline);
  if (refused_) reusable_ = false;
  return head;
}

Read Connection::read(std::string& out, Deadline deadline, int wake) {
  std::size_t before = out.size();
  while (true) {
    if (body_.done()) return Read::end;
    buffer_.erase(0, body_.feed(buffer_, out));
    if (out.size() > before) return Read::data;
    if (body_.done()) continue;
    Ready ready = wait(POLLIN, deadline, wake);
    if (ready == Ready::timed_out) return Read::timed_out;
    if (ready == Ready::interrupted) return Read::interrupted;
    if (!receive()) {
      reusable_ = false;
      if (!body_.ends_with_connection()) throw TransportError("the daemon closed the connection", ECONNRESET);
      body_ = BodyDecoder();
    }
  }
}

std::string Connection::read_all(Deadline deadline) {
  std::string body;
  while (true) {
    Read got = read(body, deadline);
    if (got == Read::end) return body;
    if (got == Read::timed_out) throw TransportError("the daemon does not finish its answer", ETIMEDOUT);
  }
}

}  // namespace stackd::client
