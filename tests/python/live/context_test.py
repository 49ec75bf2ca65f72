"""A codec with a key for each serialization context, over both languages: what one wrote with a context the other can
only read with the same."""

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import timedelta

from live_support import BUILD

from chimera import activity, workflow
from chimera.api.common.v1 import Payload
from chimera.client import Client
from chimera.common import RetryPolicy
from chimera.converter import (
    ActivitySerializationContext,
    DataConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from chimera.exceptions import ActivityError, ApplicationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

OPTIONS = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=1)),
}


class Keyed(PayloadCodec, WithSerializationContext):
    def __init__(self, key: str = "none") -> None:
        self.begin = f"{key}\n".encode()

    def with_context(self, context: SerializationContext) -> "Keyed":
        if isinstance(context, ActivitySerializationContext):
            local = "local" if context.is_local else ""
            return Keyed(
                f"{context.namespace}|{context.workflow_id}|{context.workflow_type}|{context.activity_type}|"
                f"{context.activity_task_queue}|{local}"
            )
        assert isinstance(context, WorkflowSerializationContext)
        return Keyed(f"{context.namespace}|{context.workflow_id}")

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(
                metadata={**p.metadata, "inner": p.metadata["encoding"], "encoding": b"binary/keyed"},
                data=self.begin + p.data,
            )
            for p in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._decode(p) if p.metadata["encoding"] == b"binary/keyed" else p for p in payloads]

    def _decode(self, payload: Payload) -> Payload:
        key = payload.data.partition(b"\n")[0]
        assert payload.data.startswith(self.begin), f"written for {key!r}, read for {self.begin!r}"
        metadata = {**payload.metadata, "encoding": payload.metadata["inner"]}
        del metadata["inner"]
        return Payload(metadata=metadata, data=payload.data[len(self.begin) :])


@activity.defn
async def py_echo(text: str) -> str:
    if activity.info().attempt == 1:
        activity.heartbeat(f"beat {text}")
        raise ApplicationError("once", f"lost {text}")
    return f"py {activity.info().heartbeat_details[0]}"


@activity.defn
async def py_fail(text: str) -> None:
    raise ApplicationError("no", f"why {text}", non_retryable=True)


@workflow.defn
class PyChild:
    def __init__(self) -> None:
        self.word = ""

    @workflow.signal
    def say(self, text: str) -> None:
        self.word = text

    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: self.word != "")
        return f"child {text} {self.word}"


@workflow.defn
class PyCalls:
    def __init__(self) -> None:
        self.seen = ""
        self.word = ""

    @workflow.signal
    def say(self, text: str) -> None:
        self.word = text

    @workflow.query
    def get(self) -> str:
        return self.seen

    @workflow.run
    async def run(self, text: str, cpp_queue: str) -> str:
        self.seen = await workflow.execute_activity("cpp_echo", text, task_queue=cpp_queue, result_type=str, **OPTIONS)
        try:
            await workflow.execute_activity("cpp_fail", text, task_queue=cpp_queue, **OPTIONS)
        except ActivityError as error:
            assert isinstance(error.cause, ApplicationError)
            self.seen += f"; {error.cause.details[0]}"
        child = await workflow.start_child_workflow(
            "CppChild", text, id=f"{workflow.info().workflow_id}-child", task_queue=cpp_queue, result_type=str
        )
        await child.signal("say", "hello")
        self.seen += f"; {await child}"
        workflow.upsert_memo({"py": "memo"})
        await workflow.wait_condition(lambda: self.word != "")
        return f"{self.seen}; {self.word}"


async def test_both_languages_have_the_same_contexts(env: WorkflowEnvironment, name: str, cache: int):
    converter = dataclasses.replace(DataConverter.default, payload_codec=Keyed())
    client: Client = await env.connect_client(data_converter=converter)
    address = client.service_client.config.target_host
    async with Worker(
        client,
        task_queue=name,
        workflows=[PyCalls, PyChild],
        activities=[py_echo, py_fail],
        max_cached_workflows=cache,
    ):
        program = await asyncio.create_subprocess_exec(
            BUILD / "tests/context_program", address, f"{name}-cpp", name, f"{name}-py", stdin=-1, stdout=-1, stderr=-1
        )
        handle = await client.start_workflow(
            "CppCalls",
            args=["text", name],
            id=name,
            task_queue=f"{name}-cpp",
            result_type=str,
            memo={"started": "memo"},
        )
        await handle.signal("say", "word")
        async with asyncio.timeout(60):
            result = await handle.result()
            seen = await handle.query("get", result_type=str)
        description = await handle.describe()
        out, errors = await program.communicate(b"")

    assert result == "py beat text; why text; child text hello; local text; word"
    assert seen == result.removesuffix("; word")
    assert await description.memo() == {"started": "memo", "cpp": "memo"}
    assert program.returncode == 0, errors.decode()
    assert out.decode().splitlines() == [
        "result: cpp beat text; why text; child text hello; word",
        "query: cpp beat text; why text; child text hello",
        "memo: memo",
    ]
