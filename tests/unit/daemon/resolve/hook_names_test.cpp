// How people name entries (hook_names.hpp).
#include "daemon/resolve/hook_names.hpp"

#include "tests/support/catch.hpp"

using namespace stackd;
using model::Phase;
using resolve::hook_name_from;

TEST_CASE("an entry is named by its phase, its place in the list and its service", "[resolve]") {
  struct Row {
    const char* text;
    const char* service;
    Phase phase;
    std::optional<int> index;
  };
  for (const auto& row : std::vector<Row>{{"after_up", "", Phase::after_up, {}},
                                          {"after_up[0]", "", Phase::after_up, 0},
                                          {"db.post_start[12]", "db", Phase::post_start, 12},
                                          {"db post_start[1]", "db", Phase::post_start, 1},
                                          {"a.b.pre_stop", "a.b", Phase::pre_stop, {}}}) {
    CAPTURE(row.text);
    const auto name = hook_name_from(row.text);
    REQUIRE(name);
    CHECK(name->service == row.service);
    CHECK(name->phase == row.phase);
    CHECK(name->index == row.index);
  }
  for (const auto* text :
       {"", "after", "after_up[", "after_up[]", "after_up[x]", "after_up[-1]", "after_up[1", "]", ".after_up",
        "db.", "after_up[0]x", "after_up[99999999999999999999]"}) {
    CAPTURE(text);
    CHECK_FALSE(hook_name_from(text));
  }
}

TEST_CASE("without a service a name means every service's, without an index all of the phase", "[resolve]") {
  model::Hook hook;
  hook.phase = Phase::post_start;
  hook.service = "db";
  hook.index = 1;
  const auto meant = [&](const std::string& name) {
    return resolve::is_meant(std::vector<std::string>{name}, hook);
  };
  for (const auto* name : {"post_start", "post_start[1]", "db.post_start", "db.post_start[1]"})
    CHECK(meant(name));
  for (const auto* name : {"pre_stop", "post_start[0]", "web.post_start", "db.post_start[2]", "nonsense"})
    CHECK_FALSE(meant(name));
}
