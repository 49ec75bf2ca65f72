"""Servers for the cases: the embedded one, and the genuine one that CHIMERA_TEMPORAL_CLI names (marked peer)."""

import asyncio
import os
import uuid
from collections.abc import Iterator

import pytest
from live_support import CITY, ORDERS

from chimera.client import Client
from chimera.testing import WorkflowEnvironment

SETTINGS = (
    "system.forceSearchAttributesCacheRefreshOnRead=true",
    "history.enableStandaloneActivityOperatorCommands=true",
    "activity.enableCallbacks=true",
    "nexusoperation.enableStandalone=true",
    "component.nexusoperations.recordCancelRequestCompletionEvents=true",  # Server 1.29 does not by itself.
)
ARGUMENTS = [part for setting in SETTINGS for part in ("--dynamic-config-value", setting)]


@pytest.fixture(scope="session", params=["embedded", pytest.param("genuine", marks=pytest.mark.peer)])
def env(request: pytest.FixtureRequest) -> Iterator[WorkflowEnvironment]:
    program = None
    if request.param == "genuine":
        program = os.environ.get("CHIMERA_TEMPORAL_CLI")
        assert program, "set CHIMERA_TEMPORAL_CLI to the temporal program"
    start = WorkflowEnvironment.start_local(
        dev_server_existing_path=program, search_attributes=[CITY, ORDERS], dev_server_extra_args=ARGUMENTS
    )
    loop = asyncio.new_event_loop()  # Not the current one: each test makes that anew and closes the one before.
    environment = loop.run_until_complete(start)
    yield environment
    loop.run_until_complete(environment.shutdown())
    loop.close()


@pytest.fixture
def genuine(request: pytest.FixtureRequest) -> bool:
    """Whether the case runs on the genuine server."""
    return "genuine" in request.node.name


@pytest.fixture
def client(env: WorkflowEnvironment) -> Client:
    return env.client


@pytest.fixture
def name() -> str:
    """A fresh id, of workflows and task queues."""
    return f"live-{uuid.uuid4().hex}"


@pytest.fixture(params=[1000, 0], ids=["cached", "uncached"])
def cache(request: pytest.FixtureRequest) -> int:
    """With no cache, each task replays the run from its first event."""
    return request.param
