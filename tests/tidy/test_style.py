"""The style rules that a machine can check. The limits only tighten; an exception is listed by name."""

import re

import lizard

from tree import ROOT, tracked

LINE_MAX = 100
PYTHON_LINE_MAX = 120
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70

# Files and functions that are longer than the limits. This list must only shrink.
LONG_FILES: set[str] = set()
# A worker's options are one parameter each, as in the official package; a struct's members one line for each count.
LONG_FUNCTIONS: set[str] = {
    "sdk-python/chimera/worker/_worker.py:__init__",
    "sdk-cpp/include/chimera/reflect.h:chimera::reflect::visit_members",
}

BANNED = {
    r"\bstd::cout\b": "log instead, or print in cli/",
    r"\busing namespace std;": "name what you use",
    r"\bsleep_for\b|\bsleep_until\b": "wait on a latch or a clock",
    r"\bTODO\b(?!\(#\d+\))": "a TODO carries an issue number: TODO(#12)",
    r"\bFIXME\b|\bXXX\b": "mend it or file it",
}
BANNED_FREE = ("cli/", "samples/", "bench/", "tests/tidy/", "host/")


def cpp() -> list[str]:
    return tracked(".cc", ".h")


def test_lines_are_short():
    wrong = []
    for path in cpp():
        for number, line in enumerate((ROOT / path).read_text().split("\n"), 1):
            data = line.lstrip().startswith(('{"', '"'))  # JSON in a raw string.
            if len(line) > LINE_MAX and not data and "http" not in line:
                wrong.append(f"{path}:{number}: {len(line)} characters")
    for path in tracked(".py", ".pyi"):
        for number, line in enumerate((ROOT / path).read_text().split("\n"), 1):
            if len(line) > PYTHON_LINE_MAX and "http" not in line:
                wrong.append(f"{path}:{number}: {len(line)} characters")
    assert not wrong, "\n".join(wrong)


def test_files_are_short():
    wrong = [f"{p}: {n} lines" for p in [*cpp(), *tracked(".py", ".pyi")]
             if (n := (ROOT / p).read_text().count("\n")) > FILE_LINES_MAX and p not in LONG_FILES]
    assert not wrong, "\n".join(wrong)


def test_functions_are_short():
    wrong = []
    for path in [*cpp(), *tracked(".py")]:
        for function in lizard.analyze_file(str(ROOT / path)).function_list:
            name = f"{path}:{function.name}"
            if function.nloc > FUNCTION_LINES_MAX and name not in LONG_FUNCTIONS:
                wrong.append(f"{name}: {function.nloc} lines")
    assert not wrong, "\n".join(wrong)


def test_header_guards_carry_the_path():
    wrong = []
    for path in tracked(".h"):
        short = path.removeprefix("sdk-cpp/include/chimera/") if path.startswith("sdk-cpp/include/") else path
        guard = "CHIMERA_" + re.sub(r"[^A-Za-z0-9]", "_", short).upper() + "_"
        if f"#ifndef {guard}\n#define {guard}\n" not in (ROOT / path).read_text():
            wrong.append(f"{path}: guard is not {guard}")
    assert not wrong, "\n".join(wrong)


def test_banned_words():
    wrong = []
    for path in cpp():
        if path.startswith(BANNED_FREE):
            continue
        for number, line in enumerate((ROOT / path).read_text().split("\n"), 1):
            for pattern, cure in BANNED.items():
                if re.search(pattern, line):
                    wrong.append(f"{path}:{number}: {line.strip()}: {cure}")
    assert not wrong, "\n".join(wrong)


def test_every_source_begins_with_what_it_is():
    """Headers carry the file comment; a .cc needs one only without a header of its own name."""
    wrong = [p for p in tracked(".h") if not (ROOT / p).read_text().startswith("//")]
    assert not wrong, "no file comment: " + ", ".join(wrong)


def test_nothing_speaks_of_where_it_was_made():
    """The repository stands alone: no paths of a machine, no registry hosts."""
    pattern = re.compile(r"/work/|\.\./shared|/root/|https?://[^\s\"']*(?:pypi|npmjs|crates\.io|goproxy|proxy\.golang"
                         r"|deb\.debian)", re.I)
    wrong = []
    for path in tracked(".cc", ".h", ".py", ".pyi", ".md", ".txt", ".json", ".toml", ".cmake", "run-tests", "run-demo",
                        "setup", "run"):
        if path.startswith(("tests/replay/golden/", "tests/tidy/")):
            continue
        for number, line in enumerate((ROOT / path).read_text().split("\n"), 1):
            if pattern.search(line):
                wrong.append(f"{path}:{number}: {line.strip()[:120]}")
    assert not wrong, "\n".join(wrong)


def test_clang_format():
    import subprocess

    result = subprocess.run([ROOT / "scripts/format", "--check"], capture_output=True, text=True)
    assert result.returncode == 0, "run scripts/format\n" + result.stderr[-3000:]
