// A blocking HTTP/1.1 client on a plain socket, for tests of the server: it can also send what no client
// should. Every wait has a limit; a passed limit throws.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stackd::test {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class HttpClient {
public:
  static HttpClient unix_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) throw std::runtime_error("socket path is too long");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return HttpClient(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  static HttpClient tcp(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return HttpClient(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  }
  HttpClient(HttpClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), input_(std::move(other.input_)) {}
  ~HttpClient() { close(); }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // No more from us; we still read.
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  // Goes on as far as the server takes it; false when it closed before all was sent.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void request(const std::string& method, const std::string& target, const std::string& body = "",
               const std::string& headers = "Host: localhost\r\n") {
    std::string text = method + " " + target + " HTTP/1.1\r\n" + headers;
    if (!body.empty())
      text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    send(text + "\r\n" + body);
  }

  // The status line and the headers; the body is still to come.
  Answer head() {
    Answer answer;
    const auto line = read_line();
    if (line.size() < 12 || line.compare(0, 5, "HTTP/") != 0)
      throw std::runtime_error("no status line: '" + line + "'");
    answer.status = std::stoi(line.substr(9, 3));
    for (auto text = read_line(); !text.empty(); text = read_line()) {
      const auto colon = text.find(':');
      auto name = text.substr(0, colon);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      answer.headers[name] = text.substr(text.find_first_not_of(' ', colon + 1));
    }
    return answer;
  }
  // A whole answer, as long as the server says.
  Answer answer(bool to_head = false) {
    auto answer = head();
    if (to_head || answer.status == 204 || answer.status == 100) return answer;
    if (answer.header("transfer-encoding") == "chunked") {
      for (auto piece = chunk(); !piece.empty(); piece = chunk()) answer.body += piece;
    } else if (const auto length = answer.header("content-length"); !length.empty()) {
      answer.body = read_bytes(std::stoul(length));
    } else {
      answer.body = read_rest();
    }
    return answer;
  }
  Answer get(const std::string& target) {
    request("GET", target);
    return answer();
  }
  Answer post(const std::string& target, const std::string& body = "") {
    request("POST", target, body.empty() ? "{}" : body);
    return answer();
  }

  // The next chunk of a streamed body; empty is the end.
  std::string chunk() {
    const auto size = std::stoul(read_line(), nullptr, 16);
    auto data = read_bytes(size);
    if (!read_line().empty()) throw std::runtime_error("a chunk does not end where it should");
    return data;
  }
  // Decoded chunks up to and with `until`; what came behind it is kept for the next call.
  std::string chunks_until(const std::string& until) {
    while (stream_.find(until) == std::string::npos) {
      const auto piece = chunk();
      if (piece.empty()) throw std::runtime_error("the stream ended before '" + until + "': " + stream_);
      stream_ += piece;
    }
    const auto end = stream_.find(until) + until.size();
    auto text = stream_.substr(0, end);
    stream_.erase(0, end);
    return text;
  }
  std::string read_line() {
    for (;;) {
      const auto end = input_.find("\r\n");
      if (end != std::string::npos) {
        auto line = input_.substr(0, end);
        input_.erase(0, end + 2);
        return line;
      }
      if (!fill())
        throw std::runtime_error("the server closed the connection in the middle of a line: '" + input_ +
                                 "'");
    }
  }
  std::string read_bytes(std::size_t count) {
    while (input_.size() < count)
      if (!fill()) throw std::runtime_error("the server closed the connection in the middle of a body");
    auto bytes = input_.substr(0, count);
    input_.erase(0, count);
    return bytes;
  }
  // Until the server closes.
  std::string read_rest() {
    while (fill()) {
    }
    return std::move(input_);
  }
  // True once the server has closed and everything was read.
  bool closed() { return input_.empty() && !fill(); }

  int fd() const { return fd_; }

private:
  HttpClient(int family, const sockaddr* address, socklen_t size)
      : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (::connect(fd_, address, size) != 0) {
      const int error = errno;
      close();
      throw std::runtime_error(std::string("cannot connect: ") + std::strerror(error));
    }
  }

  bool fill() {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, 20000) <= 0) throw std::runtime_error("the server did not answer within 20 s");
    char buffer[16384];
    const auto count = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (count <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int fd_ = -1;
  std::string input_, stream_;
};

}  // namespace stackd::test
