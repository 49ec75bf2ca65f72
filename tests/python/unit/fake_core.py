"""A core made of hand-written activations: drives one run without a bridge or a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import chimera._border as border
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


def activity_task(**changes: Any) -> border.ActivityTask:
    """What the core sends for an attempt of an activity, as far as `changes` do not say otherwise."""
    plain: dict[str, Any] = {"headers": {}, "input": [], "heartbeat_details": []}
    for name in ("scheduled_time", "current_attempt_scheduled_time", "started_time"):
        plain[name] = START_NS
    for name in ("schedule_to_close_timeout", "start_to_close_timeout", "heartbeat_timeout"):
        plain[name] = 0
    for name in ("activity_run_id", "workflow_namespace", "workflow_run_id", "workflow_type"):
        plain[name] = ""
    plain.update(token=b"token", activity_type="noop", activity_id="1", workflow_id="workflow", attempt=1)
    plain.update(retry_policy=None, priority=None, is_local=False)
    return border.ActivityTask(**{**plain, **changes})


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

    def initialize(self, *args: Any) -> border.InitializeWorkflow:
        started = WorkflowExecutionStartedEventAttributes()
        started.input.payloads.extend(PAYLOADS.to_payloads(args))
        return border.InitializeWorkflow(started, "workflow", 1, START_NS)

    def start(self, *args: Any, more: Sequence[border.Job] = (), replaying: bool = False) -> list[Any]:
        return self.send(self.initialize(*args), *more, replaying=replaying)

    def send(self, *jobs: border.Job, replaying: bool = False, flags: Sequence[int] = ()) -> list[Any]:
        self.last = self.run.activate(
            border.Activation(
                time=self.now_ns,
                is_replaying=replaying,
                history_length=3,
                history_size_bytes=100,
                continue_as_new_suggested=False,
                suggest_continue_as_new_reasons=[],
                target_worker_deployment_version_changed=False,
                deployment_version=border.DeploymentVersion("deployment", "build"),
                available_internal_flags=list(flags),
                jobs=list(jobs),
            )
        )
        if self.last.failure is not None:
            raise AssertionError(f"task failed: {self.last.failure}")
        return self.last.commands

    def fails(self, *jobs: border.Job) -> Failure:
        """The failure of a task that has to fail."""
        try:
            self.send(*jobs)
        except AssertionError:
            assert self.last.failure is not None
            return self.last.failure
        raise AssertionError(f"task did not fail: {self.last.commands}")

    def evict(self) -> None:
        self.send(border.RemoveFromCache(1, "test"))


def signal(name: str, *args: Any) -> border.Job:
    return border.SignalWorkflow(name, [encode(arg) for arg in args], {}, "me")


def update(name: str, *args: Any, id: str = "u", run_validator: bool = True) -> border.Job:
    return border.DoUpdate(id, f"{id}-1", name, [encode(a) for a in args], {}, "me", run_validator)


def query(name: str, *args: Any, id: str = "q") -> border.Job:
    return border.QueryWorkflow(id, name, [encode(arg) for arg in args], {})


def activity_done(seq: int, value: Any, local: bool = False) -> border.Job:
    return border.ResolveActivity(seq, border.Completed(encode(value)), local)


def names(commands: list[Any]) -> list[str]:
    return [type(command).__name__ for command in commands]


def responses(commands: list[Any]) -> list[Any]:
    """What updates were answered: instance and "accepted", "rejected" or "completed"."""
    return [
        (command.protocol_instance_id, type(command.response).__name__[len("Update") :].lower())
        for command in commands
        if isinstance(command, border.UpdateResponse)
    ]


def assert_same(commands: list[Any], expected: list[Any]) -> None:
    """Equal, and of the same kinds: named tuples of other kinds may be equal, too."""
    assert (names(commands), commands) == (names(expected), expected)
