"""Compiles the C++ examples of README.md and docs/*.md: the blocks of one document, in order, are one program.

A compiler's message names the line of the document.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile


def program(document: pathlib.Path) -> str | None:
    """The document's ```cpp blocks as one file, or None if it has none."""
    lines: list[str] = []
    inside = False
    for number, line in enumerate(document.read_text().split("\n"), 1):
        if inside and line.strip() == "```":
            inside = False
        elif inside:
            lines.append(line)
        elif line.strip() == "```cpp":
            inside = True
            lines.append(f'#line {number + 1} "{document.name}"')
    return "\n".join(lines) + "\n" if lines else None


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler")
    parser.add_argument("--include")
    parser.add_argument("--root", type=pathlib.Path)
    parser.add_argument("--write", nargs=2, metavar=("DOCUMENT", "FILE"), type=pathlib.Path,
                        help="only write the program of one document, for a test that runs it")
    options = parser.parse_args()
    if options.write:
        document, file = options.write
        file.write_text(program(document) or "")
        return 0
    compiled = failed = 0
    for document in [options.root / "README.md", *sorted((options.root / "docs").glob("**/*.md"))]:
        source = program(document)
        if source is None:
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".cc") as file:
            file.write(source)
            file.flush()
            command = [options.compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                       "-Wno-missing-field-initializers", f"-I{options.include}", file.name]
            done = subprocess.run(command, capture_output=True, text=True)
        compiled += 1
        failed += done.returncode != 0
        print(f"{'FAILED' if done.returncode else 'ok'}: {document.relative_to(options.root)}")
        print(done.stderr, end="", file=sys.stderr)
    if compiled == 0:
        print("no C++ example was found", file=sys.stderr)
    return 1 if failed or compiled == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
