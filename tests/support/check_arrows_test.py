#!/usr/bin/env python3
"""What check_arrows.py must find, each in a made-up tree that is in order but for one thing."""

import os
import subprocess
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True

import check_arrows  # noqa: E402
import rooms  # noqa: E402
from rooms import Room  # noqa: E402

# base <- net <- top, base <- pure; `pure` may look at net's data.
FILES = {
    "daemon/base/text.hpp": "#include <string>\nnamespace stackd::base {\n}\n",
    "daemon/net/socket.hpp": '#include <boost/asio.hpp>\n#include "daemon/base/text.hpp"\nnamespace stackd::net {\n}\n',
    "daemon/net/types.hpp": "#include <map>\nnamespace stackd::net {\n}\n",
    "daemon/pure/sum.cpp": '#include "daemon/base/text.hpp"\n#include "daemon/net/types.hpp"\nnamespace stackd::pure {\n'
                           "auto place = std::filesystem::path(\"a\") / \"b\";\n}\n",
    "daemon/top/run.cpp": '#include "daemon/net/socket.hpp"\n#include "daemon/pure/sum.hpp"\nnamespace stackd::top {\n}\n',
    "daemon/pure/sum.hpp": "namespace stackd::pure {\n}\n",
}
ROOMS = (Room("daemon/base"), Room("daemon/net", "base"), Room("daemon/pure", "base", pure=True, lines=20),
         Room("daemon/top", "net pure"))
GRAPH = {"base": set(), "net": {"base", "Boost::headers"}, "pure": {"base"}, "top": {"net", "pure"}}


class Sandbox:
    """The made-up tree, changed in one way, and what is found in it."""

    def __init__(self, files=None, graph=None, rows=ROOMS, **tables):
        self.files = {**FILES, **(files or {})}
        self.graph = {**GRAPH, **(graph or {})}
        self.source = types.SimpleNamespace(ROOMS=rows, HEADERS={("pure", "daemon/net/types.hpp"): "data"}, NAMESPACES={},
                                            NOT_PURE_YET={}, IMPURE=rooms.IMPURE, NEVER_INTO_PURE=rooms.NEVER_INTO_PURE)
        vars(self.source).update(tables)

    def problems(self):
        with tempfile.TemporaryDirectory() as root:
            for name, text in self.files.items():
                os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
                with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                    file.write(text)
            return check_arrows.problems(check_arrows.Tree(root, sorted(self.files)), self.graph, self.source)


def added(name, line):
    """The made-up tree with one more line in a file."""
    return {name: line + "\n" + FILES[name]}


def pure(line):
    return Sandbox(added("daemon/pure/sum.cpp", line))


FOUND = (
    ("a header of a room that is not allowed", Sandbox(added("daemon/net/socket.hpp", '#include "daemon/pure/sum.hpp"')),
     "daemon/net/socket.hpp:1: net may not use pure (daemon/pure/sum.hpp); it may use: base"),
    ("another header of a room of which one is excused", pure('#include "daemon/net/socket.hpp"'),
     "daemon/pure/sum.cpp:1: pure may not use net (daemon/net/socket.hpp)"),
    ("what an excused header brings along", Sandbox(added("daemon/net/types.hpp", '#include "daemon/net/socket.hpp"')),
     "by daemon/net/types.hpp:1: pure may not use net (daemon/net/socket.hpp)"),
    ("a folder without a line", Sandbox({"daemon/new/a.cpp": "namespace stackd::new_ {\n}\n"}), "daemon/new/a.cpp: its folder"),
    ("a link that is not allowed", Sandbox(graph={"net": {"base", "pure"}}),
     "daemon/net/CMakeLists.txt: net links pure, which rooms.py does not allow"),
    ("a link that includes need", Sandbox(graph={"top": {"pure"}}), "top does not link net, which its includes need"),
    ("a library that CMake does not know", Sandbox(rows=ROOMS[:3] + (Room("daemon/top", "net pure", target="topmost"),)),
     "CMake has no target topmost for daemon/top"),
    ("links that go in a circle", Sandbox(graph={"base": {"top"}}), "CMake's links go in a circle: base -> top -> net -> base"),
    ("includes that go in a circle", Sandbox(added("daemon/base/text.hpp", '#include "daemon/net/socket.hpp"')),
     "includes go in a circle: base -> net -> base"),
    ("a line that uses what stands below it", Sandbox(rows=(Room("daemon/base", "top"),) + ROOMS[1:]),
     "rooms.py: base uses top, which does not stand above it"),
    ("an arrow that nothing needs", Sandbox(rows=ROOMS[:3] + (Room("daemon/top", "base net pure"),),
                                            graph={"top": {"base", "net", "pure"}}), "rooms.py: top does not need base"),
    ("Asio in a pure room", pure("#include <boost/asio.hpp>"), "daemon/pure/sum.cpp:1: pure is pure, Asio"),
    ("Asio in a pure room, by another's header", Sandbox(added("daemon/net/types.hpp", "#include <boost/asio.hpp>")),
     "daemon/pure/sum.cpp -> daemon/net/types.hpp: a pure room gets at Asio"),
    ("SQLite in a pure room", pure("#include <sqlite3.h>"), "Asio, the store"),
    ("streams of files in a pure room", pure("#include <fstream>"), "it looks at nothing: #include <fstream"),
    ("whole files in a pure room", pure('#include "daemon/util/files.hpp"'), "files are read on the files' threads"),
    ("a question to the disk in a pure room", pure("bool b = std::filesystem::exists(p);"), "filesystem::exists"),
    ("the same, by a short name", pure("bool b = fs::is_directory(p);"), "fs::is_directory"),
    ("a clock in a pure room", pure("auto t = std::chrono::steady_clock::now();"), "the time is told to it: steady_clock::now"),
    ("the clock of util in a pure room", pure("auto t = util::now_ms();"), "the time is told to it: now_ms"),
    ("an environment variable in a pure room", pure('auto h = std::getenv("HOME");'), "getenv"),
    ("a namespace of another folder", Sandbox({"daemon/top/run.cpp": FILES["daemon/top/run.cpp"].replace("::top", "::net")}),
     "daemon/top/run.cpp:3: namespace stackd::net in the folder of stackd::top"),
    ("a folder that is too long", Sandbox(added("daemon/pure/sum.cpp", "int a;\n" * 20)), "daemon/pure has 28 lines, 20 are allowed"),
    ("a limit that is not needed", Sandbox(rows=(Room("daemon/base", lines=9000),) + ROOMS[1:]), "needs no limit of its own"),
    ("an excuse that is not needed", Sandbox(NOT_PURE_YET={"daemon/pure/sum.cpp": "soon"}), "nothing needs the line 'daemon/pure"),
)

FINE = (
    ("the made-up tree", Sandbox()),
    ("an include in a comment", pure('// #include "daemon/net/socket.hpp"')),
    ("a clock in a comment", pure("/* now_ms()\n now_ms() */")),
    ("a file that is not pure yet", Sandbox(added("daemon/pure/sum.cpp", "#include <fstream>"),
                                            NOT_PURE_YET={"daemon/pure/sum.cpp": "soon"})),
    ("a namespace that is excused", Sandbox({"daemon/top/more.cpp": "namespace stackd::net {\n}\n"},
                                            NAMESPACES={("daemon/top/more.cpp", "stackd::net"): "declares a class"})),
    ("a clock elsewhere", Sandbox(added("daemon/top/run.cpp", "auto t = util::now_ms();"))),
)


class CheckArrows(unittest.TestCase):
    def test_finds(self):
        for what, sandbox, words in FOUND:
            with self.subTest(what):
                problems = sandbox.problems()
                self.assertTrue(any(words in problem for problem in problems), f"{words!r} is not among {problems}")

    def test_lets_through(self):
        for what, sandbox in FINE:
            with self.subTest(what):
                self.assertEqual(sandbox.problems(), [])

    def test_reads_what_cmake_writes(self):
        """Links by variable, of programs and of interface libraries; a program that is built first is none."""
        with tempfile.TemporaryDirectory() as root:
            with open(os.path.join(root, "CMakeLists.txt"), "w", encoding="utf-8") as file:
                file.write("""cmake_minimum_required(VERSION 3.25)
project(made_up LANGUAGES NONE)
add_library(base INTERFACE)
add_library(net INTERFACE)
set(what base)
target_link_libraries(net INTERFACE ${what})
add_custom_target(first)
add_library(top INTERFACE)
target_link_libraries(top INTERFACE net)
add_dependencies(top first)
""")
            subprocess.run(["cmake", "-S", root, "-B", root + "/build", f"--graphviz={root}/graph.dot"], check=True,
                           capture_output=True)
            with open(root + "/graph.dot", encoding="utf-8") as file:
                graph = check_arrows.read_graph(file.read())
        self.assertEqual(graph["net"], {"base"})
        self.assertEqual(graph["top"], {"net"})


if __name__ == "__main__":
    unittest.main()
