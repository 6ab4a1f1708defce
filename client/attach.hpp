// A command in a container, over an upgraded connection: this terminal, or these pipes, are its.
#pragma once

#include <functional>
#include <string>

#include "client/api.hpp"

namespace stackd::client {

inline constexpr const char* k_detach_keys = "\x10\x11";  // Ctrl-P Ctrl-Q

struct AttachOptions {
  bool tty = false;                         // raw mode, the window's size, the detach keys let go
  bool input = false;                       // standard input is read
  bool signals = false;                     // without a terminal those that come here are passed on
  std::string detach_keys = k_detach_keys;  // as they are typed; empty: none
  // An operation that has to end first, shown meanwhile.
  std::function<void(const proto::Operation&)> on_preparing = nullptr;
};

// Until the command has ended, or was let go of, and how. Throws ApiError for what the daemon could not do,
// ClientError when it was lost, which ends the command in its container as well.
proto::ExecResult attach(Api::Stream stream, const AttachOptions& options);
// Its exit status; 0 when it runs on.
inline int exit_status(const proto::ExecResult& result) {
  return result.exit_code.value_or(0);
}

// "ctrl-p,ctrl-q" or "ctrl-@,x" as they are typed. Throws ClientError(2) for what are no keys.
std::string keys_of(const std::string& text);

// Keys as they are typed, but for those that say to let go. Pure.
class DetachKeys {
public:
  explicit DetachKeys(std::string keys = k_detach_keys) : keys_(std::move(keys)) {}
  // What is to be sent on of `typed`; nothing after the keys.
  std::string pass(std::string_view typed);
  bool seen() const { return seen_; }

private:
  std::string keys_;
  std::size_t held_ = 0;  // how many of them were typed
  bool seen_ = false;
};

}  // namespace stackd::client
