"""Compiles the wrong programs of wrong_code.cc: each must be refused, with the words that stand above it.

What follows the last #include before the first block belongs to all of them.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MARK = re.compile(r"// --- (taken|refused: (?P<words>.*))$")


class Program:
    def __init__(self, line: int, words: str | None) -> None:
        self.line = line
        self.words = words  # None: it must compile.
        self.lines: list[str] = []


def read(file: pathlib.Path) -> tuple[list[str], list[Program]]:
    """What all programs begin with, and the programs."""
    prelude: list[str] = []
    programs: list[Program] = []
    for number, line in enumerate(file.read_text().split("\n"), 1):
        if mark := MARK.match(line):
            programs.append(Program(number, mark["words"]))
        else:
            (programs[-1].lines if programs else prelude).append(line)
    return prelude, programs


def judge(program: Program, file: pathlib.Path, command: list[str]) -> str | None:
    """What is wrong with how the compiler took it."""
    source = f'#line {program.line + 1} "{file.name}"\n' + "\n".join(program.lines)
    english = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run([*command, "-"], input=source, capture_output=True, text=True, env=english)
    if program.words is None:
        return done.stderr if done.returncode else None
    if done.returncode == 0:
        return f"was compiled, and should be refused: {program.words}"
    return None if re.search(program.words, done.stderr) else f"expected: {program.words}\n{done.stderr}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--include", required=True)
    options = parser.parse_args()
    file = pathlib.Path(__file__).with_name("wrong_code.cc")
    prelude, programs = read(file)
    flags = ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-Wno-unused-variable",
             f"-I{options.include}"]
    with tempfile.TemporaryDirectory() as folder:
        header = pathlib.Path(folder, "prelude.h")
        header.write_text("\n".join(prelude) + "\n")
        # Once for all; whoever has no use for it includes the header itself.
        subprocess.run([options.compiler, *flags, "-x", "c++-header", header, "-o", f"{header}.gch"], check=True)
        command = [options.compiler, *flags, "-include", str(header), "-fsyntax-only", "-x", "c++"]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(lambda program: judge(program, file, command), programs))
    for program, wrong in zip(programs, found):
        if wrong is not None:
            print(f"{file.name}:{program.line}: {wrong}", file=sys.stderr)
    print(f"{len(programs)} programs, {sum(wrong is not None for wrong in found)} of them not as they should be")
    return 1 if any(found) or len(programs) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
