#include "client/text.hpp"

#include <stdio.h>

#include <memory>

#include "tests/support/catch.hpp"

using namespace stackd::client;

TEST_CASE("widths count columns, not bytes", "[client]") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("é€✓") == 3);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("e\xCC\x81") == 1);  // combining acute
  CHECK(display_width("🚀") == 2);
  CHECK(display_width("\xFF\xFE") == 2);  // not UTF-8: a replacement each
}

TEST_CASE("text is cut to a width without cutting a character", "[client]") {
  CHECK(fit("hello", 5) == "hello");
  CHECK(fit("hello!", 5) == "hell…");
  CHECK(fit("日本語", 5) == "日本…");
  CHECK(fit("日本語", 4) == "日…");
  CHECK(fit("x", 0).empty());
  CHECK(fit("ab", 1) == "…");
  for (int width = 1; width < 12; ++width) CHECK(display_width(fit("a日b本c語d✓e", width)) <= width);
  CHECK(pad("日", 4) == "日  ");
}

TEST_CASE("a foreign line cannot steer the terminal", "[client]") {
  CHECK(clean("\x1b[31mred\x1b[0m text") == "red text");
  CHECK(clean("\x1b]0;title\a!\x1b]8;;http://x\x1b\\link") == "!link");
  CHECK(clean("a\tb\rc\bd\x7f") == "a bcd");
  CHECK(clean("\xC2\x9B"
              "31m") == "31m");  // C1 CSI
  CHECK(clean("bad \xFF byte") == "bad \xEF\xBF\xBD byte");
  CHECK(clean("✓ \xEF\xBF\xBD") == "✓ \xEF\xBF\xBD");
  CHECK(clean("cut \x1b") == "cut ");
  CHECK(clean("cut \x1b[3") == "cut ");
}

TEST_CASE("durations are short, and read back", "[client]") {
  CHECK(duration_text(35) == "35ms");
  CHECK(duration_text(1234) == "1.2s");
  CHECK(duration_text(59'949) == "59.9s");
  CHECK(duration_text(59'951) == "1m00s");
  CHECK(duration_text(65'000) == "1m05s");
  CHECK(duration_text(7'380'000) == "2h03m");
  CHECK(duration_text(3'599'600) == "1h00m");
  CHECK(parse_duration("90") == 90'000);
  CHECK(parse_duration("1.5s") == 1500);
  CHECK(parse_duration("1m30s") == 90'000);
  CHECK(parse_duration("500ms") == 500);
  CHECK(parse_duration("2h") == 7'200'000);
  for (const char* wrong : {"", "s", "1x", "1m30", "-1s", "1 s", "1e3s", "99999999999999999999h"})
    CHECK_FALSE(parse_duration(wrong));
}

TEST_CASE("Figures of use are short", "[client]") {
  CHECK(percent_text(0.04) == "0.0%");
  CHECK(percent_text(12.34) == "12.3%");
  CHECK(percent_text(250) == "250%");
  CHECK(bytes_text(512) == "512B");
  CHECK(bytes_text(1'536'000) == "1.5MB");
  CHECK(bytes_text(999'960) == "1.0MB");
  CHECK(bytes_text(2'000'000'000) == "2.0GB");
}

TEST_CASE("a quoted value comes out of a shell as it went in", "[client]") {
  for (const std::string value :
       {"plain", "it's", "a \"b\" $HOME `id` \\n", "line\nline", "'", "", "日本 *?[x]"}) {
    std::string command = "printf '%s.' " + shell_quote(value);
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    REQUIRE(pipe);
    char buffer[256];
    std::size_t got = ::fread(buffer, 1, sizeof buffer, pipe.get());
    CHECK(std::string(buffer, got) == value + ".");
  }
  CHECK(is_shell_name("_A9"));
  CHECK_FALSE(is_shell_name("9A"));
  CHECK_FALSE(is_shell_name("A-B"));
  CHECK_FALSE(is_shell_name(""));
}

TEST_CASE("words for URLs, and near misses", "[client]") {
  CHECK(percent_encode("a b/ü~") == "a%20b%2F%C3%BC~");
  CHECK(nearest("statsu", {"start", "status", "stop"}) == "status");
  CHECK(nearest("zzz", {"start", "status"}).empty());
  CHECK(is_utf8("ü✓🚀\xEF\xBF\xBD"));
  CHECK_FALSE(is_utf8("\xC0\x80"));
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));  // a surrogate
  CHECK_FALSE(is_utf8("caf\xE9"));
  CHECK(lines_of("a\n\nb\n") == std::vector<std::string>{"a", "", "b"});
}

TEST_CASE("a log's line keeps its colours and tabs on a terminal, and nothing else that moves it",
          "[client]") {
  CHECK(harmless("plain\ttext") == "plain\ttext");
  CHECK(harmless("\x1b[31mred\x1b[0m") == "\x1b[31mred\x1b[0m\x1b[0m");
  CHECK(harmless("a\x1b[2J\x1b[1;1Hb\x1b]0;title\x07"
                 "c\rd\x08") == "abcd");
  CHECK(harmless("\x1b[31") == "");
}
