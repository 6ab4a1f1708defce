#include "client/attach.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "client/error.hpp"
#include "client/terminal.hpp"
#include "proto/frames.hpp"

namespace stackd::client {
namespace {

using proto::Frame;

constexpr char k_ctrl_p = 0x10, k_ctrl_q = 0x11;
constexpr std::size_t k_piece = 32 * 1024;
constexpr std::size_t k_waiting = 128 * 1024;  // to be sent: no more is read before some of it has gone
constexpr int k_signalled = 128;

// Standard output may be somebody's pipe that does not block.
bool write_out(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd wait{fd, POLLOUT, 0};
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

[[noreturn]] void lost(const std::string& why) {
  throw ClientError(proto::k_operation_failed,
                    "lost the daemon (" + why + "); it ends the command in its container");
}

class Attachment {
public:
  Attachment(Connection connection, const AttachOptions& options)
      : connection_(std::move(connection)),
        options_(options),
        signals_(options.tty ? std::vector<int>{SIGWINCH, SIGTERM, SIGHUP, SIGINT} : std::vector<int>{}) {
    if (options_.tty) raw_.emplace();
  }

  int run() {
    reader_.feed(connection_.take_received());
    for (;;) {
      while (const auto frame = next())
        if (const auto code = on_frame(*frame)) return *code;
      if (const auto code = wait()) return *code;
    }
  }

private:
  // The exit status when it is over.
  std::optional<int> wait() {
    const bool wants_input = options_.input && !input_ended_ && outgoing_.size() < k_waiting;
    pollfd fds[3] = {
        {connection_.fd(), static_cast<short>(POLLIN | (outgoing_.empty() ? 0 : POLLOUT)), 0},
        {signals_.fd(), POLLIN, 0},
        {wants_input ? 0 : -1, POLLIN, 0},
    };
    if (::poll(fds, 3, -1) < 0 && errno != EINTR) lost(std::strerror(errno));
    if (fds[1].revents)
      for (const int number : signals_.take()) {
        if (number != SIGWINCH) return k_signalled + number;
        send(Frame::resize, nlohmann::json(window_size()).dump());
      }
    if (fds[2].revents) read_input();
    if (!outgoing_.empty()) flush();
    if (fds[0].revents & ~POLLOUT) receive();
    return std::nullopt;
  }

  std::optional<proto::FrameReader::Read> next() {
    try {
      return reader_.next();
    } catch (const std::runtime_error& error) {
      lost(error.what());
    }
  }

  std::optional<int> on_frame(const proto::FrameReader::Read& frame) {
    switch (frame.kind) {
      case Frame::output:
      case Frame::errors:
        // Nobody reads it any more: as a command of this host would, it ends.
        if (!write_out(frame.kind == Frame::output ? 1 : 2, frame.data)) return k_signalled + SIGPIPE;
        return std::nullopt;
      case Frame::ended:
        return nlohmann::json::parse(frame.data).get<proto::ExecResult>().exit_code.value_or(0);
      case Frame::failed:
        raw_.reset();
        throw ApiError(nlohmann::json::parse(frame.data).get<proto::Problem>());
      default:
        return std::nullopt;
    }
  }

  void send(Frame kind, std::string_view data) { outgoing_ += proto::frame(kind, data); }

  void read_input() {
    char bytes[k_piece];
    const ssize_t got = ::read(0, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got <= 0) {
      input_ended_ = true;
      send(Frame::input, "");
      return;
    }
    std::string_view typed(bytes, static_cast<std::size_t>(got));
    const std::string passed = options_.tty ? keys_.pass(typed) : std::string(typed);
    if (!passed.empty()) send(Frame::input, passed);
    if (!keys_.seen()) return;
    input_ended_ = true;
    send(Frame::detach, "");
  }

  void flush() {
    const ssize_t sent = ::send(connection_.fd(), outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL);
    if (sent > 0) outgoing_.erase(0, static_cast<std::size_t>(sent));
    // A daemon that has gone, or is done with us: what it said last is still to be read.
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      outgoing_.clear();
      input_ended_ = true;
    }
  }

  void receive() {
    char bytes[k_piece];
    const ssize_t got = ::recv(connection_.fd(), bytes, sizeof bytes, 0);
    if (got > 0)
      reader_.feed({bytes, static_cast<std::size_t>(got)});
    else if (got == 0)
      lost("it closed the connection");
    else if (errno != EAGAIN && errno != EINTR)
      lost(std::strerror(errno));
  }

  Connection connection_;
  AttachOptions options_;
  Signals signals_;
  std::optional<RawMode> raw_;
  proto::FrameReader reader_;
  std::string outgoing_;
  DetachKeys keys_;
  bool input_ended_ = false;
};

}  // namespace

std::string DetachKeys::pass(std::string_view typed) {
  std::string passed;
  for (const char key : typed) {
    if (seen_) break;
    if (held_ && key == k_ctrl_q) {
      seen_ = true;
      break;
    }
    if (held_) passed += k_ctrl_p;
    held_ = key == k_ctrl_p;
    if (!held_) passed += key;
  }
  return passed;
}

int attach(Api::Stream stream, const AttachOptions& options) {
  return Attachment(std::move(stream.connection), options).run();
}

}  // namespace stackd::client
