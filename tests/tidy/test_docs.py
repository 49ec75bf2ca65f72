"""What documents and comments point to is there."""

import re

from tree import ROOT, tracked

NAME = re.compile(r"(?<![\w./:$-])((?:[\w.-]+/)*[\w-]+\.(?:h|cc|py|pyi|md|cmake))\b(?!\()")
PLACE = re.compile(r"`([\w.-]+(?:/[\w.-]+)+)/?`")
# Words of a rule, other projects' headers, a system's, the reader's own.
OTHERS = re.compile(r"NAME|KIND|^absl/|^linux/|^sched\.h$|^H/|^greeting\.")


def ends_of(path: str) -> set[str]:
    """a/b/c.h, b/c.h, c.h"""
    parts = path.split("/")
    return {"/".join(parts[i:]) for i in range(len(parts))}


def comments(path: str) -> list[tuple[str, int, str]]:
    mark = "#" if path.endswith(".py") else "//"
    lines = (ROOT / path).read_text().split("\n")
    return [(path, n, line.partition(mark)[2]) for n, line in enumerate(lines, 1) if mark in line]


def documents() -> list[tuple[str, int, str]]:
    return [(p, n, line) for p in tracked(".md") for n, line in enumerate((ROOT / p).read_text().split("\n"), 1)]


def test_files_that_are_named():
    known = {end for path in tracked("") for end in ends_of(path)}
    places = [place for path in tracked(".cc", ".h", ".py") for place in comments(path)] + documents()
    wrong = [
        f"{path}:{number}: there is no {name}"
        for path, number, text in places
        if "http" not in text
        for name in NAME.findall(text)
        if name.removeprefix("../") not in known and not OTHERS.search(name)
    ]
    assert not wrong, "\n".join(wrong)


def test_rooms_that_are_named():
    """Paths between backticks, of a folder, a file or a file's stem."""
    known = set()
    for path in tracked(""):
        known |= ends_of(path) | ends_of(path.rpartition(".")[0])
        while path := path.rpartition("/")[0]:
            known |= ends_of(path)
    wrong = [
        f"{path}:{number}: there is no {name}"
        for path, number, text in documents()
        if path in ("ARCHITECTURE.md", "CONTRIBUTING.md")
        for name in PLACE.findall(text)
        if name not in known and not name.startswith("build/") and not OTHERS.search(name)
    ]
    assert not wrong, "\n".join(wrong)
