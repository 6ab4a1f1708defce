#include "daemon/store/records.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/daemon/store/store_fixture.hpp"

using namespace stackd;
using namespace stackd::store;

TEST_CASE("a hook run comes back as it was put, and again when it has ended", "[store]") {
  Store s;
  HookRunRow row{.id = "op-3-2",
                 .stack_id = "a-1",
                 .operation_id = "op",
                 .step = 3,
                 .phase = "post_start",
                 .service = "db",
                 .container = "c",
                 .place = "exec",
                 .command = "true",
                 .index = 4,
                 .attempt = 2,
                 .reason = "created",
                 .log = "/l",
                 .definition = "d",
                 .started_at = 5};
  HookRuns::put(s.db, row);
  CHECK(ids(HookRuns::running(s.db)) == Ids{"op-3-2"});
  CHECK_FALSE(HookRuns::get(s.db, "op-3-2")->exit_code);
  row.state = "failed";
  row.exit_code = 17;
  row.out_tail = "out";
  row.err_tail = "err";
  row.ended_at = 6;
  HookRuns::put(s.db, row);
  const auto found = HookRuns::get(s.db, "op-3-2");
  REQUIRE(found);
  CHECK(found->operation_id == "op");
  CHECK(found->step == 3);
  CHECK(found->phase == "post_start");
  CHECK(found->container == "c");
  CHECK(found->place == "exec");
  CHECK(found->command == "true");
  CHECK(found->index == 4);
  CHECK(found->attempt == 2);
  CHECK(found->exit_code == 17);
  CHECK(found->reason == "created");
  CHECK(found->log == "/l");
  CHECK(found->out_tail == "out");
  CHECK(found->err_tail == "err");
  CHECK(found->definition == "d");
  CHECK(found->started_at == 5);
  CHECK(found->ended_at == 6);
  CHECK(HookRuns::running(s.db).empty());
  CHECK(HookRuns::of_operation(s.db, "op").size() == 1);
}

TEST_CASE("X1, X3: the last run and the success of a definition are asked by container or for any",
          "[store]") {
  Store s;
  s.hook("1", "succeeded", "d1", "c1");
  s.hook("2", "failed", "d2", "c1");
  s.hook("3", "succeeded", "d2", "c2");
  s.hook("4", "skipped", "d2", "c1");
  s.hook("5", "cancelled", "d2", "c1");
  const auto last = [&](const std::string& container) {
    return HookRuns::last(s.db, "a-1", "db", "pre_start", 0, container)->id;
  };
  CHECK(last("") == "3");
  CHECK(last("c1") == "2");
  CHECK_FALSE(HookRuns::last(s.db, "a-1", "db", "pre_start", 1, ""));
  const auto succeeded = [&](const std::string& definition, const std::string& container) {
    return HookRuns::succeeded(s.db, "a-1", "db", "pre_start", definition, container);
  };
  CHECK(succeeded("d2", ""));
  CHECK(succeeded("d2", "c2"));
  CHECK_FALSE(succeeded("d2", "c1"));
  CHECK(succeeded("d1", "c1"));
  CHECK_FALSE(succeeded("d3", ""));
}
