"""Servers for the cases: the embedded one, and the genuine one that CHIMERA_TEMPORAL_CLI names (marked peer)."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from live_support import CITY, ORDERS

from chimera.client import Client
from chimera.testing import WorkflowEnvironment

ARGUMENTS = ["--dynamic-config-value", "system.forceSearchAttributesCacheRefreshOnRead=true"]


@pytest.fixture(scope="session")
def event_loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest_asyncio.fixture(
    scope="session", params=["embedded", pytest.param("genuine", marks=pytest.mark.peer)]
)
async def env(request: pytest.FixtureRequest) -> AsyncIterator[WorkflowEnvironment]:
    program = None
    if request.param == "genuine":
        program = os.environ.get("CHIMERA_TEMPORAL_CLI")
        assert program, "set CHIMERA_TEMPORAL_CLI to the temporal program"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=program, search_attributes=[CITY, ORDERS], dev_server_extra_args=ARGUMENTS
    ) as environment:
        yield environment


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
