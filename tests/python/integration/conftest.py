"""A server for the tests of this folder: the embedded one, or the program that CHIMERA_TEMPORAL_CLI names."""

import asyncio
import os
import uuid
from collections.abc import Iterator

import pytest

from chimera.client import Client
from chimera.testing import WorkflowEnvironment


@pytest.fixture(scope="session")
def env() -> Iterator[WorkflowEnvironment]:
    start = WorkflowEnvironment.start_local(dev_server_existing_path=os.environ.get("CHIMERA_TEMPORAL_CLI"))
    loop = asyncio.new_event_loop()  # Not the current one: each test makes that anew and closes the one before.
    environment = loop.run_until_complete(start)
    yield environment
    loop.run_until_complete(environment.shutdown())
    loop.close()


@pytest.fixture
def client(env: WorkflowEnvironment) -> Client:
    return env.client


@pytest.fixture
def name() -> str:
    """A fresh id."""
    return f"test-{uuid.uuid4().hex}"
