#include "daemon/util/text.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using namespace stackd::util;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

TEST_CASE("splitting and joining are each other's opposite, empty parts and all", "[util]") {
  for (const std::string text : {"", "a", "a,b", ",a,,b,"}) CHECK(join(split(text, ','), ",") == text);
  CHECK(split("a,,b", ',') == Words{"a", "", "b"});
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim(" \n") == "");
}

TEST_CASE("a word is quoted for the shell whatever is in it", "[util]") {
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("$HOME a") == "'$HOME a'");
  CHECK(shell_quoted("it's") == "'it'\\''s'");
}

TEST_CASE("a slip of the hand has a nearest name, anything else has none", "[util]") {
  const Words known{"depends_on", "image", "volumes"};
  CHECK(nearest("depnds_on", known) == "depends_on");
  CHECK(nearest("imagee", known) == "image");
  CHECK(nearest("Volumes", known) == "volumes");
  CHECK_FALSE(nearest("entirely_else", known));
  CHECK_FALSE(nearest("image", {}));
}

TEST_CASE("durations are Go's, and come back as they were written", "[util]") {
  CHECK(parse_duration("1m30s") == 90s);
  CHECK(parse_duration("1.5h") == 90min);
  CHECK(parse_duration("500ms") == 500ms);

  CHECK(parse_duration("10", 1000ms) == 10s);
  for (const std::string wrong : {"", "s", "1x", "1m 30s", "1,5s", "--1s"})
    CHECK_FALSE(parse_duration(wrong));
  for (const auto value : {0ms, 1ms, 999ms, 1000ms, 61'000ms, 3'600'000ms, 90'061'001ms})
    CHECK(parse_duration(format_duration(value)) == value);
}

TEST_CASE("a command line's words are a shell's, with nothing expanded", "[util]") {
  CHECK(split_words("  sh -c 'echo \"$A\"'  x\\ y \"a b\"c ''") ==
        Words{"sh", "-c", "echo \"$A\"", "x y", "a bc", ""});
  CHECK(split_words("\"a\\\"b\" '\\n'") == Words{"a\"b", "\\n"});
  CHECK(split_words("").empty());
  for (const std::string open : {"'a", "\"a"}) CHECK_THROWS_AS(split_words(open), Error);
}

TEST_CASE("the last lines leave out what is blank or overwritten, and keep to their limits", "[util]") {
  CHECK(tail_lines("a\n\n  \nb\n") == Words{"a", "b"});
  CHECK(tail_lines("10%\r50%\r100%\ndone") == Words{"100%", "done"});
  CHECK(tail_lines("1\n2\n3\n4", 2) == Words{"3", "4"});
  CHECK(tail_lines("bad \xff byte") == Words{"bad  byte"});
  std::size_t bytes = 0;
  for (const auto& line : tail_lines(std::string(300, 'x') + "\n" + std::string(300, 'y'), 10, 400))
    bytes += line.size();
  CHECK(bytes <= 400);
  CHECK(bytes >= 300);
}

TEST_CASE("what is not UTF-8 is dropped, what is stays", "[util]") {
  CHECK(valid_utf8("aé日😀") == "aé日😀");
  CHECK(valid_utf8("a\xc3") == "a");
  CHECK(valid_utf8("\xed\xa0\x80z") == "z");      // a surrogate
  CHECK(valid_utf8("\xc0\xafz") == "z");          // longer than it need be
  CHECK(valid_utf8("\xf4\x90\x80\x80z") == "z");  // beyond the last
}

TEST_CASE("X35: the line that says most of an end is the last that tells of a failure and is no frame",
          "[util]") {
  struct Row {
    const char *text, *line;
  };
  const Row rows[] = {
      {"begin\nFATAL set DATABASE_URL\n    at main (app.js:1)\n    at run (app.js:2)\n",
       "FATAL set DATABASE_URL"},
      {"Traceback (most recent call last):\n  File \"x.py\", line 1\n    f()\nKeyError: 'x'\n",
       "KeyError: 'x'"},
      {"panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:3 +0x1d\nexit status 2\n", "panic: boom"},
      {"one\ntwo\n", "two"},
      {"    only\n    frames\n", "    frames"},
      {"", ""}};
  for (const auto& row : rows) CHECK(telling_line(row.text) == row.line);
}

TEST_CASE("X35: it comes first when it stands before the last lines, with how many are between", "[util]") {
  std::string text = "begin\nFATAL set DATABASE_URL\n";
  for (int frame = 0; frame < 30; ++frame) text += "    at frame " + std::to_string(frame) + "\n";
  const auto lines = telling_lines(text, 5);
  CHECK(lines == std::vector<std::string>{"FATAL set DATABASE_URL", "… 27 lines", "    at frame 27",
                                          "    at frame 28", "    at frame 29"});
  CHECK(telling_lines("a\nerror: b\nc\n", 5) == std::vector<std::string>{"a", "error: b", "c"});
}
