"""A server for the tests of this folder: the embedded one, or the program that CHIMERA_TEMPORAL_CLI names."""

import os
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chimera.client import Client
from chimera.testing import WorkflowEnvironment


@pytest.fixture(scope="session")
def event_loop():
    import asyncio

    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest_asyncio.fixture(scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    path = os.environ.get("CHIMERA_TEMPORAL_CLI")
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=path) as environment:
        yield environment


@pytest.fixture
def client(env: WorkflowEnvironment) -> Client:
    return env.client


@pytest.fixture
def name() -> str:
    """A fresh id."""
    return f"test-{uuid.uuid4().hex}"
