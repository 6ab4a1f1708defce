// EngineHttp: the few requests that an exec needs, in plain HTTP/1.1 over a Unix or TCP socket. Blocks,
// within limits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/process/shim/system.hpp"
#include "daemon/util/fd.hpp"

namespace stackd::shim {

struct Reply {
  int status = 0;  // 0: no answer, `error` says why
  std::string body;
  std::string error;  // the engine's own message for a refusal
  bool ok() const { return status >= 200 && status < 300; }
};

// A connection that has become the exec's output.
struct Hijacked {
  Reply reply;  // 101 or 200 when it is one
  util::Fd socket;
  std::string first;  // output that came with the answer
  bool ok() const { return static_cast<bool>(socket); }
};

class EngineHttp {
public:
  // `engines` as in the request: "unix:/path" or "tcp:<address> <port>".
  EngineHttp(std::vector<std::string> engines, std::string api);
  // One connection each; every wait in it takes `limit` at most.
  Reply call(std::string_view method, const std::string& path, std::string_view body, Millis limit) const;
  Hijacked hijack(const std::string& path, std::string_view body, Millis limit) const;

private:
  util::Fd connect(Millis limit, std::string& error) const;
  util::Fd ask(std::string_view method, const std::string& path, std::string_view body, Millis limit,
               std::string_view connection, Reply& reply, std::string& head, std::string& rest) const;
  std::vector<std::string> engines_;
  std::string api_;
};

}  // namespace stackd::shim
