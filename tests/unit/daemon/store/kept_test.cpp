#include "daemon/store/kept.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/daemon/store/store_fixture.hpp"

using namespace stackd::store;

namespace {

KeptRow kept(const std::string& container, const std::string& state = "running", bool aside = true) {
  KeptRow row;
  row.stack_id = "a-1";
  row.service = "db";
  row.container = container;
  row.name = "a-db-1";
  row.state = state;
  row.policy = "always";
  row.aside = aside;
  return row;
}

void set_spec(Store& s, const std::string& spec) {
  auto row = *Stacks::get(s.db, "a-1");
  row.spec = spec;
  Stacks::put(s.db, row);
}

}  // namespace

TEST_CASE("X34: what was seen of a container first is what it was", "[store]") {
  Store s;
  Kept::put(s.db, kept("c", "running", false));
  Kept::put(s.db, kept("c", "exited", true));
  const auto rows = Kept::of_stack(s.db, "a-1");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].state == "running");
  CHECK(rows[0].policy == "always");
  CHECK(rows[0].aside);  // it has lost its place since
  CHECK(Kept::of_stack(s.db, "b-1").empty());
}

TEST_CASE("X34: spec and ports go back, and the refused spec stays with the operation", "[store]") {
  Store s;
  s.operation("op", "a-1");
  set_spec(s, "old");
  Ports::put(s.db, {.port = 4000, .protocol = "tcp", .stack_id = "a-1", .service = "db", .key = "0"});
  Former::remember(s.db, "a-1");
  set_spec(s, "new");
  Ports::put(s.db, {.port = 5000, .protocol = "tcp", .stack_id = "a-1", .service = "db", .key = "0"});
  Ports::put(s.db, {.port = 6000, .protocol = "tcp", .stack_id = "a-1", .service = "web", .key = "0"});
  for (int time = 0; time < 2; ++time) {  // a daemon may die in between
    Former::restore(s.db, "a-1", "op");
    Former::restore_ports(s.db, "a-1");
  }
  CHECK(Stacks::get(s.db, "a-1")->spec == "old");
  std::vector<int> active;
  for (const auto& port : Ports::of_stack(s.db, "a-1"))
    if (port.active) active.push_back(port.port);
  CHECK(active == std::vector<int>{4000});
  Statement refused(s.db, "SELECT spec FROM refused_specs WHERE operation_id = 'op'");
  REQUIRE(refused.step());
  CHECK(refused.text(0) == "new");
}

TEST_CASE("X34: while something is kept, what was up last is what is remembered", "[store]") {
  Store s;
  s.operation("op", "a-1");
  set_spec(s, "good");
  Former::remember(s.db, "a-1");
  set_spec(s, "wreck");
  Kept::put(s.db, kept("c"));
  Former::remember(s.db, "a-1");
  Former::restore(s.db, "a-1", "op");
  CHECK(Stacks::get(s.db, "a-1")->spec == "good");
  Former::forget(s.db, "a-1");
  CHECK_FALSE(Former::exists(s.db, "a-1"));
  CHECK(Kept::of_stack(s.db, "a-1").empty());
}
