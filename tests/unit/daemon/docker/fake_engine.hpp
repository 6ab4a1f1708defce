// FakeEngine: a server on a Unix socket whose answers a test writes byte by byte. A thread for each
// connection; it answers /_ping and /version itself, so that a test sees only the requests it makes.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/util/fd.hpp"
#include "tests/support/temp_dir.hpp"

namespace stackd::test {

inline std::string http_answer(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + headers + "\r\n" + body;
}

class FakeEngine {
public:
  // One connection of the server's, for the handler.
  class Peer {
  public:
    explicit Peer(int fd) : fd_(fd) {}
    // False when the other side went away.
    bool send(std::string_view bytes) {
      while (!bytes.empty()) {
        const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
      return true;
    }
    // Until the other side closes: whatever it still says.
    std::string read_to_end() {
      std::string rest = std::move(buffer_);
      char bytes[4096];
      for (ssize_t count; (count = ::recv(fd_, bytes, sizeof bytes, 0)) > 0;) rest.append(bytes, count);
      return rest;
    }
    // What has come and was not read yet, or comes next.
    std::string read_some() {
      if (!buffer_.empty()) return std::exchange(buffer_, "");
      char bytes[4096];
      const auto count = ::recv(fd_, bytes, sizeof bytes, 0);
      return std::string(bytes, count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    // Head and, with a Content-Length, body of the next request; empty when the other side went away.
    std::string read_request() {
      for (;;) {
        const auto end = buffer_.find("\r\n\r\n");
        if (end != std::string::npos) {
          const auto length = buffer_.find("Content-Length: ");
          const auto size = end + 4 + (length < end ? std::stoul(buffer_.substr(length + 16)) : 0);
          if (buffer_.size() >= size) {
            auto request = buffer_.substr(0, size);
            buffer_.erase(0, size);
            return request;
          }
        }
        char bytes[4096];
        const auto count = ::recv(fd_, bytes, sizeof bytes, 0);
        if (count <= 0) return "";
        buffer_.append(bytes, static_cast<std::size_t>(count));
      }
    }

  private:
    int fd_;
    std::string buffer_;
  };

  // Called for each request with its bytes and the number of its connection; false closes the connection.
  using Handler = std::function<bool(Peer& peer, const std::string& request, int connection)>;

  explicit FakeEngine(Handler handler, std::string api = "1.45")
      : handler_(std::move(handler)), api_(std::move(api)), path_((dir_.path() / "engine.sock").string()) {
    listener_ = util::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 2) != 0)
      throw std::runtime_error("cannot listen on " + path_);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~FakeEngine() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }

  std::string host() const { return "unix://" + path_; }
  const std::string& path() const { return path_; }
  int connections() const { return connections_; }  // so far
  int negotiations() const { return negotiations_; }
  int open_connections() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(open_.size());
  }
  void set_api(std::string api) {
    const std::lock_guard lock(mutex_);
    api_ = std::move(api);
  }

private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int number = ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number] { serve(fd, number); });
    }
  }
  void serve(int fd, int number) {
    Peer peer(fd);
    for (auto request = peer.read_request(); !request.empty(); request = peer.read_request())
      if (!answer(peer, request, number)) break;
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }
  bool answer(Peer& peer, const std::string& request, int number) {
    std::string api;
    {
      const std::lock_guard lock(mutex_);
      api = api_;
    }
    if (request.starts_with("GET /_ping ")) {
      ++negotiations_;
      return peer.send(http_answer(200, "OK", "Api-Version: " + api + "\r\n"));
    }
    if (request.starts_with("GET /version "))
      return peer.send(http_answer(200, R"({"Version":"9.9","Os":"linux","Arch":"amd64","ApiVersion":")" +
                                            api + R"(","Components":[{"Name":"Podman Engine"}]})"));
    return handler_(peer, request, number);
  }

  TempDir dir_;
  Handler handler_;
  std::string api_;
  std::string path_;
  util::Fd listener_;
  std::atomic<int> connections_ = 0, negotiations_ = 0;
  mutable std::mutex mutex_;  // guards what follows, and api_
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace stackd::test
