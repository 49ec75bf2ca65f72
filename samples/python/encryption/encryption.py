"""Values that the server keeps but cannot read: client and worker share a key, and people with the right to see them
have a codec server.

    python samples/python/encryption/encryption.py worker localhost:7233
    python samples/python/encryption/encryption.py greet NAME localhost:7233
    python samples/python/encryption/encryption.py show WORKFLOW_ID localhost:7233                # as the server has it
    python samples/python/encryption/encryption.py show WORKFLOW_ID localhost:7233 localhost:8081 # by a codec server
"""

import asyncio
import dataclasses
import json
import sys
import urllib.request
from base64 import b64decode
from datetime import timedelta

from chimera import activity, workflow
from chimera.client import Client
from chimera.common import RetryPolicy
from chimera.contrib.encryption import AesGcmCodec
from chimera.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from chimera.exceptions import ApplicationError
from chimera.worker import Worker

TASK_QUEUE = "encryption"
# New values are encrypted with the newest key; the old one stays for what it has encrypted. A real program has them
# from where its secrets are kept.
CODEC = AesGcmCodec("2026-07", {"2026-07": b"n" * 32, "2026-01": b"o" * 32})
# Messages and stack traces of failures are encrypted, too: they often say what nobody should read.
CONVERTER = dataclasses.replace(
    DataConverter.default,
    payload_codec=CODEC,
    failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
)


@activity.defn
async def compose(name: str) -> str:
    if not name:
        raise ApplicationError("a greeting needs a name")
    return f"Hello, {name}"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(
            compose,
            name,
            start_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


def make_worker(client: Client) -> Worker:
    return Worker(client, task_queue=TASK_QUEUE, workflows=[Greeting], activities=[compose])


async def greet(client: Client, name: str) -> str:
    return await client.execute_workflow(Greeting.run, name, id=f"greeting-{name}", task_queue=TASK_QUEUE)


async def show(client: Client, workflow_id: str, codec_server: str | None) -> str:
    """The workflow's argument and result, by a client that has no key."""
    history = (await client.get_workflow_handle(workflow_id).fetch_history()).to_json_dict()
    events = history["events"]
    payloads = [
        *events[0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"],
        *events[-1]["workflowExecutionCompletedEventAttributes"]["result"]["payloads"],
    ]
    if codec_server is not None:
        payloads = decode(codec_server, payloads)
    return " -> ".join(text_of(payload) for payload in payloads)


def decode(codec_server: str, payloads: list[dict]) -> list[dict]:
    """As the Web UI and the CLI ask."""
    request = urllib.request.Request(
        f"http://{codec_server}/decode",
        json.dumps({"payloads": payloads}).encode(),
        {"Content-Type": "application/json", "X-Namespace": "default"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        decoded: list[dict] = json.load(reply)["payloads"]
    return decoded


def text_of(payload: dict) -> str:
    encoding = b64decode(payload["metadata"]["encoding"]).decode()
    return b64decode(payload["data"]).decode() if encoding == "json/plain" else encoding


async def main(command: str, *arguments: str) -> None:
    if command == "worker":
        await make_worker(await Client.connect(arguments[0], data_converter=CONVERTER)).run()
    elif command == "greet":
        name, address = arguments
        print(await greet(await Client.connect(address, data_converter=CONVERTER), name))
    elif command == "show":
        workflow_id, address, *codec_server = arguments
        print(await show(await Client.connect(address), workflow_id, *(codec_server or [None])))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:] or ["help"]))
