#!/usr/bin/env python3
"""Builds and runs the tests; what ./run-tests calls once the packages are there.

Steps run in order; each says what it is, and the end says what ran, what failed and what was skipped and why.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
PYTHON = ROOT / "build/venv/bin/python"
REPORTS = ROOT / "build/reports"


class Results:
    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0
        self.steps: list[str] = []
        self.failures: list[str] = []

    def add_junit(self, folder: pathlib.Path) -> None:
        """Counts the test cases of all JUnit files below a folder (gtest and pytest both write them)."""
        for file in sorted(folder.rglob("*.xml")):
            for case in ElementTree.parse(file).getroot().iter("testcase"):
                name = f"{case.get('classname')}.{case.get('name')}"
                if case.find("failure") is not None or case.find("error") is not None:
                    self.failed += 1
                    self.failures.append(name)
                elif case.find("skipped") is not None or case.get("status") == "notrun":
                    self.skipped += 1
                else:
                    self.passed += 1

    def fail(self, what: str) -> None:
        self.failed += 1
        self.failures.append(what)


def run(command: list[str | pathlib.Path], **kwargs) -> int:
    print("+", " ".join(str(c) for c in command), flush=True)
    return subprocess.run([str(c) for c in command], cwd=ROOT, **kwargs).returncode


def jobs() -> str:
    """A compiler takes up to 1.5 GB on the largest files."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return str(max(1, min(os.cpu_count() or 1, int(memory / 1.5))))


def build(preset: str, results: Results, *targets: str) -> bool:
    log = ROOT / f"build/{preset}-configure.log"
    with open(log, "w") as out:
        if run(["cmake", "--preset", preset], stdout=out, stderr=out) != 0:
            print(log.read_text())
            results.fail(f"configure {preset}")
            return False
    if run(["ninja", "-C", f"build/{preset}", "-j", jobs(), *targets]) != 0:
        results.fail(f"build {preset}")
        return False
    return True


def ctest(preset: str, results: Results, name: str, *arguments: str, environment: dict | None = None) -> None:
    folder = REPORTS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    code = run(["ctest", "--test-dir", f"build/{preset}", "--output-on-failure", "-j", str(os.cpu_count() or 1),
                *arguments], env={**os.environ, "GTEST_OUTPUT": f"xml:{folder}/", **(environment or {})})
    before = results.failed
    results.add_junit(folder)
    if code != 0 and results.failed == before:  # A program that died wrote no report.
        results.fail(f"ctest {preset} ended with {code}")


def pytest(results: Results, name: str, *arguments: str, environment: dict | None = None) -> None:
    folder = REPORTS / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = f"{ROOT}/build/release/python"
    code = run([PYTHON, "-m", "pytest", "-q", f"--junitxml={folder}/pytest.xml", *arguments],
               env={**os.environ, "PYTHONPATH": path, **(environment or {})})
    before = results.failed
    results.add_junit(folder)
    if code not in (0, 5) and results.failed == before:
        results.fail(f"pytest {name} ended with {code}")


def fast(results: Results) -> None:
    pytest(results, "tidy", "tests/tidy")
    if not build("release", results):
        return
    ctest("release", results, "release", "-LE", "peer|long")
    pytest(results, "python", "tests/python", "-m", "not peer and not long")
    if build("asan", results, *ASAN_FAST):
        ctest("asan", results, "asan", "-R", f"^({'|'.join(ASAN_FAST)})$", environment=SANITIZER_OPTIONS)


# What the fast part runs under AddressSanitizer; --all runs everything.
ASAN_FAST = ("base_test", "converter_test", "history_test", "machines_test", "workflow_test")
SANITIZER_OPTIONS = {"ASAN_OPTIONS": "detect_stack_use_after_return=0:strict_string_checks=1",
                     "UBSAN_OPTIONS": "print_stacktrace=1"}
TSAN_OPTIONS = {"TSAN_OPTIONS": f"suppressions={ROOT}/tests/tsan.supp",
                "GTEST_FILTER": "-GrpcFrontend*:*.APortInUse*:ConnectTest.*:ProgramTest.ConnectingToNothingSaysWhere"
                                ":TestEnvironmentTest.WithoutSkippingTimeIsTheMachines"}


def long_part(results: Results) -> None:
    if run(["scripts/analyze"]) != 0:
        results.fail("scripts/analyze found something")
    ctest("release", results, "release-long", "-L", "long")
    if build("asan", results):
        ctest("asan", results, "asan-all", "-LE", "peer|packaging", environment=SANITIZER_OPTIONS)
    if build("tsan", results):
        # Debian's gRPC is not instrumented: what runs over it looks like races.
        ctest("tsan", results, "tsan", "-LE", "peer|long|grpc|packaging", environment=TSAN_OPTIONS)
    pytest(results, "python-long", "tests/python", "-m", "long")


def peer_part(results: Results) -> None:
    peers = ROOT / "build/peers"
    if run(["scripts/peers", peers]) != 0:
        results.fail("scripts/peers could not install the genuine server and the official SDKs")
        return
    environment = {"CHIMERA_TEMPORAL_CLI": str(peers / "temporal"), "CHIMERA_PEERS": str(peers)}
    ctest("release", results, "peer", "-L", "peer", environment=environment)
    pytest(results, "python-peer", "tests/python", "-m", "peer", environment=environment)


def main() -> int:
    parser = argparse.ArgumentParser(prog="run-tests", description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="and the long part")
    parser.add_argument("--peer", action="store_true", help="and what needs the genuine server and official SDKs")
    args = parser.parse_args()
    results = Results()
    skipped = []
    begun = time.monotonic()
    fast(results)
    if args.all:
        long_part(results)
    else:
        skipped.append("the long part: full sanitizers, random runs, kills (./run-tests --all)")
    if args.peer:
        peer_part(results)
    else:
        skipped.append("the genuine server and the official SDKs (./run-tests --peer)")
    print(f"\nTests took {time.monotonic() - begun:.0f} s.")
    for name in results.failures:
        print("FAILED:", name)
    for what in skipped:
        print("Not run:", what)
    print(f"{results.passed} passed, {results.failed} failed, {results.skipped} skipped")
    return 1 if results.failed or not results.passed else 0


if __name__ == "__main__":
    sys.exit(main())
