// The request as the shim holds it: views and pointers into the mapped file (protocol.hpp), so that even a
// large environment costs no memory of the shim's own once the command has started and the mapping is given
// back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/process/shim/system.hpp"

namespace stackd::shim {

class Request {
public:
  // Reads the fields of `fd`; false when it is no request.
  bool read(int fd);
  // After this nothing of argv, env, body and the like may be touched; the plain strings and numbers stay.
  void forget_large_parts();

  std::string directory, log, out, cwd, container, api, tag;
  std::vector<std::string> engines, secrets;
  std::size_t limit = 0, out_limit = 0;
  int kept = 0, umask = 022;
  bool append = false, leave = false, truncate = false, tty = false;
  std::optional<Millis> timeout;
  Millis grace = 0;
  bool is_exec() const { return !engines.empty(); }

  std::string_view readable, header, exec_body;
  std::vector<char*> argv, env;  // each ends with a null pointer

private:
  void take_field(char* text);
  char* mapping_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace stackd::shim
