#include "daemon/resolve/hook_policy.hpp"

#include <functional>

#include "tests/support/catch.hpp"

using namespace stackd;
using namespace stackd::resolve;
using model::Hook;
using model::HookPlace;
using model::OnFailure;
using model::Phase;
using namespace std::chrono_literals;

namespace {

Hook hook_of(Phase phase, const std::string& service = "") {
  Hook hook;
  hook.phase = phase;
  hook.service = service;
  hook.shell = "true";
  return hook;
}

}  // namespace

TEST_CASE("each phase has a place of its own, and run_in takes an entry elsewhere", "[resolve]") {
  for (const auto phase : {Phase::before_up, Phase::after_up, Phase::before_down, Phase::after_down,
                           Phase::before_start, Phase::after_ready})
    CHECK(place_of(hook_of(phase)) == HookPlace::host);
  CHECK(place_of(hook_of(Phase::pre_start)) == HookPlace::container);
  CHECK(place_of(hook_of(Phase::post_start)) == HookPlace::exec);
  CHECK(place_of(hook_of(Phase::pre_stop)) == HookPlace::exec);
  CHECK(place_of(hook_of(Phase::post_build_root)) == HookPlace::build);
  CHECK(place_of(hook_of(Phase::post_build)) == HookPlace::build);
  CHECK(place_of(hook_of(Phase::pre_run)) == HookPlace::entrypoint);

  auto hook = hook_of(Phase::after_up);
  hook.run_in = "db";
  CHECK(place_of(hook) == HookPlace::exec);
  hook.run_in_image = "busybox";
  CHECK(place_of(hook) == HookPlace::container);
  hook = hook_of(Phase::post_start, "db");
  hook.run_in = "host";
  CHECK(place_of(hook) == HookPlace::host);
}

TEST_CASE(
    "what fails on the way up fails the operation, on the way down it warns; pre_stop counts, an entry's "
    "word wins",
    "[resolve]") {
  CHECK(on_failure_of(hook_of(Phase::after_up)) == OnFailure::fail);
  CHECK(on_failure_of(hook_of(Phase::before_down)) == OnFailure::warn);
  CHECK(on_failure_of(hook_of(Phase::pre_stop, "db")) == OnFailure::fail);  // X7
  auto hook = hook_of(Phase::before_up);
  hook.on_failure = OnFailure::ignore;
  CHECK(on_failure_of(hook) == OnFailure::ignore);
}

TEST_CASE("a hook has no limit on the way up and a minute on the way down, but for its own and the runtime's",
          "[resolve]") {
  model::Runtime runtime;
  auto up = hook_of(Phase::before_up), down = hook_of(Phase::before_down);
  CHECK_FALSE(timeout_of(up, runtime));
  CHECK(timeout_of(down, runtime) == 60s);
  CHECK(timeout_of(hook_of(Phase::pre_stop, "db"), runtime) == 60s);
  runtime.hook_timeout = 5s;
  CHECK(timeout_of(up, runtime) == 5s);
  up.timeout = down.timeout = 250ms;
  CHECK(timeout_of(up, runtime) == 250ms);
  CHECK(timeout_of(down, runtime) == 250ms);
  up.timeout = down.timeout = 0ms;
  CHECK_FALSE(timeout_of(up, runtime));
  CHECK_FALSE(timeout_of(down, runtime));
}

TEST_CASE("every condition of `if` has to hold, and the one that does not is named", "[resolve]") {
  auto hook = hook_of(Phase::before_up);
  CHECK(condition_not_met(hook, "", {}, "").empty());

  hook.if_profile = {"ci", "full"};
  CHECK(condition_not_met(hook, "full", {}, "").empty());
  CHECK(condition_not_met(hook, "dev,full", {}, "").empty());  // of Compose's there may be several
  CHECK(condition_not_met(hook, "dev", {}, "") == "if: profile is 'dev', not ci or full");
  CHECK(condition_not_met(hook, "", {}, "") == "if: profile is not set, not ci or full");

  hook = hook_of(Phase::before_up);
  hook.if_os = {"darwin"};
  CHECK(condition_not_met(hook, "", {}, "") == "if: os is linux, not darwin");
  hook.if_os = {"darwin", "linux"};
  CHECK(condition_not_met(hook, "", {}, "").empty());

  hook.if_env = {"CI", "!SKIP", "MODE=dev"};
  CHECK(condition_not_met(hook, "", {{"CI", ""}, {"MODE", "dev"}}, "").empty());
  CHECK(condition_not_met(hook, "", {{"MODE", "dev"}}, "") == "if: env CI does not hold");
  CHECK(condition_not_met(hook, "", {{"CI", "1"}, {"SKIP", ""}, {"MODE", "dev"}}, "") ==
        "if: env !SKIP does not hold");
  CHECK(condition_not_met(hook, "", {{"CI", "1"}, {"MODE", "prod"}}, "") == "if: env MODE=dev does not hold");

  hook = hook_of(Phase::before_up);
  hook.if_previous = "failed";
  CHECK(condition_not_met(hook, "", {}, "failed").empty());
  CHECK(condition_not_met(hook, "", {}, "succeeded") == "if: the previous operation succeeded, not failed");
  CHECK(condition_not_met(hook, "", {}, "") == "if: the previous operation does not exist, not failed");
}

TEST_CASE("an entry is known by what it does, not by where it stands or what its limits are", "[resolve]") {
  const auto hook = hook_of(Phase::before_up);
  auto moved = hook;
  moved.index = 7;
  moved.timeout = 1s;
  moved.retries = 3;
  moved.place.line = 99;
  CHECK(identity_of(moved) == identity_of(hook));
  for (const auto& change : std::vector<std::function<void(Hook&)>>{
           [](Hook& h) { h.shell = "false"; }, [](Hook& h) { h.cwd = "sub"; },
           [](Hook& h) { h.env["A"] = "1"; }, [](Hook& h) { h.run_in = "db"; },
           [](Hook& h) { h.if_os = {"linux"}; }}) {
    auto other = hook;
    change(other);
    CHECK(identity_of(other) != identity_of(hook));
  }
}
