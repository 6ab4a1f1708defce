#include "client/attach.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "client/error.hpp"
#include "client/terminal.hpp"
#include "proto/frames.hpp"

namespace stackd::client {
namespace {

using proto::Frame;

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
        signals_(signals_for(options)),
        keys_(options.detach_keys) {}

  proto::ExecResult run() {
    reader_.feed(connection_.take_received());
    for (;;) {
      while (const auto frame = next())
        if (auto result = on_frame(*frame)) return std::move(*result);
      if (auto result = wait()) return std::move(*result);
    }
  }

private:
  static std::vector<int> signals_for(const AttachOptions& options) {
    if (options.tty) return {SIGWINCH, SIGTERM, SIGHUP, SIGINT};
    if (options.signals) return {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
    return {};
  }

  static proto::ExecResult left_with(int code) {
    proto::ExecResult result;
    result.exit_code = code;
    return result;
  }

  // How it ended, when it is over.
  std::optional<proto::ExecResult> wait() {
    const bool wants_input = options_.input && !input_ended_ && outgoing_.size() < k_waiting;
    pollfd fds[3] = {
        {connection_.fd(), static_cast<short>(POLLIN | (outgoing_.empty() ? 0 : POLLOUT)), 0},
        {signals_.fd(), POLLIN, 0},
        {wants_input ? 0 : -1, POLLIN, 0},
    };
    if (::poll(fds, 3, -1) < 0 && errno != EINTR) lost(std::strerror(errno));
    if (fds[1].revents)
      for (const int number : signals_.take()) {
        if (number == SIGWINCH)
          send(Frame::resize, nlohmann::json(window_size()).dump());
        else if (options_.signals && !options_.tty)
          send(Frame::signal, ::sigabbrev_np(number));
        else
          return left_with(k_signalled + number);
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

  std::optional<proto::ExecResult> on_frame(const proto::FrameReader::Read& frame) {
    switch (frame.kind) {
      case Frame::preparing:
        if (options_.on_preparing)
          options_.on_preparing(nlohmann::json::parse(frame.data).get<proto::Operation>());
        return std::nullopt;
      case Frame::started:
        if (options_.tty) raw_.emplace();
        return std::nullopt;
      case Frame::output:
      case Frame::errors:
        // Nobody reads it any more: as a command of this host would, it ends.
        if (!write_out(frame.kind == Frame::output ? 1 : 2, frame.data))
          return left_with(k_signalled + SIGPIPE);
        return std::nullopt;
      case Frame::ended:
        raw_.reset();
        return nlohmann::json::parse(frame.data).get<proto::ExecResult>();
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
    // Those that were held back are keys like any other; this one may be the first of them again.
    if (held_ > 0 && key != keys_[held_]) passed += keys_.substr(0, std::exchange(held_, 0));
    if (held_ < keys_.size() && key == keys_[held_])
      seen_ = ++held_ == keys_.size();
    else
      passed += key;
  }
  return passed;
}

std::string keys_of(const std::string& text) {
  std::string keys;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string key = text.substr(start, end - start);
    constexpr std::string_view k_ctrl = "ctrl-";
    const char last = key.empty() ? '\0' : key.back();
    const bool control = key.size() == k_ctrl.size() + 1 && key.starts_with(k_ctrl);
    if (control && ((last >= 'a' && last <= 'z') || (last >= '@' && last <= '_')))
      keys += static_cast<char>(last & 0x1f);
    else if (key.size() == 1)
      keys += last;
    else
      throw ClientError(proto::k_bad_usage, "cannot use --detach-keys " + text + ": '" + key +
                                                "' is no key; expected some as in ctrl-p,ctrl-q");
    start = end + 1;
  }
  return keys;
}

proto::ExecResult attach(Api::Stream stream, const AttachOptions& options) {
  return Attachment(std::move(stream.connection), options).run();
}

}  // namespace stackd::client
