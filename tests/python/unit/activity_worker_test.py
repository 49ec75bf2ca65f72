"""Activities on a fake bridge: how they end, are cancelled, and heartbeat."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import multiprocessing
import os
import signal
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from fake_bridge import play_bridge
from fake_core import activity_task, decode, encode, error_of

from chimera import activity, common, converter, exceptions
from chimera.api.common.v1 import Payload, Priority, RetryPolicy
from chimera.worker._activity_worker import ActivityWorker
from chimera.worker._interceptor import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    Interceptor,
)
from chimera.worker._shared_state import SharedStateManager


class FakeActivityBridge:
    """Collects what the worker reports, and counts the calls for it."""

    reports = 0

    def __init__(self, queue: Any, start: Callable, cancel: Callable) -> None:
        self.start, self.cancel = start, cancel
        self.heartbeats: list[list[Any]] = []
        self.done: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def heartbeat(self, token: bytes, details: list[bytes]) -> None:
        self.heartbeats.append([decode(item) for item in details])

    def complete(self, ends: list[tuple[bytes, str, Any]]) -> None:
        self.reports += 1
        for _token, status, value in ends:
            self.done.put_nowait((status, value))


class FakeCoreWorker:
    def __init__(self) -> None:
        self.bridge: Any = None

    def add_activity(self, name: str, bridge: Any) -> None:
        self.bridge = bridge

    def add_dynamic_activity(self, bridge: Any) -> None:
        self.bridge = bridge


class Harness:
    """A worker whose core is this test."""

    def __init__(
        self,
        *activities: Callable,
        interceptors: Sequence[Interceptor] = (),
        executor: Any = None,
        shared_state: SharedStateManager | None = None,
        data: converter.DataConverter = converter.default(),
    ) -> None:
        self.fatal: list[BaseException] = []
        client: Any = types.SimpleNamespace(namespace="default")
        self.worker = ActivityWorker(
            task_queue="queue",
            activities=activities,
            activity_executor=executor,
            shared_state_manager=shared_state,
            data_converter=data,
            interceptors=interceptors,
            metric_meter=common.MetricMeter.noop,
            client=client,
            code_headers=False,
            on_fatal=self.fatal.append,
        )
        core = FakeCoreWorker()
        self.worker.register_with(core, None)  # type: ignore
        self.bridge: FakeActivityBridge = core.bridge

    def start(
        self, name: str, *args: Any, heartbeat_details: Sequence[Any] = (), is_local: bool = False
    ) -> None:
        self.bridge.start(
            activity_task(
                activity_type=name,
                attempt=2,
                input=[encode(value) for value in args],
                heartbeat_details=[encode(value) for value in heartbeat_details],
                is_local=is_local,
            )
        )

    def cancel(self, **flags: bool) -> None:
        order = ("not_found", "cancelled", "paused", "timed_out", "worker_shutdown", "reset")
        self.bridge.cancel(b"token", tuple(flags.get(name, False) for name in order))

    async def run(self, name: str, *args: Any, **options: Any) -> tuple[str, Any]:
        self.start(name, *args, **options)
        return await self.bridge.done.get()


@pytest.fixture(autouse=True)
def fake_bridge(monkeypatch: pytest.MonkeyPatch) -> None:
    play_bridge(monkeypatch, ActivityBridge=FakeActivityBridge)


def check(body: Callable[[], Any]) -> None:
    asyncio.run(body())


@activity.defn
async def add(a: int, b: float) -> float:
    assert isinstance(b, float)
    return a + b


@activity.defn
async def waits() -> None:
    activity.heartbeat("here", 1)
    await asyncio.get_running_loop().create_future()


@activity.defn
async def fails() -> None:
    raise exceptions.ApplicationError("bad", 1, type="T")


@activity.defn
async def later() -> None:
    activity.raise_complete_async()


def test_results_and_failures() -> None:
    async def body() -> None:
        harness = Harness(add, fails, later)

        status, value = await harness.run("add", 1, 2)
        assert (status, decode(value)) == ("completed", 3.0)

        status, value = await harness.run("fails")
        error = error_of(value)
        assert status == "failed" and isinstance(error, exceptions.ApplicationError)
        assert (error.type, list(error.details)) == ("T", [1])

        assert await harness.run("later") == ("async", None)

        status, value = await harness.run("add", "x", 1)
        assert "Failed decoding arguments" in str(error_of(value))

        status, value = await harness.run("none")
        error = error_of(value)
        assert isinstance(error, exceptions.ApplicationError) and error.type == "NotFoundError"
        assert "available activities: add, fails, later" in error.message

    check(body)


class NoContext(converter.PayloadCodec, converter.WithSerializationContext):
    """Has no key for anything."""

    def with_context(self, context: converter.SerializationContext) -> NoContext:
        raise LookupError("no key for this activity")

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


def test_a_converter_that_refuses_the_context_fails_the_activity() -> None:
    async def body() -> None:
        harness = Harness(add, data=converter.DataConverter(payload_codec=NoContext()))

        status, value = await asyncio.wait_for(harness.run("add", 1, 2), 10)

        assert status == "failed" and "no key for this activity" in str(error_of(value))

    check(body)


@pytest.mark.parametrize(
    "flags, status, type_",
    [
        ({"cancelled": True}, "cancelled", None),
        ({"worker_shutdown": True}, "cancelled", None),
        ({"paused": True}, "failed", "ActivityPause"),
        ({"reset": True}, "failed", "ActivityReset"),
    ],
)
def test_what_a_cancelled_activity_ends_as(
    flags: dict[str, bool], status: str, type_: str | None
) -> None:
    async def body() -> None:
        harness = Harness(waits)
        harness.start("waits")
        for _ in range(3):
            await asyncio.sleep(0)
        harness.cancel(**flags)

        actual, value = await harness.bridge.done.get()

        assert actual == status and harness.bridge.heartbeats == [["here", 1]]
        if type_:
            assert error_of(value).type == type_  # type: ignore

    check(body)


@pytest.mark.parametrize(
    "flags, status", [({"cancelled": True}, "cancelled"), ({"worker_shutdown": True}, "cancelled"), ({}, "failed")]
)
def test_what_is_cancelled_before_its_first_step_ends_too(flags: dict[str, bool], status: str) -> None:
    async def body() -> None:
        ran: list[str] = []

        @activity.defn
        async def coroutine() -> None:
            ran.append("coroutine")

        @activity.defn
        def plain() -> None:
            ran.append("plain")

        with concurrent.futures.ThreadPoolExecutor() as executor:
            harness = Harness(coroutine, plain, executor=executor)
            for name in ("coroutine", "plain"):
                harness.start(name)
                harness.cancel(**flags)

                assert (await asyncio.wait_for(harness.bridge.done.get(), 10))[0] == status
        assert ran == []

    check(body)


def test_plain_functions_run_in_threads_and_are_cancelled_there() -> None:
    entered = threading.Event()
    shielded: list[bool] = []

    @activity.defn
    def blocks(name: str) -> str:
        assert activity.info().attempt == 2 and activity.info().heartbeat_details == ["before"]
        activity.heartbeat(name)
        with activity.shield_thread_cancel_exception():
            entered.set()
            activity.wait_for_cancelled_sync()
            shielded.append(activity.is_cancelled())
        while True:
            threading.Event().wait(0.001)

    async def body() -> None:
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            harness = Harness(blocks, executor=executor)
            harness.start("blocks", "thread", heartbeat_details=["before"])
            await asyncio.to_thread(entered.wait)
            harness.cancel(cancelled=True)

            status, value = await harness.bridge.done.get()

            assert (status, value) == ("cancelled", [])
            assert shielded == [True] and harness.bridge.heartbeats == [["thread"]]

    check(body)


@pytest.fixture
def processes() -> Iterator[dict[str, Any]]:
    """Options of a harness whose plain functions run in another process."""
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager:
        shared = SharedStateManager.create_from_multiprocessing(manager)
        with concurrent.futures.ProcessPoolExecutor(1, context) as executor:
            yield {"executor": executor, "shared_state": shared}


@activity.defn
def process_id(name: str) -> list[Any]:
    for number in range(3):
        activity.heartbeat(name, number)
    return [os.getpid(), activity.info().activity_type, activity.payload_converter() is not None]


@activity.defn
def process_waits_for_its_end() -> str:
    activity.heartbeat("started")
    activity.wait_for_cancelled_sync()
    activity.wait_for_worker_shutdown_sync()
    return f"{activity.is_cancelled()} {activity.is_worker_shutdown()}"


@activity.defn
def process_fails() -> None:
    raise exceptions.ApplicationError("bad", 1, type="T", non_retryable=True)


@activity.defn
def process_heartbeats_a_lambda() -> None:
    activity.heartbeat(lambda: None)


@activity.defn
def process_kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_plain_functions_run_in_processes(processes: dict[str, Any]) -> None:
    async def body() -> None:
        harness = Harness(process_id, process_fails, **processes)

        _, value = await harness.run("process_id", "x")
        status, error = await harness.run("process_fails")

        assert decode(value)[0] != os.getpid() and decode(value)[1:] == ["process_id", True]
        assert harness.bridge.heartbeats[-1] == ["x", 2]  # It came before the result.
        raised: Any = error_of(error)
        assert (status, raised.type, raised.details) == ("failed", "T", (1,))
        assert raised.non_retryable

    check(body)


def test_processes_hear_of_cancellation_and_shutdown(processes: dict[str, Any]) -> None:
    async def body() -> None:
        harness = Harness(process_waits_for_its_end, **processes)
        harness.start("process_waits_for_its_end")
        while not harness.bridge.heartbeats:
            await asyncio.sleep(0.001)
        harness.cancel(cancelled=True)
        harness.worker.notify_shutdown()

        _, value = await harness.bridge.done.get()

        assert decode(value) == "True True"

    check(body)


def test_what_cannot_be_pickled_fails_the_activity(processes: dict[str, Any]) -> None:
    async def body() -> None:
        status, error = await Harness(process_heartbeats_a_lambda, **processes).run(
            "process_heartbeats_a_lambda"
        )
        assert status == "failed" and "pickle" in str(error_of(error))

    check(body)


def test_a_process_that_dies_ends_the_worker(processes: dict[str, Any]) -> None:
    async def body() -> None:
        harness = Harness(process_kills_itself, **processes)

        status, error = await harness.run("process_kills_itself")

        raised: Any = error_of(error)
        assert (status, raised.type) == ("failed", "BrokenProcessPool")
        assert str(harness.fatal[0]) == "Activity worker failed"
        assert isinstance(harness.fatal[0].__cause__, concurrent.futures.BrokenExecutor)

    check(body)


def test_a_heartbeat_that_cannot_be_encoded_fails_the_activity() -> None:
    @activity.defn
    async def bad_heartbeat() -> None:
        activity.heartbeat(object())
        await asyncio.get_running_loop().create_future()

    async def body() -> None:
        status, value = await Harness(bad_heartbeat).run("bad_heartbeat")
        assert status == "failed" and "not JSON serializable" in str(error_of(value))

    check(body)


def test_dynamic_activities_take_raw_values() -> None:
    @activity.defn(dynamic=True)
    async def any_activity(args: Sequence[common.RawValue]) -> str:
        return f"{activity.info().activity_type} {len(args)}"

    async def body() -> None:
        _, value = await Harness(any_activity).run("whatever", 1, 2)
        assert decode(value) == "whatever 2"

    check(body)


def test_interceptors_and_the_logger(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    class Outbound(ActivityOutboundInterceptor):
        def heartbeat(self, *details: Any) -> None:
            super().heartbeat("wrapped", *details)

    class Inbound(ActivityInboundInterceptor):
        def init(self, outbound: ActivityOutboundInterceptor) -> None:
            super().init(Outbound(outbound))

        async def execute_activity(self, input: Any) -> Any:
            input.args = [input.args[0] * 2]
            return await super().execute_activity(input)

    class Both(Interceptor):
        def intercept_activity(self, next: ActivityInboundInterceptor) -> Any:
            return Inbound(next)

    @activity.defn
    async def logs(value: int) -> int:
        activity.logger.info("hello")
        activity.heartbeat(value)
        return value

    async def body() -> None:
        harness = Harness(logs, interceptors=[Both()])
        _, value = await harness.run("logs", 2)
        assert decode(value) == 4 and harness.bridge.heartbeats == [["wrapped", 4]]

    check(body)
    (record,) = [record for record in caplog.records if "hello" in record.getMessage()]
    assert record.temporal_activity["activity_type"] == "logs"


def test_registration_errors() -> None:
    @activity.defn
    def plain() -> None: ...

    class Callable_:
        @activity.defn
        def method(self) -> None: ...

    with pytest.raises(ValueError, match="activity_executor must be present"):
        Harness(plain)
    with pytest.raises(ValueError, match="More than one activity named add"):
        Harness(add, add)
    with pytest.raises(TypeError, match="missing attributes, was it decorated"):
        Harness(lambda: None)
    processes = concurrent.futures.ProcessPoolExecutor(1)
    with pytest.raises(ValueError, match="is not thread-pool executor, so a shared_state_manager"):
        Harness(plain, executor=processes)
    with pytest.raises(TypeError, match="Activity plain must be picklable"):
        manager: Any = types.SimpleNamespace()
        Harness(plain, executor=processes, shared_state=manager)
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        with pytest.warns(UserWarning, match="not bound to an instance"):
            Harness(Callable_.method, executor=executor)


def test_a_local_activity_knows_that_it_is_one() -> None:
    contexts: list[Any] = []

    @activity.defn
    async def tell() -> bool:
        contexts.append(activity.info())
        return activity.info().is_local

    async def body() -> None:
        core = Harness(tell)
        assert decode((await core.run("tell", is_local=True))[1]) is True
        assert decode((await core.run("tell"))[1]) is False

    check(body)


def test_info_has_all_that_the_server_said() -> None:
    told: list[activity.Info] = []

    @activity.defn
    async def tell() -> None:
        told.append(activity.info())
        assert activity.info() is told[-1]

    policy = common.RetryPolicy(maximum_attempts=3, non_retryable_error_types=["T"])
    policy_message = RetryPolicy()
    policy.apply_to_proto(policy_message)
    policy = common.RetryPolicy.from_proto(policy_message)
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, timezone.utc)
    at_ns = (int(at.timestamp()) * 1_000_000 + at.microsecond) * 1000
    task = activity_task(
        activity_type="tell",
        activity_id="id",
        activity_run_id="own run",
        workflow_namespace="space",
        workflow_run_id="run",
        workflow_type="Type",
        attempt=3,
        heartbeat_details=[encode("before")],
        scheduled_time=at_ns + 999,
        current_attempt_scheduled_time=at_ns + 1000,
        started_time=at_ns + 2000,
        schedule_to_close_timeout=3_000_000_000,
        start_to_close_timeout=2_000_000_000,
        heartbeat_timeout=1_500_000_000,
        retry_policy=policy_message.SerializeToString(),
        priority=Priority(priority_key=2, fairness_key="f", fairness_weight=0.5).SerializeToString(),
    )

    async def body() -> None:
        harness = Harness(tell)
        harness.bridge.start(task)
        harness.bridge.start(activity_task(activity_type="tell", token=b"other", workflow_id="", activity_run_id="r"))
        for _ in range(2):
            assert (await harness.bridge.done.get())[0] == "completed"

    check(body)
    micro = timedelta(microseconds=1)
    full, bare = told
    assert full == activity.Info(
        activity_id="id",
        activity_type="tell",
        attempt=3,
        current_attempt_scheduled_time=at + micro,
        heartbeat_details=["before"],
        heartbeat_timeout=timedelta(seconds=1.5),
        is_local=False,
        namespace="space",
        schedule_to_close_timeout=timedelta(seconds=3),
        scheduled_time=at,
        start_to_close_timeout=timedelta(seconds=2),
        started_time=at + 2 * micro,
        task_queue="queue",
        task_token=b"token",
        workflow_id="workflow",
        workflow_namespace="space",
        workflow_run_id="run",
        workflow_type="Type",
        priority=common.Priority(priority_key=2, fairness_key="f", fairness_weight=0.5),
        retry_policy=policy,
        activity_run_id=None,
    )
    assert (bare.namespace, bare.workflow_namespace, bare.workflow_id, bare.workflow_type) == ("default",) + (None,) * 3
    assert (bare.activity_run_id, bare.retry_policy, bare.start_to_close_timeout) == ("r", None, None)
    assert bare.priority == common.Priority.default and bare.heartbeat_details == []


def test_what_ends_together_is_reported_together() -> None:
    async def body() -> None:
        harness = Harness(add)
        for number in range(20):
            harness.bridge.start(
                activity_task(activity_type="add", token=b"%d" % number, input=[encode(number), encode(1)])
            )
        results = [decode((await harness.bridge.done.get())[1]) for _ in range(20)]

        assert results == [float(number + 1) for number in range(20)]
        assert harness.bridge.reports == 1

    check(body)


def test_what_ends_is_reported_although_others_wait() -> None:
    async def body() -> None:
        harness = Harness(add, waits)
        harness.bridge.start(activity_task(activity_type="add", token=b"1", input=[encode(1), encode(2)]))
        harness.start("waits")

        _, value = await asyncio.wait_for(harness.bridge.done.get(), 10)

        assert decode(value) == 3.0
        harness.cancel(cancelled=True)
        assert (await harness.bridge.done.get())[0] == "cancelled"

    check(body)


def test_a_codec_is_not_asked_about_nothing() -> None:
    asked: list[int] = []

    class Counting(converter.PayloadCodec):
        async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return list(payloads)

        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            asked.append(len(payloads))
            return list(payloads)

    @activity.defn
    async def nothing() -> str:
        return "x"

    async def body() -> None:
        harness = Harness(nothing, add, data=converter.DataConverter(payload_codec=Counting()))
        assert decode((await harness.run("nothing"))[1]) == "x"
        assert decode((await harness.run("add", 1, 2))[1]) == 3.0
        assert asked == [2]

    check(body)


@pytest.mark.parametrize("set_first", [True, False])
def test_an_async_activity_and_its_threads_hear_of_its_cancellation(set_first: bool) -> None:
    async def body() -> None:
        asks, heard = threading.Event(), threading.Event()

        @activity.defn
        async def asking() -> None:
            def wait() -> None:
                asks.set()
                activity.wait_for_cancelled_sync()
                heard.set()

            thread = asyncio.ensure_future(asyncio.to_thread(wait)) if not set_first else None
            waiting = asyncio.ensure_future(activity.wait_for_cancelled())
            assert not activity.is_cancelled()
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                await waiting
                await (thread or asyncio.to_thread(wait))
                assert activity.is_cancelled()
                await activity.wait_for_cancelled()
                raise

        harness = Harness(asking)
        harness.start("asking")
        await asyncio.sleep(0)
        if not set_first:
            await asyncio.to_thread(asks.wait)
        harness.cancel(cancelled=True)

        assert (await asyncio.wait_for(harness.bridge.done.get(), 10))[0] == "cancelled"
        assert heard.is_set()

    check(body)
