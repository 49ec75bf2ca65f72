"""The fixtures of chimera.testing.pytest, in projects of several kinds."""

import os
import pathlib
import subprocess
import sys

import pytest

WORKFLOWS = """
from datetime import timedelta
from chimera import activity, workflow

@activity.defn
def greet(name: str) -> str:
    return f"Hello, {name}!"

@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.sleep(timedelta(days=3))
        return await workflow.execute_activity(greet, name, start_to_close_timeout=timedelta(seconds=10))
"""

BODY = """
from workflows import Greeting, greet

async def greeting(client, worker, task_queue, name="you"):
    async with worker(workflows=[Greeting], activities=[greet]):
        return await client.execute_workflow(Greeting.run, name, id=task_queue, task_queue=task_queue)
"""

ASYNC_TESTS = """
import pytest
from body import greeting

@pytest.mark.parametrize("name", ["Ann", "Bob"])
async def test_greets(chimera_client, chimera_worker, chimera_task_queue, name):
    assert await greeting(chimera_client, chimera_worker, chimera_task_queue, name) == f"Hello, {name}!"
"""

# Runs coroutines each on a loop of its own, as anyio's plugin does; what this is about is that nobody else has one.
OWN_RUNNER = """
import asyncio, inspect, pytest

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
"""

SHARED = """
import pytest

@pytest.fixture
def chimera_env(chimera_session_env):
    return chimera_session_env
"""

SHARED_TESTS = """
import asyncio
from body import greeting

seen = []

def test_first(chimera_env, chimera_client, chimera_worker, chimera_task_queue):
    seen.append((chimera_env, chimera_task_queue))
    assert asyncio.run(greeting(chimera_client, chimera_worker, chimera_task_queue)) == "Hello, you!"

def test_second(chimera_env, chimera_client, chimera_worker, chimera_task_queue):
    async def at_once():
        # Who waits for the same lock, in a loop that is not the first test's.
        return await asyncio.gather(*(chimera_env.sleep(60) for _ in range(8)))

    asyncio.run(at_once())
    assert asyncio.run(greeting(chimera_client, chimera_worker, chimera_task_queue)) == "Hello, you!"
    assert seen[0][0] is chimera_env and seen[0][1] != chimera_task_queue
"""

LOCAL_TESTS = """
import pytest
from datetime import datetime, timezone

@pytest.fixture(scope="session")
def chimera_env_options():
    return {"namespace": "accounts"}

def test_kind(chimera_env, chimera_client):
    assert not chimera_env.supports_time_skipping
    assert chimera_client.namespace == "accounts"
"""


class Project:
    """A folder of tests, and pytest in a process of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.write(**{"workflows.py": WORKFLOWS, "body.py": BODY, "pytest.ini": "[pytest]\n"})

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        # From the source tree there is no metadata that would name the plugin.
        command = [sys.executable, "-m", "pytest", "-q", "-p", "chimera.testing.pytest", "-p", "no:cacheprovider"]
        environment = {**os.environ, "PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{self.folder}"}
        return subprocess.run(
            [*command, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=110
        )

    def passes(self, count: int, *arguments: str) -> None:
        done = self.run(*arguments)
        assert f"{count} passed" in done.stdout, done.stdout + done.stderr
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    return Project(tmp_path)


def test_with_pytest_asyncio(project: Project):
    project.write(**{"test_greeting.py": ASYNC_TESTS})
    project.passes(2, "-o", "asyncio_mode=auto")


def test_with_another_runner_of_coroutines(project: Project):
    project.write(**{"test_greeting.py": ASYNC_TESTS, "conftest.py": OWN_RUNNER})
    project.passes(2, "-p", "no:asyncio")


def test_without_any_and_with_one_server_for_all(project: Project):
    project.write(**{"test_greeting.py": SHARED_TESTS, "conftest.py": SHARED})
    project.passes(2, "-p", "no:asyncio")


def test_settings(project: Project):
    project.write(**{"test_kind.py": LOCAL_TESTS, "pytest.ini": "[pytest]\nchimera_environment = local\n"})
    project.passes(1)

    project.write(**{"pytest.ini": "[pytest]\nchimera_environment = slow\n"})
    done = project.run()
    assert "chimera_environment = slow: there are time-skipping and local" in done.stdout + done.stderr


def test_a_project_that_uses_nothing_of_it_does_not_load_the_sdk(project: Project):
    project.write(
        **{"test_modules.py": "import sys\ndef test_modules():\n    assert 'chimera.client' not in sys.modules\n"}
    )
    project.passes(1)
