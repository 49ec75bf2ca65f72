"""samples/python/encryption: what the server keeps is unreadable, and everybody with the key reads it."""

import pytest
from live_support import sample

from chimera.client import Client, WorkflowFailureError
from chimera.testing import WorkflowEnvironment

encryption = sample("python/encryption/encryption.py")


@pytest.fixture
async def client(env: WorkflowEnvironment) -> Client:
    return await Client.connect(
        env.client.service_client.config.target_host, data_converter=encryption.CONVERTER
    )


async def test_nothing_is_readable_without_the_key(env: WorkflowEnvironment, client: Client) -> None:
    async with encryption.make_worker(client):
        assert await encryption.greet(client, "ann") == "Hello, ann"

    assert await encryption.show(env.client, "greeting-ann", None) == "binary/encrypted -> binary/encrypted"


async def test_nor_is_why_it_failed(env: WorkflowEnvironment, client: Client) -> None:
    async with encryption.make_worker(client):
        with pytest.raises(WorkflowFailureError) as failed:
            await encryption.greet(client, "")

    assert "a greeting needs a name" in str(failed.value.cause.__cause__)
    assert "a greeting needs" not in str(await env.client.get_workflow_handle("greeting-").fetch_history())
