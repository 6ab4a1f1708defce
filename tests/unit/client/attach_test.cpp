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

TEST_CASE("The keys that let go are those of --detach-keys, and what only looks like them is typed",
          "[client]") {
  using stackd::client::keys_of;
  CHECK(keys_of("ctrl-p,ctrl-q") == "\x10\x11");
  CHECK(keys_of("ctrl-@,x,ctrl-[") == std::string("\0x\x1b", 3));
  CHECK(keys_of("").empty());
  for (const std::string wrong : {"ctrl-", "ctrl-1", "alt-x", "xy"}) {
    INFO(wrong);
    CHECK_THROWS(keys_of(wrong));
  }
  DetachKeys three("abc");
  CHECK(three.pass("xab") == "x");
  CHECK(three.pass("ab") == "ab");  // those before are keys like any other
  CHECK_FALSE(three.seen());
  CHECK(three.pass("cd").empty());
  CHECK(three.seen());
  DetachKeys none("");
  CHECK(none.pass("\x10\x11") == "\x10\x11");
  CHECK_FALSE(none.seen());
}
