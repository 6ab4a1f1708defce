#include "daemon/store/records.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/store/store_fixture.hpp"

using namespace stackd;
using namespace stackd::store;

TEST_CASE("a stack comes back as it was put, and putting it again keeps what refers to it", "[store]") {
  Store s;
  StackRow row{.id = "c-1",
               .name = "c",
               .directory = "/c",
               .format = "compose",
               .spec = "{\"x\":1}",
               .facts = "{}",
               .status = "starting",
               .profile = "dev",
               .last_operation = "op9",
               .extra = "{\"k\":2}",
               .created_at = 5,
               .updated_at = 6};
  Stacks::put(s.db, row);
  s.operation("op9", "c-1");
  row.status = "up";
  Stacks::put(s.db, row);
  const auto found = Stacks::get(s.db, "c-1");
  REQUIRE(found);
  CHECK(found->directory == "/c");
  CHECK(found->format == "compose");
  CHECK(found->spec == "{\"x\":1}");
  CHECK(found->status == "up");
  CHECK(found->profile == "dev");
  CHECK(found->last_operation == "op9");
  CHECK(found->extra == "{\"k\":2}");
  CHECK(found->created_at == 5);
  CHECK(found->updated_at == 6);
  CHECK(Operations::get(s.db, "op9"));
  CHECK(ids(Stacks::all(s.db)) == Ids{"a-1", "b-1", "c-1"});
  CHECK_FALSE(Stacks::get(s.db, "d-1"));
  Stacks::put(s.db, {.id = "b-2", .name = "b", .status = "down"});
  CHECK(ids(Stacks::named(s.db, "b")).size() == 2);
  CHECK(Stacks::named(s.db, "nobody").empty());
}

TEST_CASE("status, facts and extra change alone, and the time with them", "[store]") {
  Store s;
  Stacks::set_status(s.db, "a-1", "failed");
  Stacks::set_facts(s.db, "a-1", "{\"f\":1}");
  Stacks::set_extra(s.db, "a-1", "{\"e\":1}");
  const auto row = Stacks::get(s.db, "a-1");
  CHECK(row->status == "failed");
  CHECK(row->facts == "{\"f\":1}");
  CHECK(row->extra == "{\"e\":1}");
  CHECK(row->updated_at > 0);
  CHECK(Stacks::get(s.db, "b-1")->status == "up");
}

TEST_CASE("removing a stack takes away everything of it, and nothing of another", "[store]") {
  Store s;
  for (const std::string stack : {"a-1", "b-1"}) {
    s.operation("op-" + stack, stack);
    Steps::insert(s.db, {.operation_id = "op-" + stack, .key = "k", .kind = "start"});
    HookRuns::put(s.db, {.id = "h-" + stack, .stack_id = stack});
    Ports::put(
        s.db,
        {.port = stack == "a-1" ? 1 : 2, .protocol = "tcp", .stack_id = stack, .service = "x", .key = "1"});
    Processes::put(s.db, {.stack_id = stack, .service = "x"});
    Starts::put(s.db, {.stack_id = stack, .service = "x", .container = "c"});
    Events::append(s.db, {.stack_id = stack, .kind = "warning", .data = "{}"});
  }
  Stacks::remove(s.db, "a-1");
  for (const char* table :
       {"stacks", "operations", "steps", "hook_runs", "ports", "processes", "starts", "events"}) {
    INFO(table);
    CHECK(s.count(table) == 1);
  }
  CHECK(Processes::get(s.db, "b-1", "x"));
}

TEST_CASE("an operation comes back as it was written", "[store]") {
  Store s;
  OperationRow row{.id = "op",
                   .stack_id = "a-1",
                   .kind = "down",
                   .request = "{\"volumes\":true}",
                   .after = "op0",
                   .created_at = 7};
  Operations::insert(s.db, row);
  row.state = "failed";
  row.mode = "rollback";
  row.cancel_requested = true;
  row.error = "{\"code\":\"failed\"}";
  row.warnings = "[\"w\"]";
  row.ended_at = 9;
  Operations::update(s.db, row);
  const auto found = Operations::get(s.db, "op");
  REQUIRE(found);
  CHECK(found->kind == "down");
  CHECK(found->request == "{\"volumes\":true}");
  CHECK(found->state == "failed");
  CHECK(found->mode == "rollback");
  CHECK(found->after == "op0");
  CHECK(found->cancel_requested);
  CHECK(found->error == "{\"code\":\"failed\"}");
  CHECK(found->warnings == "[\"w\"]");
  CHECK(found->created_at == 7);
  CHECK(found->ended_at == 9);
}

TEST_CASE("operations are in the order they were submitted, whatever the clock did", "[store]") {
  Store s;
  OperationRow row{.id = "z", .stack_id = "a-1", .kind = "up", .created_at = 900};
  Operations::insert(s.db, row);
  row.id = "y", row.created_at = 100;
  Operations::insert(s.db, row);
  row.id = "x", row.stack_id = "b-1", row.created_at = 500;
  Operations::insert(s.db, row);
  s.operation("ended", "a-1", "succeeded", 1);
  CHECK(ids(Operations::running(s.db)) == Ids{"z", "y", "x"});
  CHECK(ids(Operations::of_stack(s.db, "a-1", 10)) == Ids{"ended", "y", "z"});
  CHECK(ids(Operations::of_stack(s.db, "", 2)) == Ids{"ended", "x"});
  CHECK(Operations::ids_of_stack(s.db, "a-1") == std::set<std::string>{"ended", "y", "z"});
}

TEST_CASE("an operation for a stack that is not there, and a word that is no state, are refused", "[store]") {
  Store s;
  CHECK_THROWS_AS(s.operation("op", "nowhere"), util::Error);
  CHECK_THROWS_AS(s.operation("op", "a-1", "somehow"), util::Error);
}

TEST_CASE("pruning keeps the newest of every stack, the young and the running", "[store]") {
  Store s;
  s.operation("a-old-running", "a-1");
  for (int i = 0; i < 5; ++i) s.operation("a" + std::to_string(i), "a-1", "succeeded", 100 + i);
  s.operation("b0", "b-1", "failed", 1);
  Steps::insert(s.db, {.operation_id = "a0", .key = "k", .kind = "start"});
  Operations::prune(s.db, 2, 101);
  CHECK(ids(Operations::of_stack(s.db, "a-1", 10)) == Ids{"a4", "a3", "a2", "a-old-running"});
  CHECK(ids(Operations::of_stack(s.db, "b-1", 10)) == Ids{"b0"});
  CHECK(s.count("steps") == 0);
}

TEST_CASE("X1, X3: pruning keeps the hook runs that `run: once` and the last result are answered from",
          "[store]") {
  Store s;
  s.operation("op", "a-1", "succeeded", 1);
  s.operation("kept", "a-1", "succeeded", 1);
  Starts::put(s.db, {"a-1", "db", 1, "c2", "", "running"});
  s.hook("0 success of a container that is gone", "succeeded", "d", "c0");
  s.hook("1 older success", "succeeded");
  s.hook("2 success of another container", "succeeded", "d", "c2");
  s.hook("3 newest success", "succeeded");
  s.hook("4 skipped", "skipped");
  s.hook("5 older failure", "failed", "d2");
  s.hook("6 newest", "failed", "d2");
  s.hook("7 of an operation that stays", "skipped", "d2", "", "kept");
  Operations::prune(s.db, 1, 100);
  CHECK(ids(Operations::of_stack(s.db, "a-1", 10)) == Ids{"kept"});
  CHECK(ids(HookRuns::of_stack(s.db, "a-1", 10)) == Ids{"7 of an operation that stays", "6 newest",
                                                        "3 newest success",
                                                        "2 success of another container"});
  CHECK(HookRuns::last(s.db, "a-1", "db", "pre_start", 0, "")->id == "6 newest");
  CHECK(HookRuns::succeeded(s.db, "a-1", "db", "pre_start", "d", ""));
}

TEST_CASE("steps come back by ordinal, and a key is there once", "[store]") {
  Store s;
  s.operation("op", "a-1");
  StepRow row{.operation_id = "op",
              .ordinal = 1,
              .key = "start db-1",
              .kind = "start",
              .service = "db",
              .params = "{\"p\":1}",
              .needs = "[\"pull\"]",
              .on_error = "go_on"};
  Steps::insert(s.db, row);
  Steps::insert(s.db, {.operation_id = "op", .ordinal = 0, .key = "pull", .kind = "pull"});
  row.state = "failed";
  row.reason = "no";
  row.result = "{\"r\":1}";
  row.started_at = 1;
  row.ended_at = 2;
  Steps::update(s.db, row);
  const auto rows = Steps::of_operation(s.db, "op");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].key == "pull");
  CHECK(rows[0].state == "pending");
  CHECK_FALSE(rows[0].started_at);
  CHECK(rows[1].service == "db");
  CHECK(rows[1].params == "{\"p\":1}");
  CHECK(rows[1].needs == "[\"pull\"]");
  CHECK(rows[1].on_error == "go_on");
  CHECK(rows[1].state == "failed");
  CHECK(rows[1].reason == "no");
  CHECK(rows[1].result == "{\"r\":1}");
  CHECK(rows[1].started_at == 1);
  CHECK(rows[1].ended_at == 2);
  CHECK_THROWS_AS(Steps::insert(s.db, {.operation_id = "op", .ordinal = 2, .key = "pull", .kind = "pull"}),
                  util::Error);
}

TEST_CASE("two stacks never get the same port, but may remember it", "[store]") {
  Store s;
  const PortRow mine{.port = 40000,
                     .host_ip = "127.0.0.1",
                     .protocol = "tcp",
                     .stack_id = "a-1",
                     .service = "db",
                     .key = "5432"};
  PortRow other = mine;
  other.stack_id = "b-1";
  other.service = "web";
  Ports::put(s.db, mine);
  Ports::put(s.db, mine);  // again is no conflict with itself
  std::string message;
  try {
    Ports::put(s.db, other);
  } catch (const util::Error& error) {
    CHECK(error.kind() == util::ErrorKind::conflict);
    message = error.what();
  }
  CHECK(message == "cannot reserve port 40000/tcp for service web: service db of stack a-1 has it");
  other.protocol = "udp";
  CHECK_NOTHROW(Ports::put(s.db, other));
  Ports::release(s.db, "a-1");
  other.protocol = "tcp";
  CHECK_NOTHROW(Ports::put(s.db, other));
  const auto remembered = Ports::of_stack(s.db, "a-1");
  REQUIRE(remembered.size() == 1);
  CHECK(remembered[0].port == 40000);
  CHECK(remembered[0].host_ip == "127.0.0.1");
  CHECK_FALSE(remembered[0].active);
  CHECK_THROWS_AS(Ports::put(s.db, mine), util::Error);
  CHECK(Ports::all(s.db).size() == 2);
}

TEST_CASE("X30: the start of a replica comes back as it was put, is lost or stopped, and owed again",
          "[store]") {
  Store s;
  Starts::put(s.db, {"a-1", "db", 1, "old", "1", "stopped"});
  Starts::put(s.db, {"a-1", "db", 1, "one", "2026-01-01T00:00:00Z", "running"});
  Starts::put(s.db, {"a-1", "db", 2, "two", "2026-01-02T00:00:00Z", "stopped"});
  Starts::set_state(s.db, "one", "running", "lost");
  Starts::set_state(s.db, "two", "running", "lost");
  auto rows = Starts::of_stack(s.db, "a-1");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].container == "one");
  CHECK(rows[0].started_at == "2026-01-01T00:00:00Z");
  CHECK(rows[0].state == "lost");
  CHECK(rows[1].state == "stopped");
  Starts::owe(s.db, "a-1", "db");
  CHECK(Starts::of_stack(s.db, "a-1")[0].started_at.empty());
  Starts::remove(s.db, "a-1");
  CHECK(Starts::of_stack(s.db, "a-1").empty());
}

TEST_CASE("a process comes back as it was put", "[store]") {
  Store s;
  ProcessRow row{.stack_id = "a-1",
                 .service = "api",
                 .run_directory = "/r",
                 .log = "/l",
                 .definition = "d",
                 .log_offset = 1ull << 40,
                 .operation_id = "op",
                 .state = "ready",
                 .restarts = 3,
                 .streak = 2};
  Processes::put(s.db, {.stack_id = "a-1", .service = "api"});
  Processes::put(s.db, row);
  Processes::put(s.db, {.stack_id = "b-1", .service = "api"});
  const auto found = Processes::get(s.db, "a-1", "api");
  REQUIRE(found);
  CHECK(found->run_directory == "/r");
  CHECK(found->log == "/l");
  CHECK(found->definition == "d");
  CHECK(found->log_offset == 1ull << 40);
  CHECK(found->operation_id == "op");
  CHECK(found->state == "ready");
  CHECK(found->restarts == 3);
  CHECK(found->streak == 2);
  CHECK(Processes::of_stack(s.db, "a-1").size() == 1);
  CHECK(Processes::all(s.db).size() == 2);
  Processes::remove(s.db, "a-1", "api");
  CHECK_FALSE(Processes::get(s.db, "a-1", "api"));
}

TEST_CASE("events have numbers that are never given twice", "[store]") {
  Store s;
  CHECK(Events::newest(s.db) == 0);
  CHECK(Events::append(
            s.db, {.at = 3, .stack_id = "a-1", .operation_id = "op", .kind = "k", .data = "{\"d\":1}"}) == 1);
  CHECK(Events::append(s.db, {.stack_id = "b-1", .operation_id = "op2", .kind = "k", .data = "{}"}) == 2);
  CHECK(Events::append(s.db, {.kind = "engine.lost", .data = "{}"}) == 3);
  const auto first = Events::after(s.db, 0, "", "", 1);
  REQUIRE(first.size() == 1);
  CHECK(first[0].at == 3);
  CHECK(first[0].stack_id == "a-1");
  CHECK(first[0].operation_id == "op");
  CHECK(first[0].kind == "k");
  CHECK(first[0].data == "{\"d\":1}");
  CHECK(Events::after(s.db, 1, "", "", 10).size() == 2);
  CHECK(Events::after(s.db, 0, "b-1", "", 10).at(0).sequence == 2);
  CHECK(Events::after(s.db, 0, "", "op", 10).size() == 1);
  CHECK(Events::after(s.db, 0, "b-1", "op", 10).empty());
  Events::prune(s.db, 0);
  CHECK(Events::newest(s.db) == 3);
  CHECK(Events::append(s.db, {.kind = "k", .data = "{}"}) == 4);
}

TEST_CASE("pruning events keeps the newest", "[store]") {
  Store s;
  for (int i = 0; i < 10; ++i) Events::append(s.db, {.kind = "k", .data = "{}"});
  Events::prune(s.db, 20);
  CHECK(s.count("events") == 10);
  Events::prune(s.db, 3);
  const auto left = Events::after(s.db, 0, "", "", 100);
  REQUIRE(left.size() == 3);
  CHECK(left[0].sequence == 8);
}

TEST_CASE("every query that can grow uses an index", "[store]") {
  Store s;
  for (const std::string sql :
       {"SELECT 1 FROM operations WHERE state = 'running' ORDER BY number",
        "SELECT 1 FROM operations WHERE stack_id = :s ORDER BY number DESC LIMIT 5",
        "SELECT 1 FROM steps WHERE operation_id = :o ORDER BY ordinal",
        "SELECT 1 FROM hook_runs WHERE stack_id = :s ORDER BY number DESC LIMIT 5",
        "SELECT 1 FROM hook_runs WHERE operation_id = :o ORDER BY number",
        "SELECT 1 FROM hook_runs WHERE state = 'running' ORDER BY number",
        "SELECT 1 FROM events WHERE sequence > 5 AND stack_id = :s ORDER BY sequence LIMIT 5",
        "SELECT 1 FROM events WHERE sequence > 5 AND operation_id = :o ORDER BY sequence LIMIT 5",
        "SELECT 1 FROM events WHERE sequence > 5 ORDER BY sequence LIMIT 5"}) {
    INFO(sql);
    Statement plan(s.db, "EXPLAIN QUERY PLAN " + sql);
    while (plan.step()) {
      INFO(plan.text(3));
      CHECK(plan.text(3).find("TEMP B-TREE") == std::string::npos);
      CHECK((plan.text(3).find("USING") != std::string::npos));
    }
  }
}
