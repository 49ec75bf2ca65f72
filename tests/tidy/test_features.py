"""docs/features.md names tests that exist, and each row names one or says no."""

import re
import subprocess

from test_style import ROOT

TEST = re.compile(r"^TEST(?:_P|_F)?\((\w+),\s*(\w+)\)", re.MULTILINE)


def existing() -> set[str]:
    files = subprocess.run(
        ["git", "ls-files", "tests/*.cc"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return {f"{suite}.{name}" for file in files for suite, name in TEST.findall((ROOT / file).read_text())}


def test_features_are_shown() -> None:
    tests = existing()
    wrong = []
    for line in (ROOT / "docs/features.md").read_text().split("\n"):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 4 or cells[3] == "shown by" or set(cells[0]) == {"-"}:
            continue
        shown = re.findall(r"`(\w+\.\w+)`", cells[3])
        if not shown and not cells[2].startswith("no, "):
            wrong.append(f"{line}: names no test")
        wrong += [f"{name} is no test" for name in shown if name not in tests]
    assert not wrong, "\n".join(wrong)
