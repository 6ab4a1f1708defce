#include "daemon/logs/container_tail.hpp"

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::logs {

awaitable<std::string> last_container_lines(docker::Engine& engine, std::string id) {
  std::string text;
  try {
    docker::LogOptions options;
    options.tail = "10";
    auto sink = [&text](docker::Stream, std::string_view piece) { text += piece; };
    co_await engine.logs(id, false, options, sink);
  } catch (const util::Error&) {
  }
  co_return util::join(util::tail_lines(text), "\n");
}

}  // namespace stackd::logs
