"""The wheel's build backend (PEP 517): builds what the wheel needs for the Python that runs it, or refuses before it
begins and says what helps.

The protocol library (build/proto) and libchimera (build/release, or build/wheel-core where that is not configured)
serve every Python; the bridge is built in build/release if that is for this Python, else in a folder of its own.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.util
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
RELEASE = BUILD / "release"
CORE = BUILD / "wheel-core"


@functools.cache
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def metadata(about: dict) -> str:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {about['name']}",
        f"Version: {about['version']}",
        f"Summary: {about['description']}",
        f"License: {about['license']['text']}",
        f"Requires-Python: {about['requires-python']}",
        *(f"Classifier: {name}" for name in about["classifiers"]),
        *(f"Requires-Dist: {name}" for name in about["dependencies"]),
    ]
    for extra, names in about.get("optional-dependencies", {}).items():
        lines += [f"Provides-Extra: {extra}", *(f"Requires-Dist: {name}; extra == '{extra}'" for name in names)]
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", (ROOT / about["readme"]).read_text()])


def entry_points(about: dict) -> str:
    groups = about.get("entry-points", {})
    return "\n".join(
        line
        for group, names in groups.items()
        for line in [f"[{group}]", *(f"{name} = {target}" for name, target in names.items()), ""]
    )


def tag() -> str:
    version = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{version}-{version}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


# What this Python and this machine have


def suffix() -> str:
    """How a native module's name ends for this Python."""
    return sysconfig.get_config_var("EXT_SUFFIX")


def configured(build: pathlib.Path) -> bool:
    return (build / "build.ninja").exists()


def serves_this_python(build: pathlib.Path) -> bool:
    cache = build / "CMakeCache.txt"
    return configured(build) and f"PYTHON_MODULE_EXTENSION:INTERNAL={suffix()}\n" in cache.read_text()


def obstacle() -> str | None:
    """Why the wheel cannot be built, with the command that helps; None if nothing is known."""
    name = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return f"{name} is not supported: chimera needs CPython with its global lock"
    header = pathlib.Path(sysconfig.get_path("include")) / "Python.h"
    if not header.exists():
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-dev"
        return f"the headers of {name} are not there ({header}); install them, on Debian: apt-get install {package}"
    if importlib.util.find_spec("pybind11") is None and not serves_this_python(RELEASE):
        (wanted,) = (line for line in _build_requirements() if line.startswith("pybind11"))
        return f"pybind11 is not there; leave --no-build-isolation out, or: {sys.executable} -m pip install {wanted}"
    help = f"run scripts/setup in {ROOT} as root, which installs what the build needs"
    missing = [program for program in ("cmake", "ninja", "c++") if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} not found; {help}"
    if not (configured(RELEASE) or configured(CORE)) and shutil.which("dpkg-query"):
        check = subprocess.run([ROOT / "scripts/setup", "--check"], capture_output=True, text=True)
        if check.returncode != 0:
            return f"{check.stdout.strip()}; {help}"
    return None


def _build_requirements() -> list[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]


def refuse_what_cannot_be_built() -> None:
    if why := obstacle():
        sys.exit(f"chimera: cannot build for this Python: {why}")


# Building


def run(*command: str | pathlib.Path) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, cwd=ROOT, check=True)


def jobs() -> str:
    """A compiler takes up to 1.5 GB on the largest files."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return str(max(1, min(os.cpu_count() or 1, int(memory / 1.5))))


def configure(build: pathlib.Path, *options: str) -> None:
    proto = os.environ.get("CHIMERA_PROTO_BUILD")
    places = [f"-DCHIMERA_PROTO_BUILD={proto}"] if proto else []
    run("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *places, *options)


def build_core() -> pathlib.Path:
    """Brings the protocol library and libchimera up to date; the folder of the latter."""
    run(ROOT / "scripts/setup", "--protocol")
    if configured(RELEASE):
        build = RELEASE
    else:
        build = CORE
        configure(build, *(f"-DCHIMERA_{part}=OFF" for part in ("PYTHON", "TESTS", "BENCH", "SAMPLES")))
    run("ninja", "-C", build, "-j", jobs(), "chimera_shared")
    return build


def pybind11_of(build: pathlib.Path) -> pathlib.Path:
    """A copy of pybind11's headers that stays: pip removes the environment that it builds in."""
    found = importlib.util.find_spec("pybind11")
    assert found and found.origin
    source, copy = pathlib.Path(found.origin).parent, build / "pybind11"
    version = (source / "_version.py").read_text()
    if not copy.exists() or (copy / "_version.py").read_text() != version:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
    return copy / "share" / "cmake" / "pybind11"


def build_native() -> pathlib.Path:
    """Builds the package for this Python; the folder that has it."""
    core = build_core()
    build = RELEASE
    if not serves_this_python(RELEASE):
        build = BUILD / f"wheel{suffix().removesuffix('.so')}"
        build.mkdir(parents=True, exist_ok=True)
        configure(build, f"-DCHIMERA_BUILT={core}", f"-DPython_EXECUTABLE={sys.executable}",
                  f"-DCHIMERA_PYBIND11={pybind11_of(build)}")  # fmt: skip
    run("ninja", "-C", build, "-j", jobs(), "chimera_python")
    return build / "python"


# Packing


def contents(folder: pathlib.Path) -> list[tuple[str, pathlib.Path]]:
    """Name in the wheel and file. The tree that the build links together is the package as it is."""
    result = []
    for path in sorted(folder.glob("chimera/**/*")) + sorted(linked(folder / "chimera")):
        native = path.name.startswith("_bridge.") and path.suffix == ".so"
        if path.is_dir() or "__pycache__" in path.parts or (native and not path.name.endswith(suffix())):
            continue
        result.append((str(path.relative_to(folder)), path))
    names = {name for name, _ in result}
    for wanted in (f"chimera/_bridge{suffix()}", "chimera/api/common/v1/message_pb2.py", "chimera/client/__init__.py"):
        if wanted not in names:
            sys.exit(f"chimera: {folder} has no {wanted} after the build; a wheel without it would not work")
    return sorted(set(result))


def linked(package: pathlib.Path) -> list[pathlib.Path]:
    """Files below the folders that the build links (glob does not follow links)."""
    return [path for folder in package.iterdir() if folder.is_symlink() and folder.is_dir()
            for path in folder.glob("**/*")]


def bytes_of(path: pathlib.Path) -> bytes:
    """Native code goes without what only a debugger reads: three quarters of its size."""
    if ".so" not in path.suffixes or shutil.which("strip") is None:
        return path.read_bytes()
    stripped = BUILD / "wheel-stripped" / path.name
    stripped.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["strip", "--strip-unneeded", "-o", stripped, path.resolve()], check=True)
    return stripped.read_bytes()


def build_wheel(
    wheel_directory: str, config_settings: dict | None = None, metadata_directory: str | None = None
) -> str:
    refuse_what_cannot_be_built()
    folder = build_native()
    about = project()
    stem = f"{about['name'].replace('-', '_')}-{about['version']}"
    name = f"{stem}-{tag()}.whl"
    texts = {
        f"{stem}.dist-info/METADATA": metadata(about),
        f"{stem}.dist-info/WHEEL": f"Wheel-Version: 1.0\nGenerator: chimera\nRoot-Is-Purelib: false\nTag: {tag()}\n",
        f"{stem}.dist-info/entry_points.txt": entry_points(about),
        f"{stem}.dist-info/LICENSE": (ROOT / "LICENSE").read_text(),
    }
    record = []
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        def add(inside: str, data: bytes) -> None:
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{inside},sha256={digest},{len(data)}")
            info = zipfile.ZipInfo(inside, (2020, 1, 1, 0, 0, 0))  # The same files give the same wheel.
            info.external_attr = 0o755 << 16 if inside.endswith(".so") else 0o644 << 16
            wheel.writestr(info, data, zipfile.ZIP_DEFLATED)

        for inside, path in contents(folder):
            add(inside, bytes_of(path))
        for inside, text in texts.items():
            add(inside, text.encode())
        wheel.writestr(f"{stem}.dist-info/RECORD", "\n".join([*record, f"{stem}.dist-info/RECORD,,", ""]))
    return name


def get_requires_for_build_wheel(config_settings: dict | None = None) -> list[str]:
    """The first that pip asks for: what cannot go well ends here."""
    refuse_what_cannot_be_built()
    return []
