#!/usr/bin/env python3
"""Seeds for the fuzz targets, out of what the repository has anyway: texts in its tests, examples in its documents, the
sample; and a dictionary of the keys of a stack file.

  tests/fuzz/seeds.py DIRECTORY      makes DIRECTORY/<target>/ and DIRECTORY/stack_file.dict"""

import glob
import hashlib
import json
import os
import re
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LITERAL = re.compile(r'R"(\w*)\((.*?)\)\1"|"((?:[^"\\\n]|\\.)*)"', re.S)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", '"': '"', "\\": "\\"}
NAMES = ("compose.yaml", "stackd.yaml", "lich.yaml", "moat.yaml")  # the order in stack_file.cpp


def files(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(ROOT, pattern), recursive=True)):
            with open(path, encoding="utf-8") as file:
                yield file.read()


def literals(*patterns):
    """String literals of C++ files; those with nothing but space between them are one."""
    for text in files(*patterns):
        joined, end = None, 0
        for found in LITERAL.finditer(text):
            value = found.group(2)
            if value is None:
                value = re.sub(r"\\(x[0-9a-fA-F]{1,2}|.)", lambda e: chr(int(e.group(1)[1:], 16)) if e.group(1)[0] == "x"
                               else ESCAPES.get(e.group(1), e.group(1)), found.group(3))
            if joined is not None and not text[end:found.start()].strip():
                joined += value
            else:
                if joined is not None:
                    yield joined
                joined = value
            end = found.end()
        if joined is not None:
            yield joined


def stack_files():
    """(index into NAMES, text)."""
    for text in files("README.md", "docs/*.md"):
        for mark, block in re.findall(r"(?:<!--\s*([^>]*?)\s*-->\n)?^```yaml\n(.*?)^```$", text, re.M | re.S):
            name = next((word for word in mark.split() if word in NAMES), "stackd.yaml")
            yield NAMES.index(name), block
    for text in files("config/sample/stackd.yaml"):
        yield 1, text
    strings = list(literals("tests/unit/daemon/stackfile/*.cpp", "tests/unit/daemon/resolve/*.cpp"))
    for text in files("tests/e2e/*.py"):
        strings += [block.replace("{{", "{").replace("}}", "}") for block in re.findall(r'"""(.*?)"""', text, re.S)]
    for text in strings:
        if re.search(r"^(services|owned|lifecycle|base_image|dependencies|hooks|version|commands|env):", text, re.M):
            kind = 3 if re.search(r"^(base_image|dependencies|hooks):", text, re.M) else \
                2 if re.search(r'^version: "1"', text, re.M) else 1 if re.search(r"^(owned|lifecycle):", text, re.M) else 0
            yield kind, text
        elif re.match(r"    \w+:", text):  # lines of a service, for one_service()
            yield 0, "services:\n  web:\n    image: nginx\n" + text


def frame(stream, text):
    return struct.pack(">BxxxI", stream, len(text)) + text


def seeds():
    """(target, bytes)."""
    for kind, text in stack_files():
        yield "stack_file", bytes([kind]) + text.encode()
    for text in literals("tests/unit/daemon/stackfile/*.cpp"):
        if "=" in text and "services:" not in text and "image:" not in text:
            yield "dotenv", b"\0" + text.encode()
    for text in literals("tests/unit/daemon/http/*.cpp"):
        if "HTTP/1" in text:
            yield "http_request", b"\7" + text.encode("latin-1", "ignore")
    for text in literals("tests/unit/daemon/docker/*.cpp", "tests/unit/daemon/process/*.cpp"):
        data = text.encode("utf-8", "ignore")
        yield "log_streams", b"\4" + frame(1, data) + frame(2, data + b"\r\n") + frame(0, b"x")
        if text.lstrip().startswith("{"):
            yield "log_streams", b"\3" + data
            yield "shim_json", data
    for message in ('{"message":"No such container: \\u00e4 \\"x\\""}', '{"Id":"f00","Warnings":[]}', '{"a":{"Id":1},"Id":"2"}',
                    '{"ID":"f","Running":false,"ExitCode":137,"ProcessConfig":{"tty":false,"arguments":["-c","}"]},"Pid":-1}'):
        yield "shim_json", message.encode()


def keys(schema, found):
    """Names of properties and words that may stand, anywhere in the schema."""
    if isinstance(schema, dict):
        found.update(schema.get("properties", {}))
        found.update(word for word in schema.get("enum", []) if isinstance(word, str))
        for value in schema.values():
            keys(value, found)
    elif isinstance(schema, list):
        for value in schema:
            keys(value, found)


def main():
    directory = sys.argv[1]
    for target, data in seeds():
        os.makedirs(os.path.join(directory, target), exist_ok=True)
        with open(os.path.join(directory, target, hashlib.sha256(data).hexdigest()[:16]), "wb") as file:
            file.write(data)
    with open(os.path.join(ROOT, "proto/stackd.schema.json"), encoding="utf-8") as file:
        found = {"${", "<<: *", "&a ", "!!str ", ": ", "- ", "? ", "|\\x0a"}
        keys(json.load(file), found)
    with open(os.path.join(directory, "stack_file.dict"), "w", encoding="utf-8") as file:
        file.writelines(f'"{word}"\n' for word in sorted(found) if '"' not in word and word.isascii())


if __name__ == "__main__":
    main()
