#include "client/sse.hpp"

#include <vector>

#include "tests/support/catch.hpp"

using namespace stackd::client;

namespace {

std::vector<SseEvent> events_of(const std::string& bytes, std::size_t cut) {
  SseParser parser;
  std::vector<SseEvent> events;
  auto keep = [&](const SseEvent& event) { events.push_back(event); };
  parser.feed(std::string_view(bytes).substr(0, cut), keep);
  parser.feed(std::string_view(bytes).substr(cut), keep);
  return events;
}

}  // namespace

TEST_CASE("an event stream is the same wherever it is cut, whatever ends its lines", "[client]") {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    std::string bytes = "\xEF\xBB\xBF: a comment" + end + "id: 7" + end + "event: step.started" + end +
                        "data: {\"a\":1," + end + "data:  \"b\":2}" + end + end + ":keep-alive" + end + end +
                        "data:note" + end + "retry: 5" + end + "unknown" + end + end + "id: 9" + end +
                        "data" + end + end + "data: unfinished" + end;
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      INFO("cut at " << cut << " of " << bytes.size());
      auto events = events_of(bytes, cut);
      REQUIRE(events.size() == 3);
      CHECK(events[0].id == "7");
      CHECK(events[0].event == "step.started");
      CHECK(events[0].data == "{\"a\":1,\n \"b\":2}");
      CHECK(events[1].id == "7");  // a passing note has none of its own: the stream goes on after 7
      CHECK(events[1].event.empty());
      CHECK(events[1].data == "note");
      CHECK(events[2].id == "9");
      CHECK(events[2].data.empty());
    }
  }
}
