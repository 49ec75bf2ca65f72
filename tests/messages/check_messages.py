"""Compiles wrong programs: the compiler's first lines must say, in a sentence, what is wrong; and a right one, which
must give no warning.

A program is a block of wrong.txt behind a line `// SENTENCE`; right.cc is one as it stands.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

LINES = 15
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow"]


def programs(text: str) -> list[tuple[str, str]]:
    """The sentence and the source of each; what stands before the first is part of all."""
    shared, *parts = re.split(r"^// (?=\S)", text, flags=re.M)
    found = []
    for part in parts:
        sentence, _, source = part.partition("\n")
        found.append((sentence, shared + source))
    return found


def compiled(compiler: str, include: str, source: str, *options: str) -> subprocess.CompletedProcess:
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "program.cc"
        file.write_text(source)
        command = [compiler, "-std=c++20", "-fsyntax-only", f"-I{include}", *options, str(file)]
        return subprocess.run(command, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})


def trouble_of(done: subprocess.CompletedProcess, sentence: str) -> str:
    lines = done.stderr.split("\n")
    if done.returncode == 0:
        return "compiles"
    if not any(sentence in line for line in lines[:LINES]):
        return f"does not say so in its first {LINES} lines"
    if sum(" error: " in line for line in lines) != 1:
        return "says more than that"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler")
    parser.add_argument("--include")
    options = parser.parse_args()
    here = pathlib.Path(__file__).parent
    failed = 0
    cases = programs((here / "wrong.txt").read_text())
    for sentence, source in cases:
        done = compiled(options.compiler, options.include, source)
        trouble = trouble_of(done, sentence)
        failed += bool(trouble)
        print(f"{'FAILED: ' + trouble if trouble else 'ok'}: {sentence}")
        if trouble:
            print(source + done.stderr, file=sys.stderr)
    done = compiled(options.compiler, options.include, (here / "right.cc").read_text(), "-Werror", *WARNINGS)
    failed += done.returncode != 0
    print(f"{'FAILED' if done.returncode else 'ok'}: no warning")
    print(done.stderr, end="", file=sys.stderr)
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
