"""Installs the package, builds the files that docs/install.md shows as it says, and runs what comes out."""

import argparse
import pathlib
import re
import shutil
import socket
import subprocess
import sys

FILE = re.compile(r"^`([\w.]+)`[^\n]*:\n```\S*\n(.*?)^```$", re.M | re.S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*command: object) -> str:
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def check_sizes(prefix: pathlib.Path) -> None:
    """No file has what only a debugger reads, and none is large but the static program."""
    for path in [*prefix.glob("lib*/**/*.so*"), *prefix.glob("bin/*")]:
        if path.is_symlink():
            continue
        limit = 24_000_000 if path.name == "chimera" else 16_000_000
        size = path.stat().st_size
        print(f"{path.relative_to(prefix)}: {size / 1e6:.1f} MB")
        if size > limit:
            sys.exit(f"{path} has {size} bytes, more than {limit}")
        if ".debug_info" in run("readelf", "-SW", path):
            sys.exit(f"{path} is not stripped")


def check_split(prefix: pathlib.Path) -> None:
    """The debugger's part is a component of its own, which the library names."""
    library = next(prefix.glob("lib*/**/libchimera.so")).resolve()
    debug = library.with_name(f"{library.name}.debug")
    if ".gnu_debuglink" not in run("readelf", "-SW", library) or ".debug_info" not in run("readelf", "-SW", debug):
        sys.exit("the library does not lead to what was split off of it")
    if (ids := [re.findall(r"Build ID: (\w+)", run("readelf", "-nW", file)) for file in (library, debug)])[0] != ids[1]:
        sys.exit(f"the library and what was split off of it are of different builds: {ids}")


class Running:
    """A program that says one line once it is ready."""

    def __init__(self, *command: object) -> None:
        self._process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def serve_and_greet(prefix: pathlib.Path, build: pathlib.Path) -> None:
    chimera, address = prefix / "bin/chimera", f"127.0.0.1:{free_port()}"
    with Running(chimera, "server", "--port", address.rpartition(":")[2]) as ready:
        if "listening" not in ready:
            sys.exit(f"unexpected first line of the server: {ready}")
        said = run(build / "greet", address)
        if said != "Hello, you!\n":
            sys.exit(f"unexpected output of the program: {said}")
        library = build / "libgreeting.so"
        with Running(chimera, "worker", "--address", address, "--task-queue", "greetings", library) as ready:
            if "libgreeting.so" not in ready:
                sys.exit(f"unexpected first line of the worker: {ready}")


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("build", "document", "scratch"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True)
    options = parser.parse_args()
    shutil.rmtree(options.scratch, ignore_errors=True)
    source, prefix = options.scratch / "source", options.scratch / "prefix"
    source.mkdir(parents=True)
    run("cmake", "--install", options.build, "--prefix", prefix)
    check_sizes(prefix)
    run("cmake", "--install", options.build, "--prefix", prefix, "--component", "debug")
    check_split(prefix)
    files = FILE.findall(options.document.read_text())
    if {name for name, _ in files} != {"CMakeLists.txt", "greeting.h", "main.cc", "greeting.cc"}:
        sys.exit(f"{options.document} shows other files than this test knows: {[name for name, _ in files]}")
    for name, text in files:
        (source / name).write_text(text)
    build = options.scratch / "build"
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_COMPILER={options.compiler}")  # fmt: skip
    run("cmake", "--build", build)
    serve_and_greet(prefix, build)


if __name__ == "__main__":
    main()
