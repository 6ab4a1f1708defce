#include "client/attach.hpp"

#include "tests/support/catch.hpp"

using stackd::client::DetachKeys;

TEST_CASE("Ctrl-P Ctrl-Q lets go, in one piece or two, and Ctrl-P with another key is both", "[client]") {
  DetachKeys at_once;
  CHECK(at_once.pass("ls\r\x10\x11more") == "ls\r");
  CHECK(at_once.seen());

  DetachKeys apart;
  CHECK(apart.pass("a\x10") == "a");
  CHECK(!apart.seen());
  CHECK(apart.pass("\x11").empty());
  CHECK(apart.seen());

  DetachKeys history;  // a shell's "line before"
  CHECK(history.pass("\x10").empty());
  CHECK(history.pass("x") == "\x10x");
  CHECK(history.pass("\x10\x10") == "\x10");
  CHECK(history.pass("\x11").empty());
  CHECK(history.seen());

  DetachKeys lone;
  CHECK(lone.pass("\x11") == "\x11");
  CHECK(!lone.seen());
}
