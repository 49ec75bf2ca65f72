"""Prints where the answers that main.py wrote of one server differ from those of others.

    python compare.py OURS GENUINE [GENUINE ...]
"""

import difflib
import json
import pathlib
import sys
from collections.abc import Iterator

from masks import masked

Answers = dict[str, dict]


def lines(answer: dict | None) -> list[str]:
    if answer is None:
        return ["(not run)"]
    err = (f"err {line}" for line in masked(answer["stderr"]))
    return [f"exit {answer['exit_code']}", *masked(answer["stdout"]), *err]


def differences(ours: Answers, genuine: Answers) -> Iterator[tuple[str, list[str]]]:
    """Commands whose answers differ, each with the lines that do: "-" ours, "+" the genuine server's."""
    for command in {**genuine, **ours}:
        here, there = lines(ours.get(command)), lines(genuine.get(command))
        if here != there:
            changed = list(difflib.unified_diff(here, there, lineterm="", n=2))[2:]
            yield command, [line for line in changed if not line.startswith("@@")]


def main(names: list[str]) -> None:
    ours, *genuine = (json.loads(pathlib.Path(name).read_text()) for name in names)
    found = [dict(differences(ours, answers)) for answers in genuine]
    for command in ours:
        if not any(command in f for f in found):
            continue
        alike = [name for name, f in zip(names[1:], found) if command not in f]
        print(f"\n## {command}" + (f"   (as {', '.join(alike)})" if alike else ""))
        shown: list[list[str]] = []
        for name, f in zip(names[1:], found):
            if command in f:
                same = f[command] in shown
                print(f"# {name}" + (": the same" if same else ""))
                if not same:
                    print("\n".join(f[command]))
                shown.append(f[command])
    wrong = sum(all(command in f for f in found) for command in ours)
    print(f"\n{len(ours)} commands; {wrong} differ from all of {', '.join(names[1:])}")


if __name__ == "__main__":
    main(sys.argv[1:])
