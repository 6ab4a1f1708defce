// Readiness against lines and exits that the test plays.
#include "daemon/probes/ready.hpp"

#include "daemon/async/signal.hpp"
#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_coro.hpp"

namespace stackd::probes {
namespace {

using std::chrono::milliseconds;
using Lines = std::vector<std::pair<milliseconds, std::string>>;  // each so long after the one before

ReadyWait waiting(Lines lines) {
  ReadyWait wait;
  wait.what = "service 'x'";
  wait.timeout = milliseconds(5000);
  wait.output = [lines](std::function<void(std::string_view)> on_output) -> awaitable<void> {
    for (const auto& [pause, line] : lines) {
      if (pause.count() > 0) co_await async::sleep_for(pause);
      on_output(line + "\n");
    }
    for (;;) co_await async::sleep_for(milliseconds(60'000));
  };
  return wait;
}

Probe line(const std::string& pattern) {
  return make_probe(model::ProbeKind::log_match, pattern, {});
}

Captured run(ReadyWait wait) {
  return test::run_coro([wait](asio::any_io_executor) { return wait_ready(wait); });
}

std::string failure_of(ReadyWait wait) {
  try {
    run(std::move(wait));
  } catch (const util::Error& e) {
    return e.what();
  }
  return "";
}

TEST_CASE("L3.4: a captured value ends with its line") {
  auto wait = waiting({{milliseconds(0), "open at http://a:1/x"}, {milliseconds(0), "second"}});
  wait.probe = line("open at");
  wait.capture = {{"url", "http://[^ ]+"}};
  CHECK(run(wait) == Captured{{"url", "http://a:1/x"}});
}

TEST_CASE("L3.4: a capture is group 1 when there is one, and may name line ends itself") {
  auto wait = waiting({{milliseconds(0), "port: 12"}, {milliseconds(0), "token"}, {milliseconds(0), "abc"}});
  wait.probe = line("abc");
  wait.capture = {{"port", "^port: (\\d+)$"}, {"token", "token\\n(\\w+)"}};
  CHECK(run(wait) == Captured{{"port", "12"}, {"token", "abc"}});
}

TEST_CASE("L3.4: a value that is written after the probe has passed is waited for") {
  auto wait = waiting({{milliseconds(80), "url=http://late"}});
  wait.probe = Probe{.attempt = []() -> awaitable<void> { co_return; }};
  wait.capture = {{"url", "url=(.*)"}};
  CHECK(run(wait) == Captured{{"url", "http://late"}});
}

TEST_CASE("L3.4: captures alone are what readiness means") {
  auto wait = waiting({{milliseconds(50), "id 7"}});
  wait.capture = {{"id", "id (\\d)"}};
  CHECK(run(wait) == Captured{{"id", "7"}});
}

TEST_CASE("L3.4: a capture that misses fails, and the message names it") {
  auto wait = waiting({{milliseconds(0), "ready"}});
  wait.probe = line("ready");
  wait.timeout = milliseconds(150);
  wait.capture = {{"url", "http://[^ ]+"}};
  CHECK(failure_of(wait).find("capture 'url' (http://[^ ]+)") != std::string::npos);
}

TEST_CASE("L3.4: the first of log_match, http_get, tcp and cmd decides alone") {
  model::Readiness wish;
  CHECK_FALSE(wish.deciding());
  for (const auto kind : {model::ProbeKind::cmd, model::ProbeKind::tcp, model::ProbeKind::http_get,
                          model::ProbeKind::log_match}) {
    wish.probes[kind] = "x";
    CHECK(wish.deciding()->first == kind);
  }
}

TEST_CASE("L3.4: extend_on_progress makes the timeout the longest silence") {
  Lines lines;
  for (int n = 0; n < 6; ++n) lines.emplace_back(milliseconds(100), n == 5 ? "ready" : "busy");
  auto wait = waiting(lines);
  wait.probe = line("ready");
  wait.timeout = milliseconds(300);
  CHECK(failure_of(wait).find("300ms") != std::string::npos);
  wait.extend_on_progress = true;
  CHECK(failure_of(wait).empty());
}

TEST_CASE("L3.5: an end during the wait is a failure at once, with the words for it") {
  auto wait = waiting({});
  wait.probe = line("never");
  wait.died = []() -> awaitable<std::string> {
    co_await async::sleep_for(milliseconds(20));
    co_return "exited with status 0";
  };
  CHECK(failure_of(wait) == "exited with status 0");
}

TEST_CASE("L3.6: fail_when ends the wait at once") {
  auto wait = waiting({{milliseconds(20), "panic: no"}});
  wait.probe = line("never");
  wait.fail_match = "^panic";
  CHECK(failure_of(wait).find("panic: no") != std::string::npos);
}

}  // namespace
}  // namespace stackd::probes
