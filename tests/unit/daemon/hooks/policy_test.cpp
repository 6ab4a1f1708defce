#include "daemon/hooks/policy.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::hooks;
using spec::Hook;
using spec::OnFailure;
using spec::Phase;
using namespace std::chrono_literals;

namespace {

Hook hook_of(Phase phase, const std::string& service = "") {
  Hook hook;
  hook.phase = phase;
  hook.service = service;
  hook.shell = "true";
  return hook;
}

process::RunExit exited(int code, const std::string& out, const std::string& err) {
  process::RunExit exit;
  exit.cause = process::Cause::exited;
  exit.code = code;
  exit.out_tail = out;
  exit.err_tail = err;
  return exit;
}

}  // namespace

TEST_CASE("each phase has a place of its own, and run_in takes an entry elsewhere", "[hooks]") {
  for (const auto phase : {Phase::before_up, Phase::after_up, Phase::before_down, Phase::after_down,
                           Phase::before_start, Phase::after_ready})
    CHECK(place_of(hook_of(phase)) == Place::host);
  CHECK(place_of(hook_of(Phase::pre_start)) == Place::container);
  CHECK(place_of(hook_of(Phase::post_start)) == Place::exec);
  CHECK(place_of(hook_of(Phase::pre_stop)) == Place::exec);
  CHECK(place_of(hook_of(Phase::post_build_root)) == Place::build);
  CHECK(place_of(hook_of(Phase::post_build)) == Place::build);
  CHECK(place_of(hook_of(Phase::pre_run)) == Place::entrypoint);

  auto hook = hook_of(Phase::after_up);
  hook.run_in = "db";
  CHECK(place_of(hook) == Place::exec);
  hook.run_in_image = "busybox";
  CHECK(place_of(hook) == Place::container);
  hook = hook_of(Phase::post_start, "db");
  hook.run_in = "host";
  CHECK(place_of(hook) == Place::host);
}

TEST_CASE(
    "what fails on the way up fails the operation, on the way down it warns; pre_stop counts, an entry's "
    "word wins",
    "[hooks]") {
  CHECK(on_failure_of(hook_of(Phase::after_up), false) == OnFailure::fail);
  CHECK(on_failure_of(hook_of(Phase::before_down), true) == OnFailure::warn);
  CHECK(on_failure_of(hook_of(Phase::pre_stop, "db"), true) == OnFailure::fail);  // X7
  auto hook = hook_of(Phase::before_up);
  hook.on_failure = OnFailure::ignore;
  CHECK(on_failure_of(hook, false) == OnFailure::ignore);
}

TEST_CASE("a hook has no limit on the way up and a minute on the way down, but for its own and the runtime's",
          "[hooks]") {
  spec::Runtime runtime;
  auto hook = hook_of(Phase::before_up);
  CHECK_FALSE(timeout_of(hook, runtime, false));
  CHECK(timeout_of(hook, runtime, true) == 60s);
  runtime.hook_timeout = 5s;
  CHECK(timeout_of(hook, runtime, false) == 5s);
  hook.timeout = 250ms;
  CHECK(timeout_of(hook, runtime, false) == 250ms);
  CHECK(timeout_of(hook, runtime, true) == 250ms);
  hook.timeout = 0ms;
  CHECK_FALSE(timeout_of(hook, runtime, false));
  CHECK_FALSE(timeout_of(hook, runtime, true));
}

TEST_CASE("every condition of `if` has to hold, and the one that does not is named", "[hooks]") {
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

TEST_CASE("an entry is known by what it does, not by where it stands or what its limits are", "[hooks]") {
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

TEST_CASE("inputs change with a file's bytes and name, below a directory too, and with the image",
          "[hooks]") {
  const test::TempDir dir;
  auto hook = hook_of(Phase::before_start, "db");
  hook.inputs = {"schema/*.sql", "data", "missing"};
  std::filesystem::create_directories(dir.path() / "schema");
  std::filesystem::create_directories(dir.path() / "data/deep");
  dir.write("schema/1.sql", "a");
  dir.write("data/deep/x", "a");
  const auto state = [&](const std::string& image = "sha256:1") {
    return state_of_inputs(hook, dir.path().string(), image);
  };
  auto before = state();
  CHECK(state() == before);
  CHECK(state("sha256:2") != before);
  dir.write("schema/notes.txt", "not an input");
  CHECK(state() == before);
  for (const auto* file : {"schema/1.sql", "schema/2.sql", "data/deep/x", "data/y", "missing"}) {
    dir.write(file, "new");
    const auto after = state();
    CHECK(after != before);
    before = after;
  }
  std::filesystem::rename(dir.path() / "data/y", dir.path() / "data/z");
  CHECK(state() != before);
}

TEST_CASE(
    "a failure is told in Compose's words inside containers, by phase and entry elsewhere, with its last "
    "lines",
    "[hooks]") {
  auto hook = hook_of(Phase::post_start, "db");
  CHECK(failure_text(hook, Place::exec, exited(127, "", "sh: nope: not found\n")) ==
        "db hook exited with status 127: sh: nope: not found");
  hook = hook_of(Phase::pre_start, "db");
  hook.index = 1;
  CHECK(failure_text(hook, Place::container, exited(3, "out\n", "")) ==
        "db pre_start[1] exited with status 3: out");
  hook = hook_of(Phase::before_up);
  CHECK(failure_text(hook, Place::host, exited(1, "out\n", "err\n")) ==
        "before_up[0] exited with status 1: err");
  process::RunExit exit;
  exit.cause = process::Cause::signalled;
  exit.signal = 9;
  CHECK(failure_text(hook, Place::host, exit) == "before_up[0] was ended by signal 9");
  exit.cause = process::Cause::timed_out;
  CHECK(failure_text(hook, Place::host, exit) == "before_up[0] was out of time and was ended");
  exit.cause = process::Cause::not_started;
  exit.error = "no such directory";
  CHECK(failure_text(hook, Place::host, exit) == "cannot run before_up[0]: no such directory");
}
