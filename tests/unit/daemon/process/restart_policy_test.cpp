#include "daemon/process/restart_policy.hpp"

#include "tests/support/catch.hpp"

namespace stackd::process {
namespace {

using std::chrono::milliseconds;

RunExit exited(int code, util::TimeMs ran = 500) {
  RunExit exit;
  exit.cause = Cause::exited;
  exit.code = code;
  exit.started_at = 1'000'000;
  exit.ended_at = exit.started_at + 3'600'000;  // the wall clock was set forward meanwhile
  exit.ran = ran;
  return exit;
}

TEST_CASE("restart: no starts nothing again, whatever the status") {
  CHECK_FALSE(restart_pause("", 0, exited(1)));
  CHECK_FALSE(restart_pause("no", 0, exited(1)));
}

TEST_CASE("restart: on-failure asks for a status, always and unless-stopped do not") {
  CHECK(restart_pause("on-failure", 0, exited(1)));
  CHECK_FALSE(restart_pause("on-failure", 0, exited(0)));
  CHECK(restart_pause("always", 0, exited(0)));
  CHECK(restart_pause("unless-stopped", 0, exited(0)));
}

TEST_CASE("restart: a signal, a lost run and a command that cannot be started are failures") {
  for (const auto cause : {Cause::signalled, Cause::lost, Cause::not_started, Cause::ended}) {
    auto exit = exited(0);
    exit.cause = cause;
    CHECK(restart_pause("on-failure", 0, exit));
  }
}

TEST_CASE("restart: the pause doubles from 100 ms to a minute") {
  CHECK(restart_pause("always", 0, exited(1)) == milliseconds(100));
  CHECK(restart_pause("always", 1, exited(1)) == milliseconds(200));
  CHECK(restart_pause("always", 5, exited(1)) == milliseconds(3200));
  CHECK(restart_pause("always", 10, exited(1)) == milliseconds(60'000));
  CHECK(restart_pause("always", 1000, exited(1)) == milliseconds(60'000));
}

TEST_CASE("restart: on-failure:N gives up after N in a row") {
  CHECK(restart_pause("on-failure:3", 2, exited(1)));
  CHECK_FALSE(restart_pause("on-failure:3", 3, exited(1)));
}

TEST_CASE("restart: a process that has run for 10 s begins anew, pause and limit") {
  CHECK(streak_before(7, exited(1, 9'999)) == 7);
  CHECK(streak_before(7, exited(1, 10'000)) == 0);
  CHECK(restart_pause("on-failure:3", 3, exited(1, 10'000)) == milliseconds(100));
}

}  // namespace
}  // namespace stackd::process
