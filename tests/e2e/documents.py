"""Every example of README.md and docs/*.md: a stack file is checked by the real loader, one marked `run` is brought up and
down, and a console's commands are run.

A comment before a block says what it is: `<!-- compose.yaml -->` names the file (else stackd.yaml), `run` brings it up,
`in service` and `in file` put a part where it belongs, and `not run` before a console leaves it out."""

import glob
import json
import os
import re
import shlex

from editor import holds
from harness import IMAGE, ROOT, Failure, check
from scenarios import scenario

BLOCK = re.compile(r"(?:<!--\s*(?P<mark>[^>]*?)\s*-->\n)?^```(?P<kind>yaml|console)\n(?P<text>.*?)^```$", re.M | re.S)
TOP_KEYS = {"services", "owned", "lifecycle", "name", "profiles", "commands", "version", "dependencies", "base_image", "env",
            "env_groups", "runtime", "volumes", "networks", "hooks", "x-stackd"}


def blocks():
    for path in [os.path.join(ROOT, "README.md")] + sorted(glob.glob(os.path.join(ROOT, "docs/*.md"))):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for match in BLOCK.finditer(text):
            number = text.count("\n", 0, match.start("text")) + 1
            yield f"{os.path.relpath(path, ROOT)}:{number}", match["kind"], match["mark"] or "", match["text"]


def whole(mark, text):
    """A part of a stack file, in one that is whole."""
    if "in service" in mark:
        inner = "".join("    " + line for line in text.splitlines(True))
        return f"services:\n  web:\n    image: {IMAGE}\n{inner}"
    if "in file" in mark or not re.search(r"^(services|owned|dependencies|base_image):", text, re.M):
        return text + f"\nservices:\n  web: {{image: {IMAGE}}}\n"
    return text


def write(world, number, mark, text):
    name = next((word for word in mark.split() if word.endswith(".yaml")), "stackd.yaml")
    directory = f"example-{number}"
    text = text if name in ("lich.yaml", "moat.yaml") else whole(mark, text)
    text = re.sub(r"image: busybox$", f"image: {IMAGE}", text, flags=re.M)  # what a reader has; nothing is pulled here
    world.stack(text, name=name, directory=directory)
    return directory


@scenario("Every stack file in README.md and docs/ is one that stackctl validate accepts")
def valid(world):
    found = 0
    wrong = []
    for number, (place, kind, mark, text) in enumerate(blocks()):
        if kind != "yaml" or "not a stack file" in mark:
            continue
        if not re.search(r"^(%s):" % "|".join(TOP_KEYS), text, re.M) and "in service" not in mark:
            wrong.append(f"{place}: a part of a stack file needs a comment before it that says where it belongs: "
                         "<!-- in service --> or <!-- in file -->")
            continue
        found += 1
        result = world.ctl("validate", directory=write(world, number, mark, text), project=False)
        if result.code != 0:
            wrong.append(f"{place}: {result}")
    check(not wrong, "\n".join(wrong))
    check(found >= 4, f"{found} examples only")


@scenario("The JSON Schema accepts every stackd.yaml and compose.yaml in README.md and docs/")
def of_the_schema(world):
    schemas = {words: json.loads(world.ctl("schema", *words, directory="", project=False).expect(0).out) for words in ((), ("--compose",))}
    found = 0
    wrong = []
    for number, (place, kind, mark, text) in enumerate(blocks()):
        if kind != "yaml" or "not a stack file" in mark or "lich.yaml" in mark or "moat.yaml" in mark:
            continue
        found += 1
        # As it is written, but for Compose's short forms: the long ones are in the schema too.
        written = world.ctl("config", "--no-interpolate", "--no-normalize", "--no-path-resolution", "--format", "json",
                            directory=write(world, number, mark, text), project=False)
        schema = schemas[("--compose",) if "compose.yaml" in mark else ()]
        if written.code != 0 or not holds(json.loads(written.out), schema, schema):
            wrong.append(f"{place}: {written}")
    check(not wrong, "\n".join(wrong))
    check(found >= 4, f"{found} examples only")


@scenario("Every stack file in README.md and docs/ that is marked `run` comes up and goes down")
def runs(world):
    found = 0
    for number, (place, kind, mark, text) in enumerate(blocks()):
        if kind != "yaml" or "run" not in mark.split():
            continue
        found += 1
        directory = write(world, number, mark, text)
        try:
            world.ctl("up", directory=directory).expect(0)
            world.ctl("down", "-v", "-t", "1", "--rmi", "local", directory=directory).expect(0)
            world.nothing_left()
        except Failure as failure:
            raise Failure(f"{place}: {failure}")
    check(found >= 2, f"{found} examples only")


@scenario("Every console in README.md and docs/ shows what stackctl really does: its commands end well, what it shows is said")
def consoles(world):
    directory, number = None, 0
    for number, (place, kind, mark, text) in enumerate(blocks()):
        if kind == "yaml":
            if directory:
                world.ctl("down", "-v", "-t", "1", directory=directory)
            directory = write(world, number, mark, text) if "run" in mark.split() else None
            continue
        if "not run" in mark or directory is None:
            continue
        for command, shown in spoken(text):
            words = shlex.split(command)
            check(words[0] == "stackctl", f"{place}: a console that is not stackctl's needs <!-- not run --> before it")
            said = world.ctl(*words[1:], directory=directory).text
            for line in shown:
                if line.strip() and line.strip() != "…":
                    check(plain(line) in plain(said), f"{place}: `{command}` does not say {line!r}; it says:\n{said}")
    if directory:
        world.ctl("down", "-v", "-t", "1", directory=directory)


def spoken(text):
    """(command, lines that it says) of a console."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:].split("  #")[0].strip(), []))
        elif found:
            found[-1][1].append(line)
    return found


def plain(text):
    """Without what differs each time: durations, ports, ids."""
    text = re.sub(r"\d+(\.\d+)?\s?(ms|s|min)\b", "<time>", text)
    return re.sub(r"\s+", " ", re.sub(r"\b\d{4,5}\b", "<port>", text))
