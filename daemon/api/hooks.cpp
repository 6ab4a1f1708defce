#include <algorithm>

#include "daemon/api/answers.hpp"
#include "daemon/api/handler.hpp"
#include "daemon/api/query.hpp"
#include "daemon/http/alongside.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/files.hpp"

namespace stackd::api {
namespace {

constexpr int k_runs_listed = 200;
constexpr std::size_t k_largest_log = 4 << 20;  // logs are capped at 1 MB where they are written

// Until the run is over. Its end may have been written before we look, so its operation's events are read
// from the first.
awaitable<void> until_ended(Manager& manager, proto::HookRun run) {
  struct Ended {};
  const Manager::EventSink sink = [id = run.id](proto::Event event) -> awaitable<void> {
    if (event.kind == "hook.ended" && event.data.value("run", "") == id) throw Ended{};
    co_return;
  };
  try {
    co_await manager.events(0, run.stack, run.operation, sink);
  } catch (const Ended&) {
  }
}

// `line` outlives a cancellation, so that what was taken and not yet written is not lost.
awaitable<void> copy_lines(process::LogTail& tail, std::optional<std::string>& line,
                           http::ResponseWriter& writer) {
  for (;;) {
    line = co_await tail.next_line();
    co_await writer.write(*line + "\n");
    line.reset();
  }
}

awaitable<void> follow(Manager& manager, proto::HookRun run, std::uint64_t from,
                       http::ResponseWriter& writer) {
  process::LogTail tail(co_await asio::this_coro::executor, run.log, from);
  writer.start("text/plain; charset=utf-8");
  std::optional<std::string> line;
  auto copying = copy_lines(tail, line, writer);
  auto ending = until_ended(manager, run);
  co_await http::alongside(std::move(copying), std::move(ending));
  if (!line) line = tail.try_line();
  for (; line; line = tail.try_line()) co_await writer.write(*line + "\n");
  co_await writer.write(tail.rest());
}

}  // namespace

Answer list_hooks(Manager& manager, http::Request request) {
  const Query query(request, {"operation", "limit"});
  const auto limit = static_cast<int>(query.integer("limit", k_runs_listed, 1, k_most_listed));
  const auto wanted = query.text("operation");
  auto runs = co_await manager.hooks(request.path_value("id"), limit);
  if (!wanted.empty())
    std::erase_if(runs, [&](const proto::HookRun& run) { return run.operation != wanted; });
  co_return json_answer({{"hooks", runs}});
}

awaitable<void> hook_log(Manager& manager, http::Request request, http::ResponseWriter& writer) {
  const Query query(request, {"follow", "from"});
  const bool following = query.flag("follow");
  const auto from = static_cast<std::uint64_t>(query.integer("from", 0, 0, 1'000'000'000'000));
  const auto run = co_await manager.hook_run(request.path_value("run"));
  if (run.log.empty())
    throw util::Error(util::ErrorKind::not_found,
                      "hook run '" + run.id + "' has no log" + (run.reason.empty() ? "" : ": " + run.reason));
  if (following && run.state == "running") {
    co_await follow(manager, run, from, writer);
    co_return;
  }
  const auto text = util::read_tail(run.log, k_largest_log);
  writer.start("text/plain; charset=utf-8");
  co_await writer.write(text.substr(std::min<std::uint64_t>(from, text.size())));
}

}  // namespace stackd::api
