#include "daemon/hooks/failure.hpp"
#include "daemon/hooks/inputs.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace stackd;
using namespace stackd::hooks;
using model::Hook;
using model::HookPlace;
using model::Phase;

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

TEST_CASE("X36: what has changed of the inputs is named: a file's bytes, one more, one less, the image",
          "[hooks]") {
  const test::TempDir dir;
  auto hook = hook_of(Phase::after_up, "");
  hook.inputs = {"*.sql"};
  dir.write("1.sql", "a");
  dir.write("2.sql", "a");
  const auto state = [&](const std::string& image) {
    return "id/" + state_of_inputs(hook, dir.path().string(), image);
  };
  const auto before = state("");
  dir.write("2.sql", "b");
  dir.write("3.sql", "c");
  std::filesystem::remove(dir.path() / "1.sql");
  CHECK(changed_inputs(before, state("")) == "inputs changed: 2.sql, 3.sql, 1.sql");
  CHECK(changed_inputs(before, before) == "its image changed");
  for (int i = 0; i < 9; ++i) dir.write("more" + std::to_string(i) + ".sql", "");
  CHECK(changed_inputs(before, state("")).ends_with(" and 7 more"));
}

TEST_CASE(
    "a failure is told in Compose's words inside containers, by phase and entry elsewhere, with its last "
    "lines",
    "[hooks]") {
  auto hook = hook_of(Phase::post_start, "db");
  CHECK(failure_text(hook, HookPlace::exec, exited(127, "", "sh: nope: not found\n")) ==
        "db hook exited with status 127: sh: nope: not found");
  hook = hook_of(Phase::pre_start, "db");
  hook.index = 1;
  CHECK(failure_text(hook, HookPlace::container, exited(3, "out\n", "")) ==
        "db pre_start[1] exited with status 3: out");
  hook = hook_of(Phase::before_up);
  CHECK(failure_text(hook, HookPlace::host, exited(1, "out\n", "err\n")) ==
        "before_up[0] exited with status 1: err");
  process::RunExit exit;
  exit.cause = process::Cause::signalled;
  exit.signal = 9;
  CHECK(failure_text(hook, HookPlace::host, exit) == "before_up[0] was ended by signal 9");
  exit.cause = process::Cause::timed_out;
  CHECK(failure_text(hook, HookPlace::host, exit) == "before_up[0] was out of time and was ended");
  exit.cause = process::Cause::not_started;
  exit.error = "no such directory";
  CHECK(failure_text(hook, HookPlace::host, exit) == "cannot run before_up[0]: no such directory");
}
