#include "daemon/probes/ready.hpp"

#include <algorithm>
#include <list>
#include <memory>

#include "daemon/async/task_group.hpp"
#include "daemon/probes/output.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/text.hpp"

namespace stackd::probes {
namespace {

using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;

constexpr milliseconds k_first_pause{15};
constexpr milliseconds k_capture_patience{5000};  // after the probe has passed

// What the watchers tell the waiter.
struct Watch {
  explicit Watch(const asio::any_io_executor& executor)
      : changed(executor), progress(std::chrono::steady_clock::now()) {}
  async::Signal changed;
  bool passed = false;
  std::optional<Error> failed;
  std::string last_failure;  // of a probe that may still pass
  std::chrono::steady_clock::time_point progress;
  std::list<Capture> captures;
};
using WatchPtr = std::shared_ptr<Watch>;

milliseconds next_pause(milliseconds pause, milliseconds most) {
  return std::min(pause * 2, most);
}

// Repeats an attempt, quickly at first: most things are ready soon or much later.
awaitable<void> repeat(WatchPtr watch, milliseconds most, std::function<awaitable<void>()> attempt,
                       std::function<void(int, const std::string&)> on_try) {
  int tries = 0;
  for (auto pause = k_first_pause;; pause = next_pause(pause, most)) {
    std::exception_ptr error;
    try {
      co_await attempt();
      watch->passed = true;
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::unsupported) watch->failed = e;
      watch->last_failure = e.what();
    } catch (const boost::system::system_error& e) {
      if (e.code() == asio::error::operation_aborted) throw;
      watch->last_failure = e.what();
    }
    if (watch->passed || watch->failed) {
      watch->changed.notify();
      co_return;
    }
    if (on_try) on_try(++tries, watch->last_failure);
    co_await async::sleep_for(pause);
  }
}

void on_output(Watch& watch, const ReadyWait& wait, const LinePattern* fail, std::string_view lines) {
  watch.progress = std::chrono::steady_clock::now();
  for (auto& capture : watch.captures) capture.look_at(lines);
  if (fail && !watch.failed)
    if (const auto line = fail->find(lines))
      watch.failed = Error(ErrorKind::failed, "its log says it failed (fail_when): " + *line);
  if (wait.probe && wait.probe->in_lines && !watch.passed && wait.probe->in_lines(lines)) watch.passed = true;
  watch.changed.notify();
}

awaitable<void> wait_for_verdict(WatchPtr watch, milliseconds timeout, bool extend) {
  const auto begin = std::chrono::steady_clock::now();
  while (!watch->passed && !watch->failed) {
    const auto from = extend ? watch->progress : begin;
    const auto left = std::chrono::ceil<milliseconds>(from + timeout - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      throw Error(ErrorKind::timed_out, "it was not ready within " + util::format_duration(timeout) +
                                            (watch->last_failure.empty() ? "" : ": " + watch->last_failure));
    co_await watch->changed.wait_for(left);
  }
  if (watch->failed && !watch->passed) throw *watch->failed;
}

awaitable<Captured> wait_for_captures(WatchPtr watch, milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto missing = std::find_if(watch->captures.begin(), watch->captures.end(),
                                      [](const auto& capture) { return !capture.value; });
    if (missing == watch->captures.end()) break;
    if (watch->failed) throw *watch->failed;
    const auto left = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
    const bool more = left.count() > 0 && co_await watch->changed.wait_for(left);
    if (!more)
      throw Error(ErrorKind::failed, "its output had nothing for capture '" + missing->key + "' (" +
                                         missing->pattern + ") within " + util::format_duration(patience));
  }
  Captured values;
  for (const auto& capture : watch->captures) values[capture.key] = *capture.value;
  co_return values;
}

awaitable<Captured> wait_for_both(WatchPtr watch, ReadyWait wait, bool judged) {
  if (judged) co_await wait_for_verdict(watch, wait.timeout, wait.extend_on_progress);
  // A probe may answer before the line that it has to do with was written, or read.
  const auto patience = judged ? std::min(wait.timeout, k_capture_patience) : wait.timeout;
  co_return co_await wait_for_captures(watch, patience);
}

}  // namespace

awaitable<Captured> wait_ready(ReadyWait wait) {
  auto executor = co_await asio::this_coro::executor;
  auto watch = std::make_shared<Watch>(executor);
  const auto fail = wait.fail_match.empty() ? nullptr : std::make_shared<LinePattern>(wait.fail_match);

  for (const auto& [key, pattern] : wait.capture) watch->captures.emplace_back(key, pattern);
  async::TaskGroup group(executor);
  if (wait.output)
    group.spawn("log of " + wait.what, [watch, wait, fail] {
      return wait.output(
          [watch, wait, fail](std::string_view lines) { on_output(*watch, wait, fail.get(), lines); });
    });
  if (wait.died)
    group.spawn("exit of " + wait.what, [watch, died = wait.died]() -> awaitable<void> {
      const auto words = co_await died();
      if (!watch->failed) watch->failed = Error(ErrorKind::failed, words);
      watch->changed.notify();
    });
  if (wait.probe && wait.probe->attempt)
    group.spawn("probe of " + wait.what, [watch, probe = *wait.probe, on_try = wait.on_try] {
      return repeat(watch, probe.pause, probe.attempt, on_try);
    });
  auto waiting = wait_for_both(watch, wait, wait.probe.has_value());
  co_return co_await group.during(std::move(waiting));
}

}  // namespace stackd::probes
