"""`pip install .`: it builds what it needs for the Python that it is called from, or refuses before it begins."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

import wheel_backend  # noqa: E402

# The tests' own PYTHONPATH names the build, which would be tested in the package's place.
PLAIN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
PROTO = os.environ.get("CHIMERA_PROTO_BUILD", str(ROOT / "build/proto"))

USE = """
import asyncio
from chimera import workflow
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

@workflow.defn
class Hello:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}!"

async def main():
    async with await WorkflowEnvironment.start_local() as env:
        async with Worker(env.client, task_queue="q", workflows=[Hello]):
            assert await env.client.execute_workflow(Hello.run, "you", id="w", task_queue="q") == "Hello, you!"

asyncio.run(main())
"""


def test_refuses_before_it_begins_without_tools(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SystemExit, match="cmake, ninja, c\\+\\+ not found; run scripts/setup in"):
        wheel_backend.get_requires_for_build_wheel()


def test_refuses_a_python_without_headers(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path):
    monkeypatch.setattr(wheel_backend.sysconfig, "get_path", lambda name: str(tmp_path))

    with pytest.raises(SystemExit, match=r"headers of CPython .* on Debian: apt-get install python3\.\d+-dev"):
        wheel_backend.build_wheel(str(tmp_path))
    assert not list(tmp_path.iterdir())


def test_refuses_a_missing_pybind11_where_it_would_be_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path):
    monkeypatch.setattr(wheel_backend.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(wheel_backend, "RELEASE", tmp_path)

    with pytest.raises(SystemExit, match=r"-m pip install pybind11==3\.1\.0"):
        wheel_backend.get_requires_for_build_wheel()


def test_refuses_missing_packages_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path):
    if shutil.which("dpkg-query") is None:
        pytest.skip("no Debian: CMake says what is missing")
    fake = tmp_path / "dpkg-query"
    fake.write_text("#!/bin/sh\ncase $* in *libgrpc++-dev*) exit 1;; esac\necho install ok installed\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(wheel_backend, "RELEASE", tmp_path)
    monkeypatch.setattr(wheel_backend, "CORE", tmp_path)

    why = wheel_backend.obstacle()
    assert why and why.startswith(f"packages are missing: libgrpc++-dev; run scripts/setup in {ROOT} as root")


def test_a_build_for_another_python_is_not_taken_for_this_one(tmp_path: pathlib.Path):
    (tmp_path / "build.ninja").touch()
    cache = tmp_path / "CMakeCache.txt"

    cache.write_text("PYTHON_MODULE_EXTENSION:INTERNAL=.cpython-39-x86_64-linux-gnu.so\n")
    assert not wheel_backend.serves_this_python(tmp_path)
    cache.write_text(f"PYTHON_MODULE_EXTENSION:INTERNAL={wheel_backend.suffix()}\n")
    assert wheel_backend.serves_this_python(tmp_path)


def test_packs_nothing_without_the_native_module_for_this_python(tmp_path: pathlib.Path):
    package = tmp_path / "chimera"
    (package / "client").mkdir(parents=True)
    (package / "client" / "__init__.py").touch()
    (package / "_bridge.cpython-39-x86_64-linux-gnu.so").touch()

    with pytest.raises(SystemExit, match=r"has no chimera/_bridge.*after the build"):
        wheel_backend.contents(tmp_path)


def other_python() -> str | None:
    """A CPython of another version that the package supports."""
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions = [v for v in ("3.10", "3.12", "3.13", "3.14") if v != ours]
    places = [found for v in versions if (found := shutil.which(f"python{v}"))]
    places += [str(p) for v in versions for p in sorted(pathlib.Path.home().glob(f".pyenv/versions/{v}*/bin/python"))]
    works = [p for p in places if subprocess.call([p, "-c", "import venv, ensurepip"], stderr=subprocess.DEVNULL) == 0]
    return works[-1] if works else None


def install(python: str, source: pathlib.Path, folder: pathlib.Path) -> None:
    """Installs the package from a folder into a new environment and uses it there."""
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    program = folder / "venv/bin/python"
    result = subprocess.run(
        [program, "-m", "pip", "install", "--quiet", source],
        env={**PLAIN, "CHIMERA_PROTO_BUILD": PROTO}, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    subprocess.run([program, "-c", USE], cwd=folder, env=PLAIN, check=True)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_installs_for_another_python(tmp_path: pathlib.Path):
    python = other_python()
    if python is None:
        pytest.skip("there is no other Python on this machine")

    install(python, ROOT, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_installs_from_a_clean_clone(tmp_path: pathlib.Path):
    """With the protocol library that is there: it takes minutes, and scripts/setup is tested by every build."""
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "clone"], check=True)

    install(sys.executable, tmp_path / "clone", tmp_path)
