// Who comes after whom, and who is meant by names.
#include "daemon/plan/order.hpp"

#include "tests/unit/daemon/plan/planned.hpp"

using namespace stackd;
using namespace stackd::test;
using plan::Order;
using Names = std::set<std::string>;

namespace {

// a <- b <- c, with restart: true from b to c only; d apart.
File chain() {
  File file;
  file.container("a");
  file.container("b").after("a");
  file.container("c").restarts_with("b");
  file.container("d");
  return file;
}

Names chosen(plan::Kind kind, const std::vector<std::string>& named, bool no_deps = false) {
  return plan::selected_by(chain().spec, {"now", kind, {.services = named, .no_deps = no_deps}});
}

}  // namespace

TEST_CASE("services come after their depends_on, of which names that the file does not have are left out",
          "[plan][order]") {
  auto file = chain();
  file["d"].after("nobody");
  CHECK(plan::comes_after(file.spec) == Order{{"a", {}}, {"b", {"a"}}, {"c", {"b"}}, {"d", {}}});
}

TEST_CASE("X33: a process without depends_on comes after every container but those behind it",
          "[plan][order]") {
  File file;
  file.process("api");
  file.container("db");
  file.container("front").after("api");
  file.oneshot("seed").after_nothing();
  CHECK(plan::comes_after(file.spec) == Order{{"api", {"db"}}, {"db", {}}, {"front", {"api"}}, {"seed", {}}});
}

TEST_CASE("X33: however many processes have containers behind them, there is no circle", "[plan][order]") {
  File file;
  for (const auto* name : {"p", "q", "r"}) {
    file.process(name);
    file.container(std::string("on-") + name).after(name);
  }
  CHECK(plan::comes_after(file.spec) == Order{{"p", {"on-q", "on-r"}},
                                              {"q", {"on-r"}},
                                              {"r", {}},
                                              {"on-p", {"p"}},
                                              {"on-q", {"q"}},
                                              {"on-r", {"r"}}});
}

TEST_CASE("C10: whom a request is about, by its kind", "[plan][order]") {
  const Names all{"a", "b", "c", "d"};
  for (const auto kind :
       {plan::Kind::up, plan::Kind::start, plan::Kind::stop, plan::Kind::restart, plan::Kind::down})
    CHECK(chosen(kind, {}) == all);
  // With what it depends on.
  CHECK(chosen(plan::Kind::up, {"b"}) == Names{"a", "b"});
  CHECK(chosen(plan::Kind::start, {"b", "d"}) == Names{"a", "b", "d"});
  CHECK(chosen(plan::Kind::up, {"b"}, true) == Names{"b"});
  // With what depends on it, with what restarts with it, by itself.
  CHECK(chosen(plan::Kind::down, {"a"}) == Names{"a", "b", "c"});
  CHECK(chosen(plan::Kind::restart, {"a"}) == Names{"a"});
  CHECK(chosen(plan::Kind::restart, {"b"}) == Names{"b", "c"});
  CHECK(chosen(plan::Kind::stop, {"a"}) == Names{"a"});
}
