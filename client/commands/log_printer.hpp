// Lines of services' logs on a terminal or a pipe, and a log that is followed beside something else.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/context.hpp"

namespace stackd::client {

struct LogLook {
  bool timestamps = false, prefix = true, colour = true;
  bool raw = false;  // control sequences reach the terminal
};

class LogPrinter {
public:
  LogPrinter(const Context& context, const proto::Stack& stack, const LogLook& look);

  void widen(int width) { widest_ = std::max(widest_, width); }
  void print(const proto::LogLine& line);

private:
  const Context& context_;
  LogLook look_;
  int widest_ = 0;
  std::map<std::string, bool> scaled_;
  std::map<std::string, const char*> colours_;
};

// A followed log that is read when somebody has looked that there is something to read. A daemon that is lost
// is looked for again at the next read, and the log goes on behind what was seen.
class FollowedLog {
public:
  FollowedLog(Context& context, const proto::Stack& stack, proto::LogsRequest request, const LogLook& look);

  // To be polled; -1 while there is no connection.
  int fd() const { return stream_ ? stream_->connection.fd() : -1; }
  // Prints what has come; false when nothing has. Does not wait.
  bool read();

private:
  void take(const std::string& text);

  Context& context_;
  std::string stack_;
  proto::LogsRequest request_;
  LogPrinter printer_;
  std::optional<Api::Stream> stream_;
  std::string buffer_;
  std::map<std::string, std::string> seen_;  // the cursor of each one's last line
  bool lost_ = false, ended_ = false;
};

}  // namespace stackd::client
