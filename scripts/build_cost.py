#!/usr/bin/env python3
"""Says what compiling costs, by part of the project.

  scripts/build_cost.py           seconds of the wall clock as ninja logged them (.ninja_log), next to none where ccache
                                  had the result
  scripts/build_cost.py --cpu     compiles each file anew, one after the other and without ccache, and takes its CPU
                                  time. Needs what the build made, such as precompiled headers, and leaves it as it is.
  scripts/build_cost.py --tests   of all targets instead of those of ./run-demo
"""

import argparse
import collections
import pathlib
import resource
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROTO, RELEASE = ROOT / "build/proto", ROOT / "build/release"
LAUNCHERS = ("cmake", "env", "ccache")
DEMO = {PROTO: ["chimera_proto"], RELEASE: ["chimera", "orders", "orders_client", "chimera_python"]}
ALL = {PROTO: ["chimera_proto", "chimera_proto_golden"], RELEASE: ["all"]}


def commands(build: pathlib.Path, targets: list[str]) -> list[list[str]]:
    """The compiler's command lines, without what launches them."""
    command = ["ninja", "-C", str(build), "-t", "commands", *targets]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    result = []
    for line in said.stdout.splitlines():
        words = shlex.split(line.removeprefix(": && ").removesuffix(" && :"))
        if "-c" in words and "-o" in words:
            while words[0].startswith("-") or "=" in words[0] or words[0].rpartition("/")[2] in LAUNCHERS:
                words.pop(0)
            result.append(words)
    return result


def output_of(words: list[str]) -> str:
    return words[words.index("-o") + 1]


def cpu_seconds(build: pathlib.Path, words: list[str]) -> float:
    command = list(words)
    with tempfile.TemporaryDirectory() as scratch:  # Not /dev/null: a precompiled header needs a file.
        command[command.index("-o") + 1] = f"{scratch}/out"
        if "-MF" in command:
            command[command.index("-MF") + 1] = f"{scratch}/out.d"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=build, check=True, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def logged(build: pathlib.Path) -> dict[str, float]:
    """Output -> seconds; of each output's last run."""
    found = {}
    for line in (build / ".ninja_log").read_text().splitlines()[1:]:
        start, end, _, output, _ = line.split("\t")
        found[output] = (int(end) - int(start)) / 1000
    return found


def part_of(build: pathlib.Path, output: str) -> str:
    """What an object file belongs to."""
    if build == PROTO:
        return "protocol, golden traces" if "golden" in output else "protocol"
    if "chimera_pch" in output or output.endswith(".gch"):
        return "precompiled headers"
    folder = output.split("/CMakeFiles/")[0]
    return folder.split("/")[0] if folder.startswith(("tests", "samples")) else "/".join(folder.split("/")[:2])


def main() -> None:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--tests", action="store_true")
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="one file in N stands for all N of its part")
    parser.add_argument("--longest", type=int, default=10, metavar="N", help="and the N files that take longest")
    args = parser.parse_args()
    seconds: dict[str, float] = collections.defaultdict(float)
    files: collections.Counter[str] = collections.Counter()
    each = []
    for build, targets in (ALL if args.tests else DEMO).items():
        log = {} if args.cpu else logged(build)
        by_part = collections.defaultdict(list)
        for words in commands(build, targets):
            by_part[part_of(build, output_of(words))].append(words)
        for part, all_of_it in by_part.items():
            taken = all_of_it[:: args.sample]
            for words in taken:
                output = output_of(words)
                took = cpu_seconds(build, words) if args.cpu else log.get(output, 0.0)
                each.append((took, output))
                seconds[part] += took * len(all_of_it) / len(taken)
                print(f"\r{len(each)} files, {sum(seconds.values()):.0f} s", end="", file=sys.stderr, flush=True)
            files[part] = len(all_of_it)
    print(file=sys.stderr)
    print(f"| part | files | {'CPU' if args.cpu else 'wall'} s |\n|---|---|---|")
    for part, took in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"| {part} | {files[part]} | {took:.0f} |")
    print(f"| all | {files.total()} | {sum(seconds.values()):.0f} |")
    for took, output in sorted(each, reverse=True)[: args.longest]:
        print(f"{took:6.1f} s  {output}")


if __name__ == "__main__":
    main()
