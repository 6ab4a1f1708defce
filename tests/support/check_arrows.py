#!/usr/bin/env python3
"""Holds the code to the table in rooms.py: who includes whom, what CMake links, what the pure rooms look at, namespaces,
and the size of folders.

  cmake --preset tidy --graphviz=build/tidy/graph.dot
  tests/support/check_arrows.py build/tidy/graph.dot

Prints each place that the table does not allow, and each line of the table that nothing needs; exits with 1 when there is
one. check_arrows_test.py shows it what it must find."""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True

import rooms  # noqa: E402
from rooms import Room  # noqa: E402

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
NAMESPACE = re.compile(r"^(?:inline )?namespace ([\w:]+) *\{", re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
SOURCE = re.compile(r"\.(cpp|hpp)(\.in)?$")
OWN = ("daemon/", "client/", "proto/")


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Tree:
    """The sources below `root`, and what they say, without their comments."""

    def __init__(self, root, names):
        self.texts, self.lines = {}, {}
        for name in names:
            if name.startswith(OWN) and SOURCE.search(name):
                with open(os.path.join(root, name), encoding="utf-8") as file:
                    text = file.read()
                self.lines[name] = text.count("\n")
                self.texts[name] = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)

    def includes(self, name):
        """(line, header) of each header of this repository."""
        text = self.texts.get(name, "")
        return [(line_of(text, found.start()), found.group(1)) for found in INCLUDE.finditer(text)]


class Table:
    """rooms.py, or a test's own, with the questions that are asked of it."""

    def __init__(self, source):
        self.source = source
        self.rooms = {room.name: room for room in source.ROOMS}
        self.used = set()  # of the allowances, those that something needed

    def room_of(self, file):
        """The room that a file is in: the nearest folder above it that is one. A folder of daemon/ without a line in the
        table is in no room, so as not to pass for the one of main.cpp."""
        folder = os.path.dirname(file)
        while folder:
            for room in self.rooms.values():
                if room.folder == folder and not (folder == "daemon" and os.path.dirname(file) != folder):
                    return room
            folder = os.path.dirname(folder)
        return None

    def arrows(self, room):
        return room.uses.split()

    def reach(self, room):
        """The names of all that a room may use."""
        found, left = set(), self.arrows(room)
        while left:
            name = left.pop()
            if name not in found and name in self.rooms:
                found.add(name)
                left += self.arrows(self.rooms[name])
        return found

    def allows(self, kind, key):
        self.used.add((kind, key))
        return key in getattr(self.source, kind)


def table_problems(table):
    """A line that names what does not stand above it: so a circle cannot be written."""
    above = set()
    for room in table.source.ROOMS:
        for name in table.arrows(room):
            if name not in above:
                yield f"rooms.py: {room.name} uses {name}, which does not stand above it"
        above.add(room.name)


def include_problems(tree, table):
    for file in tree.texts:
        room = table.room_of(file)
        if not room:
            yield f"{file}: its folder has no line in rooms.py"
            continue
        for line, header in tree.includes(file):
            yield from forbidden(tree, table, room, header, f"{file}:{line}", set())


def forbidden(tree, table, room, header, place, seen):
    """What is wrong with `room` including `header`. A header that is excused brings along what it includes itself."""
    other = table.room_of(header)
    if not other:
        yield f"{place}: {header} is in no room of rooms.py"
    elif other != room and other.name not in table.reach(room):
        if not table.allows("HEADERS", (room.name, header)):
            yield f"{place}: {room.name} may not use {other.name} ({header}); it may use: {room.uses or 'nothing'}"
        elif header not in seen:
            seen.add(header)
            for line, further in tree.includes(header):
                if table.room_of(further) != room:
                    yield from forbidden(tree, table, room, further, f"{place}, by {header}:{line}", seen)


def need_problems(tree, table):
    """An arrow without which every include were still allowed is one too many."""
    arrows = room_includes(tree, table)
    for room in table.source.ROOMS:
        included = arrows.get(room.name, set())
        for name in table.arrows(room):
            others = Room(room.folder, " ".join(other for other in table.arrows(room) if other != name))
            if name not in included and included <= table.reach(others):
                yield f"rooms.py: {room.name} does not need {name}: it includes nothing of it"


def read_graph(text):
    """{target: targets that it links} of what `cmake --graphviz` writes; links of programs and libraries only."""
    shapes = dict(re.findall(r'"(node\d+)" \[ label = "[^"]*", shape = (\w+) \]', text))
    names = dict(re.findall(r'"(node\d+)" \[ label = "([^"\\]*)', text))
    graph = {name: set() for name in names.values()}
    for one, other in re.findall(r'"(node\d+)" -> "(node\d+)"', text):
        if shapes[other] != "egg":  # a program is not linked, but built first
            graph[names[one]].add(names[other])
    return graph


def link_problems(graph, table):
    """CMake's links are the table's arrows, no more and no less."""
    targets = {room.target or room.name: room for room in table.source.ROOMS}
    for target, room in targets.items():
        if target not in graph:
            yield f"CMake has no target {target} for {room.folder}"
            continue
        linked = {targets[name].name for name in graph[target] if name in targets}
        for name in sorted(linked - set(table.arrows(room))):
            yield f"{room.folder}/CMakeLists.txt: {target} links {name}, which rooms.py does not allow"
        for name in sorted(set(table.arrows(room)) - linked):
            yield f"{room.folder}/CMakeLists.txt: {target} does not link {name}, which its includes need"


def circle_problems(arrows, what):
    """Each circle of {name: names} once."""
    state = {}

    def walk(name, way):
        state[name] = "open"
        for other in sorted(arrows.get(name, ())):
            if state.get(other) == "open":
                yield f"{what} go in a circle: {' -> '.join(way[way.index(other):] + [other])}"
            elif other not in state:
                yield from walk(other, way + [other])
        state[name] = "done"

    for name in sorted(arrows):
        if name not in state:
            yield from walk(name, [name])


def room_includes(tree, table):
    """{room: rooms that it includes}, without the excused headers."""
    arrows = {}
    for file in tree.texts:
        room = table.room_of(file)
        for _, header in tree.includes(file) if room else ():
            other = table.room_of(header)
            if other and other != room and (room.name, header) not in table.source.HEADERS:
                arrows.setdefault(room.name, set()).add(other.name)
    return arrows


def purity_problems(tree, table):
    for file, text in tree.texts.items():
        room = table.room_of(file)
        if not room or not room.pure:
            continue
        for pattern, why in table.source.IMPURE:
            for found in re.finditer(pattern, text, re.MULTILINE):
                if not table.allows("NOT_PURE_YET", file):
                    yield f"{file}:{line_of(text, found.end())}: {room.name} is pure, {why}: {found.group().strip()}"
        yield from impure_headers(tree, table, file)


def impure_headers(tree, table, file):
    """Asio, the store or the log, by way of other rooms' headers."""
    pattern = re.compile(table.source.NEVER_INTO_PURE, re.MULTILINE)
    seen, left = {file}, [(header, (file,)) for _, header in tree.includes(file)]
    while left:
        header, way = left.pop()
        if header in seen:
            continue
        seen.add(header)
        other = table.room_of(header)
        if other and not other.pure and pattern.search(tree.texts.get(header, "")):
            yield f"{' -> '.join(way + (header,))}: a pure room gets at Asio, the store or the log"
        left += [(further, way + (header,)) for _, further in tree.includes(header)]


def namespace_problems(tree, table):
    for file, text in tree.texts.items():
        room = table.room_of(file)
        if not room or room.folder == "daemon":
            continue
        own = "stackd::" + (room.namespace or room.name)
        for number, found in enumerate(NAMESPACE.finditer(text)):
            name = found.group(1)
            if name == own or name.startswith(own + "::") or (number > 0 and not name.startswith("stackd")):
                continue
            if not table.allows("NAMESPACES", (file, name)):
                yield f"{file}:{line_of(text, found.start())}: namespace {name} in the folder of {own}"


def size_problems(tree, table):
    sizes = {}
    for file, lines in tree.lines.items():
        sizes[os.path.dirname(file)] = sizes.get(os.path.dirname(file), 0) + lines
    default = Room("").lines
    for folder, lines in sizes.items():
        room = table.room_of(folder + "/x")
        if room and lines > room.lines:
            yield f"{folder} has {lines} lines, {room.lines} are allowed: split it"
    for room in table.source.ROOMS:
        if room.lines > default >= sizes.get(room.folder, 0):
            yield f"rooms.py: {room.name} needs no limit of its own any more, it has {sizes.get(room.folder, 0)} lines"


def stale_problems(table):
    """After all other questions: allowances that nothing needed."""
    for kind in ("HEADERS", "NAMESPACES", "NOT_PURE_YET"):
        for key in getattr(table.source, kind):
            if (kind, key) not in table.used:
                yield f"rooms.py: nothing needs the line {key!r} of {kind} any more"


def problems(tree, graph, source):
    table = Table(source)
    found = [*table_problems(table), *include_problems(tree, table), *need_problems(tree, table),
             *link_problems(graph, table), *circle_problems(graph, "CMake's links"),
             *circle_problems(room_includes(tree, table), "includes"), *purity_problems(tree, table),
             *namespace_problems(tree, table), *size_problems(tree, table)]
    return found + list(stale_problems(table))


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    names = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", *OWN], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    with open(sys.argv[1], encoding="utf-8") as file:
        graph = read_graph(file.read())
    found = problems(Tree(root, [name for name in names if os.path.exists(os.path.join(root, name))]), graph, rooms)
    print("\n".join(found) or f"{len(rooms.ROOMS)} rooms use what the table of tests/support/rooms.py allows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
