"""A plugin of pytest, which loads it by itself where the package is installed: fixtures for tests of workflows.

`chimera_env`           a `WorkflowEnvironment`, new for each test
`chimera_session_env`   one for all tests
`chimera_client`        the client of `chimera_env`
`chimera_task_queue`    a name that no other test has
`chimera_worker`        makes a `Worker` of that client on that task queue

They need no event loop, so that they serve asynchronous tests of any plugin (pytest-asyncio, anyio) and tests that call
`asyncio.run`. A project that shares one server overrides `chimera_env` with `chimera_session_env`; one that starts it
otherwise overrides `chimera_env_options`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

if TYPE_CHECKING:
    from chimera.client import Client
    from chimera.testing import WorkflowEnvironment
    from chimera.worker import Worker

_T = TypeVar("_T")

_KINDS = ("time-skipping", "local")


class WorkerFactory(Protocol):
    """What `chimera_worker` is. Further arguments are those of `Worker`."""

    def __call__(
        self, *, workflows: Sequence[type] = (), activities: Sequence[Callable[..., Any]] = (), **options: Any
    ) -> Worker:
        """The worker, to be run by `async with`."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """The setting chimera_environment."""
    parser.addini(
        "chimera_environment",
        f"The time of the environments that the fixtures start: {' or '.join(_KINDS)}",
        default=_KINDS[0],
    )


@pytest.fixture(scope="session")
def chimera_env_options() -> dict[str, Any]:
    """Arguments of `WorkflowEnvironment.start_time_skipping` or `start_local`; for projects to override."""
    return {}


@pytest.fixture(scope="session")
def chimera_session_env(
    pytestconfig: pytest.Config, chimera_env_options: dict[str, Any]
) -> Iterator[WorkflowEnvironment]:
    """One environment for all tests."""
    yield from _environment(pytestconfig, chimera_env_options)


@pytest.fixture
def chimera_env(pytestconfig: pytest.Config, chimera_env_options: dict[str, Any]) -> Iterator[WorkflowEnvironment]:
    """An environment of the test's own."""
    yield from _environment(pytestconfig, chimera_env_options)


@pytest.fixture
def chimera_client(chimera_env: WorkflowEnvironment) -> Client:
    """The client of `chimera_env`."""
    return chimera_env.client


@pytest.fixture
def chimera_task_queue(request: pytest.FixtureRequest) -> str:
    """A name that no other test has, for tests that share a server."""
    return f"{request.node.name}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def chimera_worker(chimera_client: Client, chimera_task_queue: str) -> Iterator[WorkerFactory]:
    """Makes a worker: `async with chimera_worker(workflows=[...], activities=[...]):`.

    Activities that are no coroutines run on threads of the test's own, unless an activity_executor is given.
    """
    from chimera.worker import Worker

    with ThreadPoolExecutor(thread_name_prefix="chimera_worker") as threads:

        def make(
            *, workflows: Sequence[type] = (), activities: Sequence[Callable[..., Any]] = (), **options: Any
        ) -> Worker:
            defaults = {"task_queue": chimera_task_queue, "activity_executor": threads}
            return Worker(chimera_client, workflows=workflows, activities=activities, **{**defaults, **options})

        yield make


def _environment(config: pytest.Config, options: dict[str, Any]) -> Iterator[WorkflowEnvironment]:
    from chimera.testing import WorkflowEnvironment

    kind = config.getini("chimera_environment")
    if kind not in _KINDS:
        raise pytest.UsageError(f"chimera_environment = {kind}: there are {' and '.join(_KINDS)}")
    start = WorkflowEnvironment.start_local if kind == "local" else WorkflowEnvironment.start_time_skipping
    env = _apart(lambda: start(**options))
    yield env
    _apart(env.shutdown)


def _apart(body: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """On a loop of its own: the test's is another plugin's to run, if there is one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(body())).result()
