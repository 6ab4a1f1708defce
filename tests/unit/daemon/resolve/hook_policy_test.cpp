#include "daemon/resolve/hook_policy.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/model/field_tables.hpp"

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
  struct FieldRow {
    const char* field;
    nlohmann::json value;
    bool counts;
  };
  const std::vector<FieldRow> rows{
      {"phase", "after_up", true},
      {"index", 7, false},
      {"group", 2, false},
      {"service", "db", true},
      {"shell", "false", true},
      {"argv", {"a", "b"}, true},
      {"cwd", "sub", true},
      {"env", {{"A", "1"}}, true},
      {"env_group", "full", true},
      {"user", "root", true},
      {"privileged", true, true},
      {"image", "alpine", true},
      {"per_replica", true, true},
      {"timeout", 1000, false},
      {"retries", 3, false},
      {"retry_delay", 5, false},
      {"on_failure", "warn", false},
      {"run", "once", false},
      {"inputs", {"*.sql"}, false},    // what they hold counts, elsewhere (hooks/inputs.hpp)
      {"once_volume", "data", false},  // so does its making
      {"cache", {"/var/cache/apt"}, true},
      {"run_in", "db", true},
      {"run_in_image", "alpine", true},
      {"if_profile", {"ci"}, true},
      {"if_os", {"linux"}, true},
      {"if_env", {"CI"}, true},
      {"if_previous", "failed", true},
      {"place", {{"line", 99}}, false},
  };
  const auto hook = hook_of(Phase::before_up);
  std::set<std::string> fields;
  for (const auto& row : rows) {
    INFO(row.field);
    fields.insert(row.field);
    auto other = hook;
    test::set_field(other, row.field, row.value);
    CHECK((identity_of(other) != identity_of(hook)) == row.counts);
  }
  CHECK(fields == test::fields_of<Hook>());
}

TEST_CASE("an entry is called by its phase and place in the list, and by its service", "[resolve]") {
  auto hook = hook_of(Phase::before_up);
  CHECK(label_of(hook) == "before_up[0]");
  hook = hook_of(Phase::pre_start, "db");
  hook.index = 1;
  CHECK(label_of(hook) == "db pre_start[1]");
}

TEST_CASE("only what belongs to the way down is down: pre_stop and the two that Lich has for it",
          "[resolve]") {
  const std::set<Phase> down{Phase::before_down, Phase::pre_stop, Phase::after_down};
  for (const auto& row : model::k_phases) {
    INFO(row.name);
    CHECK(is_down(hook_of(row.phase)) == down.contains(row.phase));
  }
}

TEST_CASE(
    "run_in a service of the stack's, an image or the host goes before the phase's own place, in each phase",
    "[resolve]") {
  for (const auto& row : model::k_phases) {
    INFO(row.name);
    auto hook = hook_of(row.phase, row.scope == model::Scope::service ? "web" : "");
    CHECK(place_of(hook) == row.place);
    hook.run_in = "db";
    CHECK(place_of(hook) == HookPlace::exec);
    hook.run_in = "host";
    CHECK(place_of(hook) == HookPlace::host);
    hook.run_in.clear();
    hook.run_in_image = "alpine";
    CHECK(place_of(hook) == HookPlace::container);
  }
}

TEST_CASE(
    "X7, X27: what fails on the way up fails the operation, on the way down it warns; pre_stop counts, an "
    "entry's "
    "word wins",
    "[resolve]") {
  for (const auto& row : model::k_phases) {
    INFO(row.name);
    auto hook = hook_of(row.phase);
    const bool warns = row.phase == Phase::before_down || row.phase == Phase::after_down;
    CHECK(on_failure_of(hook) == (warns ? OnFailure::warn : OnFailure::fail));
    for (const auto word : {OnFailure::fail, OnFailure::warn, OnFailure::ignore}) {
      hook.on_failure = word;
      CHECK(on_failure_of(hook) == word);
    }
  }
}
