#include "daemon/steps/common/endings.hpp"

#include <algorithm>

#include "daemon/logs/container_tail.hpp"
#include "daemon/process/log_files.hpp"
#include "daemon/util/text.hpp"

namespace stackd::steps {
namespace {

using util::Error;
using util::ErrorKind;

constexpr std::size_t k_log_tail = 2048;  // L3.7
constexpr std::size_t k_log_lines = 20;   // L4.4

// The end of the log of this run, its marker left out.
awaitable<std::string> last_process_lines(Tools& tools, store::ProcessRow row) {
  auto read = [row](async::FileWorker&) { return process::log_tail(row.log, k_log_tail); };
  auto text = co_await tools.files.run(read);
  if (const auto marker = text.rfind("=== stackd "); marker != std::string::npos) {
    const auto end = text.find('\n', marker);
    text = end == std::string::npos ? "" : text.substr(end + 1);
  }
  co_return util::join(util::tail_lines(text, k_log_lines), "\n");
}

// From the end of its last container until an engine that is told to end is gone.
constexpr std::chrono::seconds k_engine_goes{2};

// An engine that is told to end sends its containers a signal, and answers until the last of them has ended.
bool others_end(const world::Monitor& monitor) {
  const auto& all = monitor.all();
  return std::any_of(all.begin(), all.end(),
                     [](const auto& each) { return each.second.killed && !each.second.dead(); });
}

// Of one that was ended by a signal through the engine: waits whether the engine goes, too. Throws
// Error(no_engine) when it does: then this end is its own, and the container is started again when it is
// back.
awaitable<void> unless_engine_goes(Tools& tools, std::string id) {
  const auto state = tools.monitor.find(id);
  if (!state || !state->dead() || !state->killed) co_return;
  auto until = state->died_at + k_engine_goes;
  for (;;) {
    if (tools.monitor.went_away())
      throw Error(ErrorKind::no_engine, "the engine at " + tools.engine.host() + " went away");
    const auto now = std::chrono::steady_clock::now();
    if (others_end(tools.monitor)) until = now + k_engine_goes;
    if (now >= until || now > state->died_at + world::k_engine_end) co_return;
    co_await tools.monitor.changed().wait_for(std::chrono::ceil<std::chrono::milliseconds>(until - now));
  }
}

}  // namespace

// The engine says so itself: of one that its restart policy starts again it tells the same end first.
awaitable<bool> ended_for_good(Tools& tools, std::string id) {
  const auto details = co_await tools.engine.inspect_container(id);
  if (details && (details->running || details->restarting)) co_return false;
  if (details) co_await unless_engine_goes(tools, id);
  co_return true;
}

awaitable<std::string> container_death(Tools& tools, std::string id, std::string what) {
  for (;;) {
    const auto state = tools.monitor.find(id);
    const bool over = state && state->dead() && co_await ended_for_good(tools, id);
    if (over) {
      const auto lines = co_await logs::last_container_lines(tools.engine, id);
      co_return what + " exited (" + std::to_string(state->exit_code.value_or(0)) + ")" +
          (lines.empty() ? "" : ": " + lines);
    }
    co_await tools.monitor.changed().wait();
  }
}

std::string exit_words(const process::RunExit& exit) {
  switch (exit.cause) {
    case process::Cause::not_started:
      return "could not be started: " + exit.error;
    case process::Cause::signalled:
      return "was ended by signal " + std::to_string(exit.signal);
    case process::Cause::ended:
      return "was ended";
    case process::Cause::timed_out:
      return "was out of time and was ended";
    case process::Cause::lost:
      return "is gone without a word";
    default:
      return "exited with status " + std::to_string(exit.code);
  }
}

awaitable<Error> process_failure(Tools& tools, const model::Service& service, store::ProcessRow row,
                                 std::string words) {
  auto lines = co_await last_process_lines(tools, row);
  if (words.ends_with(lines)) lines.clear();  // what it said is why
  co_return Error(ErrorKind::failed,
                  "service '" + service.name + "' " + words + (lines.empty() ? "" : ": " + lines),
                  {"log: " + row.log});
}

}  // namespace stackd::steps
