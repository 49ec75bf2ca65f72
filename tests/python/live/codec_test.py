"""One codec over everything that two languages send: nothing that holds the word SECRET may be readable."""

import asyncio
import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from live_support import BUILD, CITY, events

from chimera import activity, workflow
from chimera.api.common.v1 import Payload
from chimera.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from chimera.common import RetryPolicy, SearchAttributePair, TypedSearchAttributes
from chimera.contrib.encryption import AesGcmCodec
from chimera.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from chimera.exceptions import ActivityError, ApplicationError
from chimera.testing import WorkflowEnvironment
from chimera.worker import Worker

KEY = "0123456789abcdef0123456789abcdef"
LIBRARY = str(BUILD / "tests/libmixed_codec.so")
OPTIONS = {"start_to_close_timeout": timedelta(seconds=10)}


@activity.defn
async def upper_python(text: str) -> str:
    return f"python SECRET {text}"


@activity.defn
async def beat_python(text: str) -> str:
    if activity.info().attempt == 1:
        activity.heartbeat(f"beat SECRET {text}")
        raise ApplicationError("once SECRET", "lost SECRET")
    return activity.info().heartbeat_details[0]


@activity.defn
def fail_python(text: str) -> None:
    raise ApplicationError(f"no {text}", "detail SECRET", 7, type="Python", non_retryable=True)


@workflow.defn
class Mixed:
    def __init__(self) -> None:
        self.seen_so_far = ""
        self.word = ""

    @workflow.run
    async def run(self, text: str) -> str:
        workflow.upsert_memo({"mixed": "memo SECRET"})
        retry = {**OPTIONS, "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=1))}
        for name in ("upper_native", "beat_native", "beat_python"):
            self.seen_so_far += await workflow.execute_activity(name, text, result_type=str, **retry) + "; "
        try:
            await workflow.execute_activity("fail_native", text, **OPTIONS)
        except ActivityError as error:
            cause = error.cause
            assert isinstance(cause, ApplicationError)
            self.seen_so_far += f"{cause.type}: {cause.message} {list(cause.details)}"
        await workflow.wait_condition(lambda: self.word != "")
        if self.word == "continue":
            workflow.continue_as_new("again SECRET")
        return f"{self.seen_so_far}; {self.word}"

    @workflow.signal
    def say(self, word: str) -> None:
        self.word = word

    @workflow.query
    def seen(self, prefix: str) -> str:
        return prefix + self.seen_so_far

    @workflow.update
    def add(self, word: str) -> str:
        return f"added {word}"

    @add.validator
    def check(self, word: str) -> None:
        if word == "bad SECRET":
            raise ApplicationError("refused", "why SECRET")


@workflow.defn
class MixedLocally:
    @workflow.run
    async def run(self, text: str) -> str:
        both = [
            workflow.start_local_activity(name, text, result_type=str, **OPTIONS)
            for name in ("upper_native", "upper_python")
        ]
        seen = "; ".join([await each for each in both])
        try:
            await workflow.execute_local_activity("fail_native", text, **OPTIONS)
        except ApplicationError as error:
            seen += f"; {error.type}: {error.message} {list(error.details)}"
        return seen


ALL_OF_MIXED = (
    "native SECRET text SECRET; beat SECRET text SECRET; beat SECRET text SECRET; "
    "Native: no text SECRET ['detail SECRET', 7]"
)


def converter_with(key: str) -> DataConverter:
    return DataConverter(payload_codec=AesGcmCodec(key, {key: KEY.encode()}))


@pytest.fixture
async def coded(env: WorkflowEnvironment) -> Client:
    """Messages and stack traces of failures are hidden, too, on both sides."""
    converter = dataclasses.replace(
        converter_with("k1"), failure_converter_class=DefaultFailureConverterWithEncodedAttributes
    )
    return await env.connect_client(data_converter=converter)


def worker(client: Client, task_queue: str, cache: int = 1000) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[Mixed, MixedLocally],
        activities=[upper_python, beat_python, fail_python],
        activity_executor=ThreadPoolExecutor(4),
        native=[LIBRARY],
        max_cached_workflows=cache,
    )


async def raw(handle: WorkflowHandle, plain: Client) -> bytes:
    """All that the server knows of the workflow."""
    seen = plain.get_workflow_handle(handle.id)
    history = await seen.fetch_history()
    description = await seen.describe()
    return b"".join(event.SerializeToString() for event in history.events) + (
        description.raw_description.SerializeToString()
    )


@pytest.mark.parametrize(
    ("workflow_type", "expected"),
    [
        (
            "MixedLocally",
            "native SECRET text SECRET; python SECRET text SECRET; Native: no text SECRET ['detail SECRET', 7]",
        ),
        (
            "NativeLocally",
            "python SECRET text SECRET; native SECRET text SECRET; Python: no text SECRET, detail SECRET, 7",
        ),
    ],
    ids=["python", "cpp"],
)
async def test_local_activities_across_languages(
    client: Client, coded: Client, name: str, cache: int, workflow_type: str, expected: str
):
    async with worker(coded, name, cache):
        handle = await coded.start_workflow(workflow_type, "text SECRET", id=name, task_queue=name, result_type=str)
        assert await handle.result() == expected
        assert len(await events(handle, "marker_recorded")) == 3
        assert await events(handle, "activity_task_scheduled") == []
        assert b"SECRET" not in await raw(handle, client)


async def test_python_client_cpp_workflow(client: Client, coded: Client, name: str, cache: int):
    async with worker(coded, name, cache):
        handle = await coded.start_workflow(
            "Native", "text SECRET", id=name, task_queue=name, result_type=str, memo={"started": "memo SECRET"}
        )
        added = await handle.execute_update("add", "tip SECRET", result_type=str)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update("add", "bad SECRET")
        await handle.signal("say", "word SECRET")
        result = await handle.result()
        seen = await handle.query("seen", "asked SECRET: ", result_type=str)

    parts = ["python SECRET text SECRET", "tip SECRET", "Python: no text SECRET, detail SECRET, 7", "word SECRET"]
    assert all(part in result for part in parts), result
    assert added.endswith("tip SECRET")
    assert seen.startswith("asked SECRET: ") and "no text SECRET" in seen
    assert isinstance(refused.value.cause, ApplicationError)
    assert list(refused.value.cause.details) == ["why SECRET", 2]
    description = await handle.describe()
    assert await description.memo() == {"started": "memo SECRET", "native": "memo SECRET"}
    assert description.typed_search_attributes[CITY] == "Bremen", "search attributes stay readable"
    assert b"SECRET" not in await raw(handle, client)


async def test_cpp_failure_reaches_the_python_client(client: Client, coded: Client, name: str):
    async with worker(coded, name):
        handle = await coded.start_workflow("Native", "text SECRET", id=name, task_queue=name)
        await handle.signal("say", "fail")
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert (failed.value.cause.type, list(failed.value.cause.details)) == ("End", ["last SECRET", 1])
    assert b"SECRET" not in await raw(handle, client)


async def test_python_workflow_over_cpp_activities(client: Client, coded: Client, name: str, cache: int):
    async with worker(coded, name, cache):
        handle = await coded.start_workflow(
            Mixed.run,
            "text SECRET",
            id=name,
            task_queue=name,
            memo={"started": "memo SECRET"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(CITY, "Bremen")]),
            static_summary="summary SECRET",
        )
        added = await handle.execute_update(Mixed.add, "tip SECRET")
        await handle.signal(Mixed.say, "word SECRET")
        result = await handle.result()
        seen = await handle.query(Mixed.seen, "asked SECRET: ")

    description = await handle.describe()
    assert added == "added tip SECRET"
    assert result == f"{ALL_OF_MIXED}; word SECRET"
    assert seen == f"asked SECRET: {ALL_OF_MIXED}"
    assert await description.memo() == {"started": "memo SECRET", "mixed": "memo SECRET"}
    assert await description.static_summary() == "summary SECRET"
    assert description.typed_search_attributes[CITY] == "Bremen"
    assert b"SECRET" not in await raw(handle, client)


async def test_continued_runs_stay_encrypted(client: Client, coded: Client, name: str):
    async with worker(coded, name):
        handle = await coded.start_workflow(Mixed.run, "text SECRET", id=name, task_queue=name)
        await handle.signal(Mixed.say, "continue")
        with pytest.raises(Exception, match="continued as new"):
            await handle.result(follow_runs=False)
        await coded.get_workflow_handle(name).signal(Mixed.say, "word SECRET")
        result = await handle.result()

    assert "again SECRET" in result
    first = client.get_workflow_handle(name, run_id=handle.first_execution_run_id)
    events = (await first.fetch_history()).events
    assert b"again SECRET" not in b"".join(event.SerializeToString() for event in events)


async def test_cpp_client_python_workflow(client: Client, coded: Client, name: str):
    address = client.service_client.config.target_host
    async with worker(coded, name):
        process = await asyncio.create_subprocess_exec(
            BUILD / "tests/codec_client", address, name, name, "k1", KEY, stdout=-1, stderr=-1
        )
        out, errors = await process.communicate()

    assert process.returncode == 0, errors.decode()
    assert out.decode().splitlines() == [
        "update: added tip SECRET",
        "rejected: why SECRET",
        f"result: {ALL_OF_MIXED}; word SECRET",
        f"query: asked SECRET: {ALL_OF_MIXED}",
    ]
    assert b"SECRET" not in await raw(client.get_workflow_handle(name), client)


async def test_another_key_is_refused_with_its_name(env: WorkflowEnvironment, name: str):
    other = await env.connect_client(data_converter=converter_with("k2"))
    first = await env.connect_client(data_converter=converter_with("k1"))
    async with worker(first, name):
        handle = await first.start_workflow(Mixed.run, "text SECRET", id=name, task_queue=name)
        await handle.execute_update(Mixed.add, "a")
        with pytest.raises(WorkflowQueryFailedError, match="key 'k2', which this codec does not have"):
            await other.get_workflow_handle(name, result_type=str).query("seen", "", result_type=str)
        await handle.terminate()


async def test_keys_are_checked():
    with pytest.raises(ValueError, match="'short' has 5 bytes; AES-256 needs 32"):
        AesGcmCodec("short", {"short": b"short"})
    with pytest.raises(ValueError, match="no encryption key has the id 'k2'"):
        AesGcmCodec("k2", {"k1": KEY.encode()})


class Reverse(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata=p.metadata, data=p.data[::-1]) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await self.encode(payloads)


async def test_a_codec_in_python_is_refused_for_native_libraries(env: WorkflowEnvironment, name: str):
    converter = dataclasses.replace(DataConverter.default, payload_codec=Reverse())
    client = await env.connect_client(data_converter=converter)

    with pytest.raises(ValueError, match=r"cannot use the payload codec Reverse.*AesGcmCodec"):
        Worker(client, task_queue=name, native=[LIBRARY])
