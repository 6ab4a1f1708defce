// The log of a hook's run, to its end.
#include <algorithm>

#include "daemon/async/task_group.hpp"
#include "daemon/logs/run_log.hpp"
#include "daemon/process/log_tail.hpp"
#include "daemon/stacks/manager.hpp"
#include "daemon/stacks/parts.hpp"
#include "daemon/util/error.hpp"

namespace stackd::stacks {
namespace {

constexpr std::size_t k_piece = 64 * 1024;

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

// Until `over` is set and all was handed on that was written then.
awaitable<void> follow(Parts& parts, std::filesystem::path log, std::uint64_t from,
                       std::shared_ptr<bool> over, std::shared_ptr<async::Signal> woken,
                       Manager::TextSink sink) {
  process::LogTail tail(parts.executor, parts.files, log, from);
  async::TaskGroup watching(parts.executor);
  auto copy = [&]() -> awaitable<void> {
    for (bool last = *over;;) {
      const auto piece = co_await tail.now();
      if (!piece.text.empty()) co_await sink(piece.place, piece.text);
      if (piece.more || piece.moved || !piece.text.empty()) continue;
      if (last) {
        co_await sink(piece.end(), piece.unfinished);
        co_return;
      }
      if (!*over) co_await woken->wait();
      last = *over;
    }
  };
  watching.spawn("changes of " + log.string(), [&tail, woken]() -> awaitable<void> {
    for (;;) {
      co_await tail.changed();
      woken->notify();
    }
  });
  auto copying = copy();
  co_await watching.during(std::move(copying));
}

}  // namespace

awaitable<void> Manager::hook_log(std::string id, std::uint64_t from, bool following, TextSink sink) {
  const auto run = co_await hook_run(id);
  if (run.log.empty())
    throw util::Error(util::ErrorKind::not_found,
                      "hook run '" + run.id + "' has no log" + (run.reason.empty() ? "" : ": " + run.reason));
  if (following && run.state == "running") {
    auto over = std::make_shared<bool>(false);
    auto woken = std::make_shared<async::Signal>(parts_.executor);
    async::TaskGroup watching(parts_.executor);
    watching.spawn("end of " + run.id, [this, run, over, woken]() -> awaitable<void> {
      co_await until_ended(*this, run);
      *over = true;
      woken->notify();
    });
    auto copying = follow(parts_, run.log, from, over, woken, sink);
    co_await watching.during(std::move(copying));
    co_return;
  }
  auto log = std::make_shared<process::LogFiles>(run.log);
  for (auto place = from;;) {
    auto read = [log, place](async::FileWorker&) { return log->read(place, k_piece); };
    const auto piece = co_await parts_.files.run(read);
    co_await sink(piece.place, piece.text + piece.unfinished);
    if (piece.text.empty()) co_return;
    place = piece.end();
  }
}

}  // namespace stackd::stacks
