#include "daemon/probes/healthcheck.hpp"

#include <algorithm>

#include "daemon/async/deadline.hpp"
#include "daemon/async/shielded.hpp"
#include "daemon/util/error.hpp"
#include "daemon/util/ids.hpp"
#include "daemon/util/text.hpp"

namespace stackd::probes {

using std::chrono::milliseconds;
using util::Error;
using util::ErrorKind;

namespace {

// Of a try that nobody waits for any more, because the engine has said how it is or the operation is over: it
// may be one that hangs. Bounded, since somebody waits for this to go away.
awaitable<void> end_soon(EndExec end, std::string id, std::string mark) {
  constexpr milliseconds k_patience{2500};
  try {
    auto ending = end(id, mark);
    co_await async::within(k_patience, "healthcheck", std::move(ending));
  } catch (const Error&) {
    // It is left as it is.
  }
}

}  // namespace

awaitable<void> until_healthy(docker::Engine& engine, std::string container, std::vector<std::string> test,
                              milliseconds timeout, EndExec end, OnTry on_try) {
  docker::ExecConfig config;
  if (test.size() == 2 && test[0] == "CMD-SHELL")
    config.argv = {"/bin/sh", "-c", test[1]};
  else
    config.argv.assign(test.begin() + 1, test.end());
  constexpr milliseconds k_first{10}, k_most{1000};
  int tries = 0;
  for (auto pause = k_first;; pause = std::min(pause * 3 / 2, k_most)) {
    co_await async::sleep_for(pause);
    const auto mark = "STACKD_RUN=" + util::random_hex(16);
    config.env = {mark};
    const auto id = std::make_shared<std::string>();
    bool out_of_time = false;
    std::exception_ptr error;
    std::string answer;
    try {
      auto run = engine.exec(container, config, nullptr, id);
      const auto result = co_await async::within(timeout, "healthcheck", std::move(run));
      if (result.exit_code == 0) co_return;
      const auto lines = util::tail_lines(result.out + result.err, 1);
      answer = "exit status " + std::to_string(result.exit_code) + (lines.empty() ? "" : ": " + lines.back());
    } catch (const Error& e) {
      // A container that is not running (yet, or any more) is the engine's to report.
      out_of_time = e.kind() == ErrorKind::timed_out;
      answer = e.what();
      if (e.kind() == ErrorKind::cancelled) error = std::current_exception();
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      // One that was cancelled would not come to the next line otherwise.
      co_await asio::this_coro::throw_if_cancelled(false);
      auto ending = end_soon(end, *id, mark);
      if (!id->empty()) co_await async::shielded(std::move(ending));
      co_await asio::this_coro::throw_if_cancelled(true);
      std::rethrow_exception(error);
    }
    if (on_try) on_try(++tries, answer);
    if (out_of_time && !id->empty()) co_await end(*id, mark);
  }
}

}  // namespace stackd::probes
