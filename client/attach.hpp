// A command in a container, over an upgraded connection: this terminal, or these pipes, are its.
#pragma once

#include <string>

#include "client/api.hpp"

namespace stackd::client {

struct AttachOptions {
  bool tty = false;    // raw mode, the window's size, Ctrl-P Ctrl-Q lets go
  bool input = false;  // standard input is read
};

// Until the command has ended; its exit status, or 0 when it was let go of. Throws ApiError for what the
// daemon could not do, ClientError when it was lost, which ends the command in its container as well.
int attach(Api::Stream stream, const AttachOptions& options);

// Keys as they are typed, but for Ctrl-P Ctrl-Q, which says to let go. Pure.
class DetachKeys {
public:
  // What is to be sent on of `typed`; nothing after the keys.
  std::string pass(std::string_view typed);
  bool seen() const { return seen_; }

private:
  bool held_ = false, seen_ = false;
};

}  // namespace stackd::client
