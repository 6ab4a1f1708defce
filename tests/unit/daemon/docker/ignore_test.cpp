#include "daemon/docker/ignore.hpp"

#include "daemon/util/error.hpp"
#include "tests/support/catch.hpp"

using stackd::docker::Ignore;
using stackd::docker::matches_pattern;

TEST_CASE("Patterns match as Docker's do", "[docker]") {
  struct Case {
    const char* pattern;
    const char* path;
    bool matches;
  };
  const auto c = GENERATE(values<Case>({
      {"*", "a", true},
      {"*", "a/b", false},
      {"*.md", "README.md", true},
      {"*.md", "docs/README.md", false},
      {"*/temp*", "dir/temporary.txt", true},
      {"*/temp*", "dir/sub/temp", false},
      {"*/*/temp*", "dir/sub/temp", true},
      {"temp?", "tempa", true},
      {"temp?", "temp", false},
      {"temp?", "temp/", false},
      {"**", "a/b/c", true},
      {"**/*.go", "main.go", true},
      {"**/*.go", "a/b/main.go", true},
      {"**/*.go", "a/b/main.goo", false},
      {"**/node_modules", "web/node_modules", true},
      {"**/node_modules", "web/my_node_modules", false},
      {"a/**", "a/b/c", true},
      {"a/**", "a", false},
      {"a/**/z", "a/z", true},
      {"a/**/z", "a/b/c/z", true},
      {"a/**/z", "a/b/cz", false},
      {"a**z", "az", true},
      {"a**z", "ab/z", true},
      {"[a-c]x", "bx", true},
      {"[a-c]x", "dx", false},
      {"[^a-c]x", "dx", true},
      {"[^a]", "/", false},
      {"[a]]", "a]", true},
      {"[\\]]", "]", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"a.c", "abc", false},
      {"a+(b)", "a+(b)", true},
      {"", "a", false},
  }));
  INFO(c.pattern << " on " << c.path);
  CHECK(matches_pattern(c.pattern, c.path) == c.matches);
}

TEST_CASE("The last pattern that matches decides", "[docker]") {
  const Ignore ignore("*.md\n!README*.md\nREADME-secret.md\n");
  CHECK(ignore.excluded("notes.md"));
  CHECK_FALSE(ignore.excluded("README.md"));
  CHECK(ignore.excluded("README-secret.md"));
  CHECK_FALSE(ignore.excluded("main.c"));

  const Ignore other("*.md\nREADME-secret.md\n!README*.md\n");
  CHECK_FALSE(other.excluded("README-secret.md"));
}

TEST_CASE("A pattern for a directory holds for all below it, an exception too", "[docker]") {
  const Ignore ignore("build\n!build/keep\nbuild/keep/not\n");
  CHECK(ignore.excluded("build"));
  CHECK(ignore.excluded("build/a/b"));
  CHECK_FALSE(ignore.excluded("build/keep"));
  CHECK_FALSE(ignore.excluded("build/keep/a/b"));
  CHECK(ignore.excluded("build/keep/not/x"));
  CHECK_FALSE(ignore.excluded("building"));
}

TEST_CASE("Comments, blanks, byte order mark, slashes and dots mean nothing", "[docker]") {
  const Ignore ignore("\xef\xbb\xbf# comment\r\n\r\n  /a/ \r\n./b/../c\n! d\n.\n/\n");
  CHECK(ignore.excluded("a"));
  CHECK(ignore.excluded("c/x"));
  CHECK_FALSE(ignore.excluded("b"));
  CHECK_FALSE(ignore.excluded("# comment"));
  CHECK_FALSE(ignore.excluded("d"));
  CHECK_FALSE(ignore.excluded("e"));
}

TEST_CASE("An excluded directory is entered only when an exception may match in it", "[docker]") {
  const Ignore exact("node_modules\n*\n!src/lib/keep.c\n");
  CHECK(exact.may_except_below("src"));
  CHECK(exact.may_except_below("src/lib"));
  CHECK_FALSE(exact.may_except_below("src/lib/keep.c"));
  CHECK_FALSE(exact.may_except_below("node_modules"));
  CHECK_FALSE(exact.may_except_below("sr"));

  const Ignore wild("*\n!src/*/x\n!**/*.go\n");
  CHECK(wild.may_except_below("anything"));
  CHECK(Ignore("*\n!src/*/x\n").may_except_below("src/a"));
  CHECK_FALSE(Ignore("*\n!src/*/x\n").may_except_below("lib"));
}

TEST_CASE("Patterns that cannot be are refused", "[docker]") {
  CHECK_THROWS_AS(Ignore("!"), stackd::util::Error);
  CHECK_THROWS_AS(Ignore("a[b"), stackd::util::Error);
  CHECK_NOTHROW(Ignore("a\\[b"));
  CHECK_NOTHROW(Ignore("[ab][c]"));
}
