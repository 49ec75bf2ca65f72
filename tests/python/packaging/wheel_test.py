"""The wheel as users get it: self-contained, and at peace with what else may sit in the process."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
TYPED = pathlib.Path(__file__).resolve().parent / "typed"
pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

# The tests' own PYTHONPATH names the build, which would be tested in the wheel's place.
PLAIN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

USE_BOTH = """
import chimera.client, chimera.workflow, chimera.worker, chimera.api.common.v1 as ours
import temporalio.client, temporalio.worker, temporalio.api.common.v1 as theirs
payload = ours.Payload(data=b"1")
assert theirs.Payload.FromString(payload.SerializeToString()).data == b"1"
assert ours.Payload is theirs.Payload, "one pool, one class"
"""


def run(*command: str | pathlib.Path, cwd: pathlib.Path = ROOT) -> str:
    result = subprocess.run([str(part) for part in command], cwd=cwd, env=PLAIN, capture_output=True, text=True)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("dist")
    run(ROOT / "scripts/build_wheel", folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A clean environment beside the official package and grpcio."""
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin/python"
    run(python, "-m", "pip", "install", "--quiet", wheel, "temporalio==1.35.0", "grpcio")
    return python


def test_brings_the_libraries_that_a_plain_system_lacks(wheel: pathlib.Path):
    names = zipfile.ZipFile(wheel).namelist()

    assert "manylinux" in wheel.name
    for library in ("libgrpc", "libprotobuf", "libabsl"):
        assert any(library in name for name in names if ".libs/" in name), library
    assert "chimera/py.typed" in names
    assert "chimera/api/workflowservice/v1/request_response_pb2.pyi" in names


def test_pytest_finds_its_fixtures(python: pathlib.Path, tmp_path: pathlib.Path):
    run(python, "-m", "pip", "install", "--quiet", "pytest")
    lines = ["import asyncio", "async def body(env):", "    await env.sleep(3 * 86400)"]
    lines += ["def test_env(chimera_env):", "    asyncio.run(body(chimera_env))", ""]
    (tmp_path / "test_env.py").write_text("\n".join(lines))

    assert "1 passed" in run(python, "-m", "pytest", "-q", tmp_path, cwd=tmp_path)


@pytest.mark.parametrize("first", ["chimera._bridge", "temporalio.bridge.temporal_sdk_bridge", "grpc"])
def test_imports_beside_other_users_of_grpc_and_protobuf(python: pathlib.Path, tmp_path: pathlib.Path, first: str):
    run(python, "-c", f"import {first}\nimport grpc\n{USE_BOTH}", cwd=tmp_path)


@pytest.mark.parametrize("order", ["chimera temporalio", "temporalio chimera"])
def test_message_classes_are_the_same_whichever_package_comes_first(
    python: pathlib.Path, tmp_path: pathlib.Path, order: str
):
    imports = "\n".join(f"import {name}.client, {name}.api.workflowservice.v1" for name in order.split())

    run(python, "-c", imports + USE_BOTH, cwd=tmp_path)


def test_maps_no_library_of_the_system_but_the_basic_ones(python: pathlib.Path, tmp_path: pathlib.Path):
    maps = run(python, "-c", "import chimera._bridge\nprint(open('/proc/self/maps').read())", cwd=tmp_path)

    names = {line.split()[-1] for line in maps.splitlines() if line}
    system = {name for name in names if name.startswith(("/usr/lib", "/lib"))}
    assert any("libgrpc" in name for name in names), "the wheel's own copy is in use"
    assert not [name for name in system if "grpc" in name or "protobuf" in name or "absl" in name]


NATIVE = """
import asyncio, sys
from datetime import timedelta
from chimera import workflow
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

@workflow.defn(name="Trucks")
class Trucks:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            "reserve_truck", {"order_id": "17", "grams": 1}, start_to_close_timeout=timedelta(seconds=10)
        )

async def main():
    async with await WorkflowEnvironment.start_local() as env:
        async with Worker(env.client, task_queue="orders", workflows=[Trucks], native=[sys.argv[1]]):
            assert await env.client.execute_workflow("Trucks", id="t", task_queue="orders") == "truck 7"
    maps = open("/proc/self/maps").read().split()
    cores = {path for path in maps if "libchimera" in path}
    assert len(cores) == 1, f"one core per process: {cores}"

asyncio.run(main())
"""


def test_runs_a_native_library_on_the_one_core_of_the_wheel(
    wheel: pathlib.Path, python: pathlib.Path, tmp_path: pathlib.Path
):
    run("ninja", "-C", ROOT / "build/release", "orders")
    library = shutil.copy(ROOT / "build/release/samples/liborders.so", tmp_path)

    run(python, "-c", NATIVE, library, cwd=tmp_path)


def test_type_checkers_know_what_a_program_does(python: pathlib.Path, tmp_path: pathlib.Path):
    run(python, "-m", "pip", "install", "--quiet", "mypy==2.4.1")
    shutil.copytree(TYPED, tmp_path / "typed")
    cwd = tmp_path / "typed"

    run(python, "-m", "mypy", "--strict", "program.py", cwd=cwd)
    refused = subprocess.run(
        [python, "-m", "mypy", "--strict", "mistakes.py"], cwd=cwd, env=PLAIN, capture_output=True, text=True
    )

    lines = enumerate((cwd / "mistakes.py").read_text().splitlines(), 1)
    wanted = [(number, line.split("# wrong: ")[1]) for number, line in lines if "# wrong: " in line]
    found = re.findall(r"^mistakes\.py:(\d+): error: .*\[([a-z-]+)\]$", refused.stdout, re.M)
    assert [(int(number), kind) for number, kind in found] == wanted, refused.stdout


def test_serves_and_connects(python: pathlib.Path, tmp_path: pathlib.Path):
    run(
        python,
        "-c",
        "import asyncio\n"
        "from chimera.testing import WorkflowEnvironment\n"
        "async def main():\n"
        "    async with await WorkflowEnvironment.start_local() as env:\n"
        "        assert await env.client.service_client.check_health()\n"
        "asyncio.run(main())\n",
        cwd=tmp_path,
    )
