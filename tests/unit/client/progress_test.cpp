#include "client/output/progress.hpp"

#include "client/output/progress_model.hpp"
#include "client/output/table.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/client/screen.hpp"

using namespace stackd;
using namespace stackd::client;
using stackd::test::says;
using stackd::test::Screen;

namespace {

constexpr std::int64_t k_start = 1'800'000'000'000;

proto::Event event(const std::string& kind, nlohmann::json data) {
  proto::Event e;
  e.kind = kind;
  e.data = std::move(data);
  return e;
}

// A terminal of a given size, with a clock that the test moves.
struct Tty {
  Screen screen;
  Size size;
  std::int64_t now = k_start;
  std::string typed;
  std::unique_ptr<Progress> progress;

  explicit Tty(Size s, bool colour = false) : screen(s.columns), size(s) {
    progress = make_tty_progress([this](std::string_view text) { screen.write(text); }, colour,
                                 [this] { return size; }, [this] { return now; },
                                 [this] { return std::exchange(typed, ""); });
  }
  void tell(const std::string& kind, nlohmann::json data) {
    progress->event(event(kind, std::move(data)), "");
  }
  std::vector<std::string> rows() {
    progress->tick();
    return screen.rows();
  }
};

}  // namespace

TEST_CASE("a service that cannot begin yet says what it needs, until that is there", "[client]") {
  Tty tty({80, 20});
  proto::Operation operation;
  operation.steps = {
      {.key = "before_up[0]", .kind = "hook", .state = "running"},
      {.key = "image db", .kind = "image", .service = "db", .state = "done"},
      {.key = "create db-1", .kind = "create", .service = "db", .state = "running"},
      {.key = "ready db-1", .kind = "ready", .service = "db", .state = "pending", .needs = {"create db-1"}},
      {.key = "network default", .kind = "network", .state = "pending"},
      {.key = "create api-1",
       .kind = "create",
       .service = "api",
       .state = "pending",
       .needs = {"before_up[0]", "ready db-1", "image db", "network default"}}};
  tty.progress->planned(operation);
  const auto needs = [&] {
    for (const auto& row : tty.rows())
      if (says(row, "api ") && says(row, "pending"))
        return row.substr(row.find("needs") == std::string::npos ? row.size() : row.find("needs"));
    return std::string("no row");
  };
  CHECK(says(needs(), "needs before_up[0], db, network default"));
  tty.tell("step.ended", {{"key", "before_up[0]"}, {"kind", "hook"}, {"service", ""}, {"state", "done"}});
  tty.tell("step.ended",
           {{"key", "network default"}, {"kind", "network"}, {"service", ""}, {"state", "done"}});
  CHECK(needs() == "needs db");
  tty.tell("step.ended", {{"key", "ready db-1"}, {"kind", "ready"}, {"service", "db"}, {"state", "done"}});
  CHECK(needs().empty());
}

TEST_CASE("what runs for over five seconds has the last three lines it wrote under it; v opens all, q none",
          "[client]") {
  Tty tty({80, 20});
  tty.tell("hook.started", {{"run", "1"}, {"phase", "before_up"}, {"index", 0}, {"command", "migrate"}});
  for (const char* line : {"one", "two", "three", "four"})
    tty.tell("hook.output", {{"run", "1"}, {"line", line}});
  CHECK(tty.rows().size() == 1);
  tty.typed = "v";
  CHECK(tty.rows().size() == 4);
  tty.typed = "q";
  CHECK(tty.rows().size() == 1);

  Tty slow({80, 20});
  slow.tell("hook.started", {{"run", "1"}, {"phase", "before_up"}, {"index", 0}, {"command", "migrate"}});
  for (const char* line : {"one", "two", "three", "four"})
    slow.tell("hook.output", {{"run", "1"}, {"line", line}});
  slow.tell("service.status", {{"service", "db"}, {"status", "starting"}});
  slow.now += 5100;
  const auto rows = slow.rows();
  REQUIRE(rows.size() == 5);
  CHECK(says(rows[1], "│ two"));
  CHECK(says(rows[3], "│ four"));

  Tty small({80, 4});  // its rows come first
  small.tell("hook.started", {{"run", "1"}, {"phase", "before_up"}, {"index", 0}, {"command", "migrate"}});
  for (const char* line : {"one", "two", "three", "four"})
    small.tell("hook.output", {{"run", "1"}, {"line", line}});
  small.tell("service.status", {{"service", "db"}, {"status", "starting"}});
  small.typed = "v";
  const auto left = small.rows();
  REQUIRE(left.size() == 3);
  CHECK(says(left[1], "│ two"));
  CHECK(says(left[2], "db"));
}

TEST_CASE("a terminal shows one live line a service, redrawn in place", "[client]") {
  Tty tty({60, 20});
  tty.tell("step.started", {{"key", "pull db"}, {"kind", "pull"}, {"service", "db"}});
  tty.tell("service.status", {{"service", "api"}, {"status", "starting"}});
  tty.now += 1500;
  tty.tell("progress", {{"service", "db"}, {"text", "layer 3 of 7"}});
  auto rows = tty.rows();
  REQUIRE(rows.size() == 2);
  CHECK(says(rows[0], "db   pulling"));
  CHECK(says(rows[0], "1.5s"));
  CHECK(says(rows[0], "layer 3 of 7"));
  CHECK(says(rows[1], "api  starting"));

  tty.tell("step.ended", {{"key", "pull db"}, {"kind", "pull"}, {"service", "db"}, {"state", "done"}});
  tty.tell("service.status", {{"service", "db"}, {"status", "ready"}});
  tty.now += 9000;
  tty.progress->tick();
  rows = tty.rows();
  REQUIRE(rows.size() == 2);
  CHECK(says(rows[0], "api  starting    10.5s"));    // what is at work comes first
  CHECK(says(rows[1], "✓ db   ready        1.5s"));  // it took that long; it does not go on counting
}

TEST_CASE("a running hook shows its newest line, and when it has ended one line and its stderr stay",
          "[client]") {
  Tty tty({100, 20});
  tty.tell("hook.started",
           {{"run", "1"}, {"phase", "before_up"}, {"index", 0}, {"command", "./prepare"}, {"place", "host"}});
  tty.tell("service.status", {{"service", "api"}, {"status", "starting"}});
  tty.tell("hook.started", {{"run", "2"},
                            {"phase", "after_ready"},
                            {"index", 1},
                            {"service", "api"},
                            {"command", "./seed"},
                            {"place", "host"}});
  tty.now += 200;
  tty.tell("hook.output", {{"run", "2"}, {"line", "\x1b[32mrow 12\x1b[0m\r"}});
  auto rows = tty.rows();
  REQUIRE(rows.size() == 2);
  CHECK(says(rows[0], "before_up[0]  running     200ms  ./prepare"));
  CHECK(says(rows[1], "api           starting    200ms  api.after_ready[1] 200ms  ./seed  row 12"));

  tty.tell("hook.ended", {{"run", "1"},
                          {"phase", "before_up"},
                          {"index", 0},
                          {"state", "succeeded"},
                          {"exit_code", 0},
                          {"duration_ms", 1200},
                          {"stderr_tail", "careful\nnow\n"},
                          {"log", "/x.log"}});
  tty.tell("hook.ended", {{"run", "2"},
                          {"phase", "after_ready"},
                          {"index", 1},
                          {"service", "api"},
                          {"state", "failed"},
                          {"exit_code", 3},
                          {"duration_ms", 300},
                          {"stderr_tail", "boom"},
                          {"log", "/y.log"}});
  tty.tell("step.ended", {{"kind", "hook"}, {"service", "api"}, {"state", "done"}});  // it is a warning
  tty.progress->finish();
  CHECK(tty.screen.rows() ==
        std::vector<std::string>{"✓ before_up[0] ./prepare (1.2s)", "    careful", "    now",
                                 "✗ api.after_ready[1] ./seed failed with exit code 3 (300ms)", "    boom",
                                 "    log: /y.log"});
}

TEST_CASE("live lines never wrap, and never outgrow the window", "[client]") {
  for (int columns : {12, 20, 33, 80}) {
    Tty tty({columns, 6});
    for (int i = 0; i < 20; ++i)
      tty.tell("service.status", {{"service", "a-rather-long-name-日本-" + std::to_string(i)},
                                  {"status", "starting"},
                                  {"reason", "because it waits for everything else in the world"}});
    CHECK_FALSE(tty.screen.wrapped());
    auto rows = tty.rows();
    REQUIRE(rows.size() == 5);
    CHECK(says(rows.back(), "… and 16"));
    CHECK_FALSE(tty.screen.cursor());
    tty.progress->finish();
    CHECK(tty.screen.rows().empty());
    CHECK(tty.screen.cursor());
  }
}

TEST_CASE(
    "a head line says what is done, how far it is and what Ctrl-C does; what waits for others comes last",
    "[client]") {
  Tty tty({80, 20});
  auto started = event("operation.started", {{"kind", "up"}});
  started.stack = "my-shop-1f2e3d4c";
  tty.progress->event(started, "");
  proto::Operation planned;
  for (const char* name : {"web", "db", "cache"})
    planned.steps.push_back({.key = name, .kind = "start", .service = name, .state = "pending"});
  tty.progress->planned(planned);
  tty.tell("service.status", {{"service", "cache"}, {"status", "ready"}});
  tty.tell("step.started", {{"kind", "create"}, {"service", "db"}});
  tty.now += 2000;
  CHECK(tty.rows()[0] == "my-shop  up  1/3 ready  2.0s   Ctrl-C takes away what this up started");
  CHECK(says(tty.rows()[1], "db     creating     2.0s"));
  CHECK(says(tty.rows()[2], "· web    pending"));
  CHECK(says(tty.rows()[3], "✓ cache  ready"));
}

TEST_CASE("what is drawn is redrawn ten times a second at most, and a hook that went well leaves nothing",
          "[client]") {
  std::size_t draws = 0;
  std::int64_t now = k_start;
  auto progress = make_tty_progress([&](std::string_view) { ++draws; }, false,
                                    [] {
                                      return Size{80, 24};
                                    },
                                    [&] { return now; }, [] { return std::string(); });
  for (int i = 0; i < 1000; ++i) {
    progress->event(event("service.status", {{"service", "db"}, {"status", i % 2 ? "starting" : "ready"}}),
                    "");
    now += 2;
  }
  CHECK(draws <= 21);

  Tty tty({80, 20});
  tty.tell("hook.ended", {{"run", "1"},
                          {"phase", "before_up"},
                          {"index", 0},
                          {"command", "true"},
                          {"state", "succeeded"},
                          {"exit_code", 0}});
  tty.progress->finish();
  CHECK(tty.screen.rows().empty());
}

TEST_CASE("colour changes nothing but colour", "[client]") {
  auto shown = [](bool colour) {
    Tty tty({60, 20}, colour);
    tty.tell("warning", {{"message", "no space"}});
    tty.tell("service.status", {{"service", "db"}, {"status", "failed"}, {"reason", "exit code 1"}});
    tty.tell("operation.rolling_back", {{"kind", "up"}, {"reason", "db failed"}});
    return tty.rows();
  };
  CHECK(shown(true) == shown(false));
  CHECK(shown(false)[0] == "warning: no space");
  CHECK(paint("x", Tone::bad, false) == "x");
  CHECK(paint("x", Tone::bad, true) != "x");
}

TEST_CASE("what a roll-back does is told by the operation's kind", "[client]") {
  ProgressModel model;
  const auto line = [&](const std::string& kind) {
    const auto change = model.apply(event("operation.rolling_back", {{"kind", kind}, {"reason", "no"}}), 0);
    return change.lines.at(0).text;
  };
  CHECK(line("up") == "taking away what was started");
  CHECK(line("start") == "taking away what was started");
  CHECK(line("restart") == "going back to what ran");
  CHECK(line("stop") == "ending the hooks that run");
}

TEST_CASE("a pipe gets plain lines, one for every change", "[client]") {
  std::string text;
  auto progress = make_plain_progress([&](std::string_view part) { text += part; }, false);
  auto tell = [&](const std::string& kind, nlohmann::json data) {
    progress->event(event(kind, std::move(data)), "");
  };
  tell("step.started", {{"kind", "pull"}, {"service", "db"}});
  tell("progress", {{"service", "db"}, {"text", "layer 1"}});
  tell("step.ended", {{"kind", "pull"}, {"service", "db"}});
  tell("service.status", {{"service", "db"}, {"status", "starting"}});
  tell("service.status", {{"service", "db"}, {"status", "starting"}});
  tell("hook.output", {{"run", "1"}, {"line", "chatter"}});
  tell("hook.ended", {{"run", "1"},
                      {"phase", "post_start"},
                      {"index", 0},
                      {"service", "db"},
                      {"state", "skipped"},
                      {"reason", "it ran before"}});
  tell("service.status", {{"service", "db"}, {"status", "unhealthy"}, {"reason", "no answer"}});
  progress->note("lost the daemon");
  CHECK(says(text, "db: pulling\ndb: starting\n- db.post_start[0] skipped: it ran before\ndb: unhealthy"));
  CHECK(says(text, ": no answer\nlost the daemon\n"));
  CHECK_FALSE(says(text, "layer"));
  CHECK_FALSE(says(text, "\x1b"));
}

TEST_CASE("where no status is told, the steps tell how a service is", "[client]") {
  std::string text;
  auto progress = make_plain_progress([&](std::string_view part) { text += part; }, false);
  auto step = [&](const std::string& kind, const std::string& state, const std::string& reason = "") {
    for (auto told :
         {event("step.started", {{"kind", kind}, {"service", "db"}}),
          event("step.ended", {{"kind", kind}, {"service", "db"}, {"state", state}, {"reason", reason}})}) {
      told.at = "2026-08-01T09:30:00.000Z";  // all at once, so that no duration is shown
      progress->event(told, "");
    }
  };
  step("image", "skipped");
  step("create", "done");
  step("start", "done");
  step("ready", "done");
  step("settle", "done");  // says nothing about a service
  step("stop", "done");
  step("remove", "done");
  step("start", "failed", "no such file");
  CHECK(text ==
        "db: preparing\ndb: creating\ndb: starting\ndb: waiting\ndb: ready\ndb: stopping\ndb: stopped\ndb: "
        "removing\ndb: down\ndb: starting\ndb: failed\n");
}

TEST_CASE("a long or many-lined script is known by its beginning", "[client]") {
  proto::HookRun run;
  run.phase = "after_up";
  run.state = "succeeded";
  run.command = "set -e\nmake all";
  CHECK(hook_lines(run)[0].text == "✓ after_up[0] set -e …");
  run.command = std::string(200, 'x');
  CHECK(display_width(hook_lines(run)[0].text) < 110);
  run.command = "./x";
  run.state = "failed";
  run.exit_code = 143;
  run.reason = "timed out after 5s\nlast words";
  CHECK(hook_lines(run)[0].text == "✗ after_up[0] ./x failed with exit code 143: timed out after 5s");
}

TEST_CASE("--json passes the events on as they came", "[client]") {
  std::string out, err;
  auto progress = make_json_progress([&](std::string_view part) { out += part; },
                                     [&](std::string_view part) { err += part; });
  progress->event(event("warning", {{"message", "x"}}), R"({"kind":"warning","new_field":1})");
  progress->note("lost the daemon");
  CHECK(out == "{\"kind\":\"warning\",\"new_field\":1}\n");
  CHECK(err == "lost the daemon\n");
}

TEST_CASE("a table's columns are as wide as they must be, and its last is cut to the window", "[client]") {
  Table table({"NAME", "STATUS", "WHERE"});
  table.add({"日本", "up", "/a/very/long/path/to/somewhere"});
  table.add({"x\x1b[2J", "", ""});
  CHECK(table.text(false) == "NAME  STATUS  WHERE\n日本  up      /a/very/long/path/to/somewhere\nx\n");
  CHECK(says(table.text(false, 24), "日本  up      /a/very/l…\n"));
  CHECK(says(table.text(false, 10), "somewhere"));  // nothing sensible fits: it wraps
}
