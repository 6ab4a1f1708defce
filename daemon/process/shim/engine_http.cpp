#include "daemon/process/shim/engine_http.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>

#include "daemon/process/shim/json.hpp"

namespace stackd::shim {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address unix_address(const std::string& path) {
  Address address;
  auto& to = reinterpret_cast<sockaddr_un&>(address.storage);
  to.sun_family = AF_UNIX;
  ::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
  address.size = sizeof to;
  return address;
}

Address tcp_address(const std::string& text) {
  Address address;
  const auto space = text.find(' ');
  const auto host = text.substr(0, space);
  const auto port =
      htons(static_cast<std::uint16_t>(space == std::string::npos ? 0 : ::atoi(text.c_str() + space)));
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = port;
    address.size = sizeof v4;
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = port;
    address.size = sizeof v6;
  }
  return address;
}

void set_limit(int socket, Millis limit) {
  const timeval time{static_cast<time_t>(limit / 1000), static_cast<suseconds_t>(limit % 1000 * 1000)};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);  // connect() keeps it too
}

std::string no_answer(int error_number) {
  const bool late = error_number == EAGAIN || error_number == EINPROGRESS;
  return std::string("the engine does not answer: ") + (late ? "timed out" : ::strerror(error_number));
}

// Appends what comes next; false at the end or on an error.
bool receive(int socket, std::string& to) {
  char buffer[8192];
  ssize_t n = 0;
  do n = ::recv(socket, buffer, sizeof buffer, 0);
  while (n < 0 && errno == EINTR);
  if (n == 0) errno = ECONNRESET;
  if (n <= 0) return false;
  to.append(buffer, static_cast<std::size_t>(n));
  return true;
}

// The value of a header, "" when it is absent.
std::string header(const std::string& head, const char* name) {
  const auto length = ::strlen(name);
  for (auto line = head.find("\r\n"); line != std::string::npos; line = head.find("\r\n", line + 2)) {
    if (::strncasecmp(head.c_str() + line + 2, name, length) != 0 || head[line + 2 + length] != ':') continue;
    const auto from = head.find_first_not_of(' ', line + 3 + length);
    return head.substr(from, head.find("\r\n", from) - from);
  }
  return {};
}

// The text of a chunked body once it is whole.
bool unchunk(const std::string& raw, std::string& text) {
  text.clear();
  for (std::size_t at = 0;;) {
    const auto line_end = raw.find("\r\n", at);
    if (line_end == std::string::npos) return false;
    const auto size = ::strtoull(raw.c_str() + at, nullptr, 16);
    if (size == 0) return true;
    if (raw.size() < line_end + 2 + size + 2) return false;
    text.append(raw, line_end + 2, size);
    at = line_end + 2 + size + 2;
  }
}

void receive_body(int socket, const std::string& head, std::string rest, Reply& reply) {
  if (!::strcasecmp(header(head, "Transfer-Encoding").c_str(), "chunked")) {
    while (!unchunk(rest, reply.body) && receive(socket, rest)) continue;
    return;
  }
  const auto length = header(head, "Content-Length");
  const auto size = length.empty() ? std::string::npos : ::strtoull(length.c_str(), nullptr, 10);
  while (rest.size() < size && receive(socket, rest)) continue;
  reply.body = std::move(rest);
}

}  // namespace

EngineHttp::EngineHttp(std::vector<std::string> engines, std::string api)
    : engines_(std::move(engines)), api_(std::move(api)) {}

util::Fd EngineHttp::connect(Millis limit, std::string& error) const {
  for (const auto& engine : engines_) {
    const auto address =
        engine.rfind("unix:", 0) == 0 ? unix_address(engine.substr(5)) : tcp_address(engine.substr(4));
    util::Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) {
      error = no_answer(errno);
      continue;
    }
    set_limit(socket.get(), limit);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0)
      return socket;
    error = no_answer(errno);
  }
  return {};
}

util::Fd EngineHttp::ask(std::string_view method, const std::string& path, std::string_view body,
                         Millis limit, std::string_view connection, Reply& reply, std::string& head,
                         std::string& rest) const {
  auto socket = connect(limit, reply.error);
  if (!socket) return {};
  std::string text(method);
  text += " " + api_ + path + " HTTP/1.1\r\nHost: docker\r\nUser-Agent: stackd-shim\r\n";
  text += connection;
  if (!body.empty()) text += "Content-Type: application/json\r\n";
  if (method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n";
  text += body;
  std::string answer;
  std::size_t head_end = std::string::npos;
  bool alive = write_all(socket.get(), text);
  while (alive && (head_end = answer.find("\r\n\r\n")) == std::string::npos)
    alive = receive(socket.get(), answer);
  if (!alive) {
    reply.error = no_answer(errno);
    return {};
  }
  head = answer.substr(0, head_end + 2);
  rest = answer.substr(head_end + 4);
  const auto space = head.find(' ');
  reply.status = space == std::string::npos ? 0 : ::atoi(head.c_str() + space + 1);
  if (reply.status == 0) reply.error = "the engine's answer is no HTTP";
  return socket;
}

Reply EngineHttp::call(std::string_view method, const std::string& path, std::string_view body,
                       Millis limit) const {
  Reply reply;
  std::string head, rest;
  const auto socket = ask(method, path, body, limit, "Connection: close\r\n", reply, head, rest);
  if (!socket || reply.status == 0) return reply;
  receive_body(socket.get(), head, std::move(rest), reply);
  if (!reply.ok()) reply.error = text_member(reply.body, "message").value_or(reply.body);
  return reply;
}

Hijacked EngineHttp::hijack(const std::string& path, std::string_view body, Millis limit) const {
  Hijacked hijacked;
  std::string head;
  auto socket = ask("POST", path, body, limit, "Connection: Upgrade\r\nUpgrade: tcp\r\n", hijacked.reply,
                    head, hijacked.first);
  if (!socket || hijacked.reply.status == 0) return hijacked;
  if (hijacked.reply.status != 101 && hijacked.reply.status != 200) {
    receive_body(socket.get(), head, std::move(hijacked.first), hijacked.reply);
    hijacked.reply.error = text_member(hijacked.reply.body, "message").value_or(hijacked.reply.body);
    return hijacked;
  }
  set_limit(socket.get(), 0);
  hijacked.socket = std::move(socket);
  return hijacked;
}

}  // namespace stackd::shim
