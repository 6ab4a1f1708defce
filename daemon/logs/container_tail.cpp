#include "daemon/logs/container_tail.hpp"

#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::logs {

awaitable<std::string> last_container_lines(docker::Engine& engine, std::string id) {
  std::string text;
  try {
    docker::LogOptions options;
    options.tail = "300";
    constexpr std::size_t k_kept = 64 << 10;
    auto sink = [&text](docker::Stream, std::string_view piece) -> awaitable<void> {
      text += piece;
      if (text.size() > 2 * k_kept) text.erase(0, text.size() - k_kept);
      co_return;
    };
    co_await engine.logs(id, false, options, sink);
  } catch (const util::Error&) {
  }
  co_return util::join(util::telling_lines(text), "\n");
}

}  // namespace stackd::logs
