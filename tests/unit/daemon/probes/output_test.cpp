// What readiness finds in output, whatever pieces it comes in.
#include "daemon/probes/output.hpp"

#include <chrono>

#include "tests/support/catch.hpp"

namespace stackd::probes {
namespace {

bool finds(const std::string& pattern, const std::string& lines) {
  return LinePattern(pattern).find(lines).has_value();
}

TEST_CASE("a pattern is looked for in each line by itself", "[probes]") {
  struct Row {
    const char *pattern, *lines;
    bool found;
  };
  for (const auto& row : std::vector<Row>{{"ready", "not yet\nI am ready now\n", true},
                                          {"^ready$", "not\nready\nyet\n", true},
                                          {"^ready$", "already\n", false},
                                          {"\\Aready\\z", "not\nready\n", true},
                                          {"(?-m:^ready$)", "not\nready\n", true},
                                          {"a.b", "a\nb\n", false},
                                          {"a[^x]b", "a\nb\n", false},
                                          {"a\\sb", "a\nb\n", false},
                                          {"(?i)READY", "ready\n", true},
                                          {"^$", "a\n\nb\n", true},
                                          {"prompt> $", "x\nprompt> ", true}})
    CHECK(finds(row.pattern, row.lines) == row.found);
}

TEST_CASE("a line ends before a carriage return, and a terminal's colours are no part of it", "[probes]") {
  CHECK(finds("^ready$", "ready\r\n"));
  CHECK(finds("^ready$", "one\r\nready\r\r\nthree\r\n"));
  CHECK(finds("^ready to go$", "\x1b[32mready\x1b[0m to\x1b[1;31m go\x1b[m\r\n"));
  CHECK(finds("^ready$", "\x1b]0;a title\aready\n"));
  CHECK(finds("^ready$", "\x1b]0;a title\x1b\\ready\n"));
  CHECK(finds("\\x1b\\[32m", "\x1b[32mready\n"));  // who wants to see them does
  CHECK(finds("^10%\r20%$", "10%\r20%\n"));
}

TEST_CASE("L3.4: a value is group 1 when there is one, and ends with its line", "[probes]") {
  CHECK(LinePattern("http://[^ ]+").extract("x\nopen at http://a:1/x\nsecond\n") == "http://a:1/x");
  CHECK(LinePattern("port: (\\d+)").extract("port: 12\r\n") == "12");
  CHECK_FALSE(LinePattern("port: (\\d+)").extract("port: none\n"));
}

TEST_CASE("L3.4: a capture of several lines is found where two pieces meet, and far behind", "[probes]") {
  Capture capture("token", "token\\n(\\w+)");
  capture.look_at(std::string(200'000, 'x') + "\ntok");
  capture.look_at("en\nab");
  CHECK(capture.value == "ab");
  capture.look_at("c\ntoken\nother\n");
  CHECK(capture.value == "ab");
}

TEST_CASE("64 KB of short lines are looked at in less than a turn of the loop", "[probes]") {
  std::string flood;
  while (flood.size() < 64 * 1024) flood += "y\n";
  const LinePattern pattern("^ready [0-9]+$");
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) CHECK_FALSE(pattern.find(flood));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100));
}

}  // namespace
}  // namespace stackd::probes
