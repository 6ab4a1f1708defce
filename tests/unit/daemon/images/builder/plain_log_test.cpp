#include "daemon/images/builder/plain_log.hpp"

#include "tests/support/catch.hpp"

using namespace stackd::builder;

namespace {

struct Told {
  std::vector<std::string> lines;
  bool streams = false;
  PlainLog log{[this](const std::string& line) { lines.push_back(line); }, streams};

  wire::Vertex& vertex(wire::StatusResponse& status, const std::string& digest, int began, int ended) {
    auto& vertex = *status.add_vertexes();
    vertex.set_digest(digest);
    vertex.set_name("step " + digest);
    if (began) vertex.mutable_started()->set_seconds(began);
    if (ended) vertex.mutable_completed()->set_seconds(ended);
    return vertex;
  }
  void move(const std::string& digest, int at, int bytes, bool ended) {
    wire::StatusResponse status;
    auto& part = *status.add_statuses();
    part.set_vertex(digest);
    part.set_id("transferring context:");
    part.set_current(bytes);
    part.mutable_started()->set_seconds(10);
    part.mutable_timestamp()->set_seconds(at);
    if (ended) part.mutable_completed()->set_seconds(at);
    log.add(status);
  }
  void print(const std::string& digest, int at, const std::string& text, int stream = 1) {
    wire::StatusResponse status;
    auto& entry = *status.add_logs();
    entry.set_stream(stream);
    entry.set_vertex(digest);
    entry.mutable_timestamp()->set_seconds(at);
    entry.set_text(text);
    log.add(status);
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("steps are numbered as they begin, and say how they end", "[builder][log]") {
  Told told;
  wire::StatusResponse status;
  told.vertex(status, "waits", 0, 0);
  told.vertex(status, "a", 10, 0);
  told.log.add(status);
  wire::StatusResponse later;
  told.vertex(later, "a", 10, 12);
  told.vertex(later, "b", 12, 12).set_cached(true);
  told.log.add(later);
  told.log.add(later);
  CHECK(told.lines == Lines{"#1 step a", "#2 step b", "#1 DONE 2.0s", "#2 CACHED"});
}

TEST_CASE("output comes in whole lines with the seconds since its step began", "[builder][log]") {
  Told told;
  wire::StatusResponse status;
  told.vertex(status, "a", 10, 0);
  told.log.add(status);
  told.print("a", 11, "one\ntw");
  told.print("a", 12, "o\n10%\r20%\r\n");
  told.print("a", 13, "no end");
  told.log.finish();
  CHECK(told.lines == Lines{"#1 step a", "#1 1.000 one", "#1 2.000 two", "#1 2.000 20%", "#1 0.000 no end"});
}

TEST_CASE("the step that failed is remembered with its last lines, and one that was only ended is not",
          "[builder][log]") {
  Told told;
  wire::StatusResponse status;
  told.vertex(status, "a", 10, 0);
  told.vertex(status, "b", 10, 0);
  told.log.add(status);
  for (int i = 0; i < 30; ++i) told.print("a", 11, "line " + std::to_string(i) + "\n");
  wire::StatusResponse end;
  told.vertex(end, "a", 10, 12).set_error("exit code: 7");
  told.vertex(end, "b", 10, 12).set_error("context canceled");
  told.log.add(end);
  const auto failed = told.log.failed();
  REQUIRE(failed.size() == 21);
  CHECK(failed.front() == "step a");
  CHECK(failed[1] == "line 10");
  CHECK(failed.back() == "line 29");
  CHECK(told.lines.back() == "#2 CANCELED");
}

TEST_CASE("sizes are as people read them", "[builder][log]") {
  CHECK(readable_size(0) == "0B");
  CHECK(readable_size(999) == "999B");
  CHECK(readable_size(1500) == "1.5kB");
  CHECK(readable_size(37'200'000) == "37.2MB");
}

TEST_CASE("what is moved is told once a second with its rate, and at its end", "[builder][log]") {
  Told told;
  wire::StatusResponse status;
  told.vertex(status, "a", 10, 0);
  told.log.add(status);
  told.move("a", 10, 1'000'000, false);
  told.move("a", 12, 4'000'000, false);
  told.move("a", 12, 5'000'000, false);
  told.move("a", 13, 9'000'000, true);
  told.move("a", 14, 9'000'000, true);
  CHECK(told.lines == Lines{"#1 step a", "#1 transferring context: 4.0MB 2.0s 2.0MB/s",
                            "#1 transferring context: 9.0MB 3.0s 3.0MB/s done"});
}

TEST_CASE("for a program the streams are told apart, and what was there already is one line",
          "[builder][log]") {
  Told told{.lines = {}, .streams = true};
  wire::StatusResponse status;
  told.vertex(status, "a", 10, 0).set_name("RUN <<x\necho\nx");
  told.vertex(status, "b", 10, 10).set_cached(true);
  told.log.add(status);
  told.print("a", 11, "half", 1);
  told.print("a", 11, "bad\n", 2);
  told.print("a", 11, " and half\n", 1);
  CHECK(told.lines ==
        Lines{"#1 RUN <<x echo x", "#2 CACHED step b", "#1 1.000 2> bad", "#1 1.000 1> half and half"});
}
