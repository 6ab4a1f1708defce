// Wishes: as they are stored with an operation, and when two are the same (X25).
#include "daemon/plan/wish.hpp"

#include <functional>
#include <nlohmann/json.hpp>

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd;
using namespace std::chrono_literals;
using nlohmann::json;
using plan::Wish;

namespace {

// One change for every field.
const std::map<std::string, std::function<void(Wish&)>> k_changes{
    {"services",
     [](auto& wish) {
       wish.services = {"web", "db"};
     }},
    {"build", [](auto& wish) { wish.build = true; }},
    {"rebuild", [](auto& wish) { wish.rebuild = true; }},
    {"force_recreate", [](auto& wish) { wish.force_recreate = true; }},
    {"no_deps", [](auto& wish) { wish.no_deps = true; }},
    {"remove_orphans", [](auto& wish) { wish.remove_orphans = true; }},
    {"ignore_orphans", [](auto& wish) { wish.ignore_orphans = true; }},
    {"keep", [](auto& wish) { wish.keep = true; }},
    {"pull", [](auto& wish) { wish.pull = "always"; }},
    {"scale",
     [](auto& wish) {
       wish.scale = {{"web", 0}};
     }},
    {"deadline", [](auto& wish) { wish.deadline = 0ms; }},
    {"digest", [](auto& wish) { wish.digest = "12"; }},
    {"volumes", [](auto& wish) { wish.volumes = true; }},
    {"no_hooks", [](auto& wish) { wish.no_hooks = true; }},
    {"rmi", [](auto& wish) { wish.rmi = "all"; }},
    {"stop_timeout", [](auto& wish) { wish.stop_timeout = 0; }},
    {"reasons",
     [](auto& wish) {
       wish.reasons = {{"web", "process-exit"}};
     }},
    {"restarted",
     [](auto& wish) {
       wish.restarted = {{"web", {1, 2}}};
     }},
    {"asked", [](auto& wish) { wish.asked = "34"; }},
};

Wish with_all() {
  Wish wish;
  for (const auto& [field, change] : k_changes) change(wish);
  return wish;
}

}  // namespace

TEST_CASE("a wish comes back from the store as it was, field by field", "[plan][wish]") {
  for (const auto& [field, change] : k_changes) {
    CAPTURE(field);
    Wish wish;
    change(wish);
    const auto stored = json::parse(plan::to_text(wish));
    CHECK(stored.size() == 1);
    CHECK(stored.contains(field));
    CHECK(plan::to_text(plan::wish_from(plan::to_text(wish))) == plan::to_text(wish));
  }
  const auto back = plan::wish_from(plan::to_text(with_all()));
  CHECK(json::parse(plan::to_text(back)).size() == k_changes.size());
  CHECK(back.services == std::vector<std::string>{"web", "db"});
  CHECK(back.deadline == 0ms);
  CHECK(back.stop_timeout == 0);
  CHECK(back.scale == std::map<std::string, int>{{"web", 0}});
  CHECK(back.restarted == std::map<std::string, std::set<int>>{{"web", {1, 2}}});
}

TEST_CASE("X25: two wishes are the same when they ask for the same, by whatever words", "[plan][wish]") {
  CHECK(plan::same({}, {}));
  CHECK(plan::same(with_all(), with_all()));
  for (const auto& [field, change] : k_changes) {
    CAPTURE(field);
    Wish wish;
    change(wish);
    CHECK(plan::same(wish, {}) == (field == "asked"));
    CHECK(plan::same({}, wish) == (field == "asked"));
  }
}

TEST_CASE("X25: in which order services are named, or how often, is no difference", "[plan][wish]") {
  CHECK(plan::same({.services = {"web", "db"}}, {.services = {"db", "web", "db"}}));
  CHECK_FALSE(plan::same({.services = {"web", "db"}}, {.services = {"web"}}));
  // It is stored as it was asked.
  CHECK(plan::wish_from(plan::to_text({.services = {"web", "db"}})).services ==
        std::vector<std::string>{"web", "db"});
}

TEST_CASE("what another daemon's wish has more is passed over, what it lacks is as usual", "[plan][wish]") {
  const auto wish = plan::wish_from(R"({"keep": true, "later": {"a": [1]}})");
  CHECK(wish.keep);
  CHECK(plan::to_text(wish) == R"({"keep":true})");
  CHECK(plan::to_text(plan::wish_from("{}")) == "{}");
}

TEST_CASE("a wish that cannot be read is told as a damage, not as a slip of JSON", "[plan][wish]") {
  for (const auto* text : {"", "{", "[]", "null", R"({"keep": "yes"})", R"({"scale": [1]})"}) {
    CAPTURE(text);
    try {
      plan::wish_from(text);
      FAIL_CHECK("it was read");
    } catch (const util::Error& error) {
      CHECK(error.kind() == util::ErrorKind::internal);
    } catch (...) {
      FAIL_CHECK("it is told otherwise");
    }
  }
}

TEST_CASE("words that are no text are stored all the same", "[plan][wish]") {
  CHECK_NOTHROW(plan::wish_from(plan::to_text({.services = {"\xff\xfe"}})));
}

TEST_CASE("kinds of operations are words on the wire, and no others", "[plan][wish]") {
  using plan::Kind;
  for (const auto& [kind, word] : std::map<Kind, std::string>{{Kind::up, "up"},
                                                              {Kind::start, "start"},
                                                              {Kind::restart, "restart"},
                                                              {Kind::stop, "stop"},
                                                              {Kind::down, "down"},
                                                              {Kind::recover, "recover"}}) {
    CHECK(plan::to_string(kind) == word);
    CHECK(plan::kind_from(word) == kind);
    CHECK(plan::brings_up(kind) == (word == "up" || word == "start" || word == "restart"));
  }
  CHECK_THROWS_AS(plan::kind_from("sideways"), util::Error);
  CHECK_THROWS_AS(plan::kind_from(""), util::Error);
}
