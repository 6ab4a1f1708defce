"""No comment and no page names a source file that is not there. A name counts as there when some file's path ends in it.
What only an example is made of (a user's db/03.sql, the rooms that check_arrows_test.py makes up) is listed here.

    python3 tests/support/check_words.py     prints what is wrong, and exits 1 when something is
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = re.compile(r"[A-Za-z_][\w/.-]*\.(?:cpp|hpp|py|sql|proto)\b")
COMMENT = {".cpp": re.compile(r"//(.*)"), ".hpp": re.compile(r"//(.*)"), ".py": re.compile(r"(?:#|\"\"\")(.*)"),
           ".sh": re.compile(r"#(.*)"), ".txt": re.compile(r"#(.*)"), ".md": re.compile(r"(.*)")}
# What stands for files of a user, or for a kind of file.
EXAMPLES = {"db/03.sql", "app.py", "server.py", "migrate.py", "migration.sql", "_test.cpp", "NNNN_name.sql", "migrations/NNNN_name.sql"}
MADE_UP = {"tests/support/check_arrows_test.py"}
# Made while building.
GENERATED = {"migrations.cpp", "units.cpp"}


def wrong_names(path, text, there):
    """(line, name) for each name in the comments of `text` that no path in `there` ends in."""
    comment = COMMENT.get(path.suffix)
    if not comment:
        return
    for number, line in enumerate(text.splitlines(), 1):
        found = comment.search(line)
        for name in NAME.findall(found.group(1)) if found else ():
            name = name.lstrip("./")
            if name not in EXAMPLES | GENERATED and not any(p == name or p.endswith("/" + name) for p in there):
                yield number, name


def main():
    there = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    wrong = [f"{name}:{line}: names {word}, which is not there"
             for name in there if name not in MADE_UP and (ROOT / name).is_file() and pathlib.Path(name).suffix in COMMENT
             for line, word in wrong_names(pathlib.Path(name), (ROOT / name).read_text(), there)]
    print("\n".join(wrong) if wrong else "every file that a comment or a page names is there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
