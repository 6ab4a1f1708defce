#!/usr/bin/env python3
"""Finds what GCC 12 destroys twice: a lambda that owns what it captured, or an aggregate in braces, written inside a
co_await expression.

  co_await run([name] { … });                          // refused, and so is co_await run({name, steps});
  auto work = [name] { … };  co_await run(work);       // what to write instead

  found ? co_await a() : b()                           # refused too: GCC 12 runs both sides

Captures by reference and `this` own nothing and are let through. Prints each place; exits with 1 when there is one."""

import re
import subprocess
import sys

CHOICE = re.compile(r"\?\s*co_await\b|\?[^;?{}]*?[^:]:\s*co_await\b")
HARMLESS = re.compile(r"(&|=?this|&\w+|[\s,])*")


def closures(text):
    """Offsets of the capture lists, and of the arguments in braces, that are part of an operand of co_await."""
    for awaited in re.finditer(r"\bco_await\b", text):
        depth, at = 0, awaited.end()
        while at < len(text):
            char = text[at]
            if char == "[" and text[at - 1] in "(, \n{":
                end = text.index("]", at)
                after = text[end + 1:].lstrip()[:1]
                if after in ("(", "{") and not HARMLESS.fullmatch(text[at + 1:end]):
                    yield at
            if char == "{" and depth > 0 and text[:at].rstrip()[-1] in "(," and text[at + 1:].lstrip()[:1] != "}":
                yield at
            if char in "([{":
                depth += 1
            elif char in ")]}":
                depth -= 1
                if depth < 0:
                    break
            elif char == ";" and depth == 0:
                break
            at += 1


def main():
    files = sys.argv[1:] or subprocess.run(["git", "ls-files", "*.cpp", "*.hpp"], capture_output=True, text=True,
                                           check=True).stdout.split()
    found = 0
    for file in files:
        with open(file, encoding="utf-8") as source:
            text = re.sub(r"//[^\n]*", lambda comment: " " * len(comment.group()), source.read())
        for choice in CHOICE.finditer(text):
            found += 1
            print(f"{file}:{text.count(chr(10), 0, choice.start()) + 1}: write this choice with if: GCC 12 runs both sides")
        for at in sorted(set(closures(text))):
            found += 1
            shown = text[at:at + 40].split(chr(10))[0]
            print(f"{file}:{text.count(chr(10), 0, at) + 1}: name this before the co_await: {shown}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
