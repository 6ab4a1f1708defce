// FakeDaemon: a server on a Unix socket that answers as a test says, for the client alone. A thread a
// connection; requests are kept for the test to look at. stop() closes the socket and every connection, as a
// daemon that is killed does.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace stackd::test {

struct Asked {
  std::string method, target, body, last_event_id, key;
};

class FakeDaemon {
public:
  // What a handler writes with: whole answers, or the start of a stream and its parts.
  class Reply {
  public:
    explicit Reply(int fd) : fd_(fd) {}
    void json(const nlohmann::json& document, int status = 200) {
      raw(status, "application/json", document.dump());
    }
    void raw(int status, const std::string& type, const std::string& body) {
      send("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + type +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    void problem(int status, const std::string& code, const std::string& detail,
                 nlohmann::json more = nlohmann::json::object()) {
      more.update({{"type", "about:blank"}, {"status", status}, {"code", code}, {"detail", detail}});
      raw(status, "application/problem+json", more.dump());
    }
    void begin_stream(const std::string& type) {
      send("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    void part(const std::string& bytes) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
      send(size + bytes + "\r\n");
    }
    void end_stream() { send("0\r\n\r\n"); }
    void event(int sequence, const std::string& operation, const std::string& kind, nlohmann::json data) {
      nlohmann::json event{{"at", "2026-01-02T03:04:05.000Z"},
                           {"stack", "demo-1"},
                           {"operation", operation},
                           {"kind", kind},
                           {"data", std::move(data)}};
      if (sequence > 0) event["sequence"] = sequence;
      part((sequence > 0 ? "id: " + std::to_string(sequence) + "\n" : "") + "event: " + kind +
           "\ndata: " + event.dump() + "\n\n");
    }
    void nonsense() { send("SMTP here\r\n\r\n"); }
    // Cuts the connection, as it looks when the daemon dies.
    void cut() { ::shutdown(fd_, SHUT_RDWR); }

  private:
    void send(std::string_view bytes) {
      while (!bytes.empty()) {
        ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
    }
    int fd_;
  };
  using Handler = std::function<void(const Asked&, Reply&)>;

  FakeDaemon(std::string socket, Handler handler) : socket_(std::move(socket)), handler_(std::move(handler)) {
    start();
  }
  ~FakeDaemon() {
    stop();
    for (auto& thread : threads_) thread.join();
  }

  const std::string& socket() const { return socket_; }
  void start() {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
    ::unlink(socket_.c_str());
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
        ::listen(listener_, 16) < 0)
      throw std::runtime_error("cannot listen on " + socket_);
    acceptor_ = std::thread([this, listener = listener_] {
      for (int fd; (fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
        std::lock_guard lock(mutex_);
        open_.insert(fd);
        threads_.emplace_back([this, fd] { serve(fd); });
      }
    });
  }
  void stop() {
    if (!acceptor_.joinable()) return;
    ::unlink(socket_.c_str());
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    std::lock_guard lock(mutex_);
    for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }

  std::vector<Asked> asked() {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  // Waits until a request was made whose target contains `part`; false after 20 s.
  bool wait_for(const std::string& part) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      for (const auto& request : asked_)
        if (request.target.find(part) != std::string::npos) return true;
      return false;
    });
  }

private:
  void serve(int fd) {
    std::string buffer;
    Asked request;
    while (read_request(fd, buffer, request)) {
      {
        std::lock_guard lock(mutex_);
        asked_.push_back(request);
        changed_.notify_all();
      }
      Reply reply(fd);
      handler_(request, reply);
    }
    std::lock_guard lock(mutex_);
    open_.erase(fd);
    ::close(fd);
  }

  static bool receive(int fd, std::string& buffer) {
    char bytes[4096];
    ssize_t got = ::recv(fd, bytes, sizeof bytes, 0);
    if (got > 0) buffer.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }

  static std::string header(const std::string& head, const std::string& name) {
    std::size_t start = head.find("\r\n" + name + ": ");
    if (start == std::string::npos) return "";
    start += name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
  }

  static bool read_request(int fd, std::string& buffer, Asked& request) {
    std::size_t end;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
      if (!receive(fd, buffer)) return false;
    std::string head = buffer.substr(0, end + 2);
    buffer.erase(0, end + 4);
    std::string length = header(head, "Content-Length");
    std::size_t size = length.empty() ? 0 : std::stoul(length);
    while (buffer.size() < size)
      if (!receive(fd, buffer)) return false;
    std::size_t first = head.find(' '), second = head.find(' ', first + 1);
    request = {head.substr(0, first), head.substr(first + 1, second - first - 1), buffer.substr(0, size),
               header(head, "Last-Event-ID"), header(head, "Idempotency-Key")};
    buffer.erase(0, size);
    return true;
  }

  std::string socket_;
  Handler handler_;
  int listener_ = -1;
  std::thread acceptor_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::thread> threads_;
  std::set<int> open_;
  std::vector<Asked> asked_;
};

}  // namespace stackd::test
