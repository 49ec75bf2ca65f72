"""A core made of hand-written activations: drives one run without a bridge or a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import chimera.common as common
import chimera.converter as converter
from chimera.api.common.v1 import Payload, Payloads
from chimera.api.failure.v1 import Failure
from chimera.api.history.v1 import WorkflowExecutionStartedEventAttributes
from chimera.worker._run import Run
from chimera.worker._runner import Completion, WorkflowInstanceDetails
from chimera.workflow import Info, _Definition

START_NS = 1_700_000_000_000_000_000
PAYLOADS = converter.PayloadConverter.default


def encode(value: Any) -> bytes:
    return PAYLOADS.to_payload(value).SerializeToString()


def decode(data: bytes) -> Any:
    return PAYLOADS.from_payload(Payload.FromString(data))


def failure(error: BaseException) -> bytes:
    message = Failure()
    converter.FailureConverter.default.to_failure(error, PAYLOADS, message)
    return message.SerializeToString()


def error_of(data: bytes) -> BaseException:
    return converter.FailureConverter.default.from_failure(Failure.FromString(data), PAYLOADS)


class FakeCore:
    """One run. `start` gives the first activation, `send` any other; both return the commands."""

    def __init__(
        self,
        workflow: type,
        *,
        seed: int = 1,
        interceptors: Sequence[type] = (),
        failure_types: Sequence[type[BaseException]] = (),
        patch_callback: Callable[[Any], bool] | None = None,
    ) -> None:
        definition = _Definition.must_from_class(workflow)
        start = datetime.fromtimestamp(START_NS / 1e9, timezone.utc)
        info = Info(
            attempt=1,
            continued_run_id=None,
            cron_schedule=None,
            execution_timeout=None,
            first_execution_run_id="run",
            headers={},
            namespace="default",
            original_execution_run_id="run",
            parent=None,
            root=None,
            priority=common.Priority.default,
            raw_memo={},
            retry_policy=None,
            run_id="run",
            run_timeout=None,
            search_attributes={},
            start_time=start,
            task_queue="queue",
            task_timeout=timedelta(seconds=10),
            typed_search_attributes=common.TypedSearchAttributes.empty.updated(),
            workflow_id="workflow",
            workflow_start_time=start,
            workflow_type=definition.name or "dynamic",
        )
        self.run = Run(
            WorkflowInstanceDetails(
                payload_converter_factory=converter.default()._new_payload_converter,
                failure_converter_class=converter.DefaultFailureConverter,
                interceptor_classes=interceptors,
                defn=definition,
                info=info,
                randomness_seed=seed,
                extern_functions={
                    "__temporal_get_metric_meter": lambda: common.MetricMeter.noop,
                    "__temporal_assert_local_activity_valid": lambda name: None,
                },
                disable_eager_activity_execution=False,
                worker_level_failure_exception_types=failure_types,
                patch_activation_callback=patch_callback,
                last_completion_result=Payloads(),
                last_failure=None,
            )
        )
        self.now_ns = START_NS
        self.last = Completion([], [], [])

    def initialize(self, *args: Any) -> tuple:
        started = WorkflowExecutionStartedEventAttributes()
        started.input.payloads.extend(PAYLOADS.to_payloads(args))
        return ("initialize", started, "workflow", 1, START_NS)

    def start(self, *args: Any, more: Sequence[tuple] = (), replaying: bool = False) -> list[tuple]:
        return self.send(self.initialize(*args), *more, replaying=replaying)

    def send(self, *jobs: tuple, replaying: bool = False, flags: Sequence[int] = ()) -> list[tuple]:
        self.last = self.run.activate(
            (
                "run",
                self.now_ns,
                replaying,
                3,
                100,
                False,
                (),
                False,
                ("deployment", "build"),
                tuple(flags),
                list(jobs),
            )
        )
        if self.last.failure is not None:
            raise AssertionError(f"task failed: {self.last.failure}")
        return self.last.commands

    def fails(self, *jobs: tuple) -> Failure:
        """The failure of a task that has to fail."""
        try:
            self.send(*jobs)
        except AssertionError:
            assert self.last.failure is not None
            return self.last.failure
        raise AssertionError(f"task did not fail: {self.last.commands}")

    def evict(self) -> None:
        self.send(("remove_from_cache", 1, "test"))


def signal(name: str, *args: Any) -> tuple:
    return ("signal", name, [encode(arg) for arg in args], {}, "me")


def update(name: str, *args: Any, id: str = "u", run_validator: bool = True) -> tuple:
    return ("update", id, f"{id}-1", name, [encode(a) for a in args], {}, id, "me", run_validator)


def query(name: str, *args: Any, id: str = "q") -> tuple:
    return ("query", id, name, [encode(arg) for arg in args], {})


def activity_done(seq: int, value: Any, local: bool = False) -> tuple:
    return ("activity", seq, "completed", encode(value), local)


def names(commands: list[tuple]) -> list[str]:
    return [command[0] for command in commands]
