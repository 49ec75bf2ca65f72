"""What workflow code asks of the run that it belongs to. The worker implements it (worker/_run.py); nothing of the
worker is named here, so that workflows can be imported and checked without one.

The workflow loop that is current on this thread knows its run.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from typing_extensions import Protocol

from chimera.workflow._errors import NotInWorkflowError

if TYPE_CHECKING:
    from chimera import common, converter


class Loop(Protocol):
    """The run's clock, and what code may do at the moment."""

    now_ns: int
    read_only: bool

    def check(self, action: str) -> None:
        """Raises where a query, a validator or evicted code must not do this."""


class Handlers(Protocol):
    """The run's signal, query and update handlers, by kind and name; the name None is the dynamic one's."""

    def definitions(self, kind: str) -> Mapping[str | None, Any]: ...

    def set(self, kind: str, name: str | None, definition: Any) -> None: ...

    def all_finished(self) -> bool: ...


class Operations(Protocol):
    """What a run starts outside of itself. The options are those of the interceptors' inputs, by name."""

    def start_activity(self, activity: Any, args: Sequence[Any], result_type: type | None, **options: Any) -> Any: ...

    def start_local_activity(
        self, activity: Any, args: Sequence[Any], result_type: type | None, **options: Any
    ) -> Any: ...

    async def start_child(
        self, workflow: Any, args: Sequence[Any], result_type: type | None, **options: Any
    ) -> Any: ...

    async def start_nexus(self, endpoint: str, service: str, operation: Any, input: Any, **options: Any) -> Any: ...

    def external_handle(self, workflow_id: str, run_id: str | None) -> Any: ...

    def continue_as_new(self, workflow: Any, args: Sequence[Any], **options: Any) -> NoReturn: ...


class Run(Protocol):
    """One run of a workflow, used on the thread that activates it."""

    @property
    def info(self) -> Any: ...
    @property
    def outbound(self) -> Any:
        """The first of the outbound interceptors."""

    @property
    def loop(self) -> Loop: ...
    @property
    def handlers(self) -> Handlers: ...
    @property
    def operations(self) -> Operations: ...

    @property
    def random(self) -> random.Random: ...
    @property
    def logger_details(self) -> Mapping[str, Any]: ...
    @property
    def deployment_version(self) -> common.WorkerDeploymentVersion | None: ...

    def on_reseed(self, callback: Callable[[int], None]) -> None:
        """Calls it with each new seed."""

    object: Any
    """The instance of the workflow's class."""

    payload_converter: converter.PayloadConverter
    extern_functions: Mapping[str, Callable[..., Any]]
    cancel_reason: str | None
    current_details: str
    seed: int
    is_replaying: bool
    history_length: int
    history_size: int
    continue_as_new_suggested: bool
    target_version_changed: bool

    @property
    def is_replaying_history_events(self) -> bool:
        """Whether history is replayed, and not only to answer a query or validate an update."""

    def is_failure_exception(self, err: BaseException) -> bool: ...

    def patch(self, patch_id: str, *, deprecated: bool) -> bool: ...

    async def sleep(self, seconds: float, summary: str | None) -> None: ...

    async def wait_condition(
        self, predicate: Callable[[], bool], timeout: float | None, summary: str | None
    ) -> None: ...

    def memo(self) -> Mapping[str, Any]: ...

    def memo_value(self, key: str, default: Any, type_hint: type | None) -> Any: ...

    def upsert_memo(self, updates: Mapping[str, Any]) -> None: ...

    def upsert_search_attributes(
        self, attributes: common.SearchAttributes | Sequence[common.SearchAttributeUpdate[Any]]
    ) -> None: ...

    def metric_meter(self) -> common.MetricMeter: ...

    def has_last_completion_result(self) -> bool: ...

    def last_completion_result(self, type_hint: type | None) -> Any: ...

    def last_failure(self) -> BaseException | None: ...


def maybe_current() -> Run | None:
    """The run, or None outside of workflow code."""
    return getattr(asyncio._get_running_loop(), "chimera_run", None)


def current() -> Run:
    """The run; an error outside of workflow code."""
    run = maybe_current()
    if run is None:
        raise NotInWorkflowError()
    return run
