"""How a workflow's own clock jumps ahead."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import chimera.client
from chimera import _api

if TYPE_CHECKING:
    from chimera.api.common.v1 import TimeSkippingInfo


@dataclass(frozen=True)
class FastForwardConfig:
    """One jump of a workflow's clock."""

    id: str
    """Names the jump, for those who wait for its end."""

    duration: timedelta
    """How far the clock goes; after that it keeps the real time again."""

    def _to_proto(self) -> Any:
        proto = _api.common.FastForwardConfig(id=self.id)
        proto.duration.FromTimedelta(self.duration)
        return proto


@dataclass(frozen=True)
class TimeSkippingConfig:
    """Whether and how the clock of a workflow jumps ahead while the workflow waits for timers."""

    enabled: bool = True

    fast_forward_config: FastForwardConfig | None = None
    """One jump; without it the clock jumps as often as there is something to skip."""

    disable_propagation: bool = False
    """Whether children keep the real time. Their clock begins where the parent's stands either way."""

    max_session_skip_count: int = 0
    """After so many jumps skipping ends; 0: the server's limit."""

    def __post_init__(self) -> None:
        """ValueError if there is a jump and skipping is off."""
        if self.fast_forward_config is not None and not self.enabled:
            raise ValueError("fast_forward_config cannot be set when enabled is False")

    def _to_proto(self) -> Any:
        proto = _api.common.TimeSkippingConfig(
            enabled=self.enabled,
            disable_propagation=self.disable_propagation,
            max_session_skip_count=self.max_session_skip_count,
        )
        if self.fast_forward_config is not None:
            proto.fast_forward_config.CopyFrom(self.fast_forward_config._to_proto())
        return proto


class TimeSkipper:
    """A client whose workflows have clocks of their own, which jump ahead while a workflow waits for timers.

    Where `WorkflowEnvironment.start_time_skipping_v2()` is not what a test runs on: with any server that has
    `frontend.WorkflowTimeSkippingEnabled` set.
    """

    def __init__(self, client: chimera.client.Client, *, config: TimeSkippingConfig = TimeSkippingConfig()) -> None:
        """With another client of the same connection; the one given stays as it is."""
        self._config = config
        self._stamps = True
        options = client.config()
        options["interceptors"] = [*options["interceptors"], _StampInterceptor(self)]
        self._client = chimera.client.Client(**options)

    @property
    def client(self) -> chimera.client.Client:
        """Gives the configuration to every workflow that it starts."""
        return self._client

    @property
    def config(self) -> TimeSkippingConfig:
        """Of the workflows that start from now on."""
        return self._config

    @config.setter
    def config(self, value: TimeSkippingConfig) -> None:
        self._config = value

    async def fast_forward(
        self,
        handle: chimera.client.WorkflowHandle[Any, Any],
        duration: timedelta | float | None = None,
        /,
    ) -> bool:
        """Lets a workflow's clock go on by so much, and waits until it has; without a duration until the run's end.

        Returns whether the clock went that far: False if the workflow, with the runs that followed it, ended before,
        and always without a duration. A RuntimeError says that another fast-forward has taken the place of this one.
        """
        forward = None
        if duration is not None:
            span = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
            forward = FastForwardConfig(id=str(uuid.uuid4()), duration=span)
        await self._configure(handle, forward)
        if forward is not None:
            return await self._reaches(handle, forward.id)
        history = handle.fetch_history_events(
            wait_new_event=True, event_filter_type=chimera.client.WorkflowHistoryEventFilterType.CLOSE_EVENT
        )
        async for _ in history:
            break
        return False

    async def _configure(
        self, handle: chimera.client.WorkflowHandle[Any, Any], forward: FastForwardConfig | None
    ) -> None:
        config = TimeSkippingConfig(
            fast_forward_config=forward,
            disable_propagation=self._config.disable_propagation,
            max_session_skip_count=self._config.max_session_skip_count,
        )
        request = _api.workflowservice.UpdateWorkflowExecutionOptionsRequest(
            namespace=self._client.namespace, identity=self._client.identity
        )
        request.workflow_execution.workflow_id = handle.id
        request.workflow_execution.run_id = handle.run_id or ""
        request.workflow_execution_options.time_skipping_config.CopyFrom(config._to_proto())
        request.update_mask.paths.append("time_skipping_config")
        await self._client.workflow_service.update_workflow_execution_options(request, retry=True)

    async def _reaches(self, handle: chimera.client.WorkflowHandle[Any, Any], forward_id: str) -> bool:
        # Of the current run: it follows a chain of runs.
        request = _api.workflowservice.PollWorkflowExecutionTimeSkippingRequest(
            namespace=self._client.namespace, fast_forward_id=forward_id
        )
        request.workflow_execution.workflow_id = handle.id
        result = _api.enums.FastForwardPollingResult
        while True:
            reply = await self._client.workflow_service.poll_workflow_execution_time_skipping(request, retry=True)
            if reply.fast_forward_polling_result == result.Value("FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED"):
                return True
            if reply.fast_forward_polling_result != result.Value("FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED"):
                continue
            if "fast_forward_id does not match" in reply.failed_reason:
                raise RuntimeError(
                    f"Another fast-forward of workflow {handle.id!r} has taken the place of this one: "
                    f"{reply.failed_reason}. Await one before the next."
                )
            return False

    async def get_time_skipping_info(
        self, handle: chimera.client.WorkflowHandle[Any, Any]
    ) -> TimeSkippingInfo | None:
        """How far a workflow's clock is, and whether it jumps; None if it never had one of its own."""
        described = await handle.describe()
        extended = described.raw_description.workflow_extended_info
        return extended.time_skipping_info if extended.HasField("time_skipping_info") else None

    async def get_current_time(self, handle: chimera.client.WorkflowHandle[Any, Any]) -> datetime:
        """By the workflow's clock; the real time if it never had one of its own."""
        info = await self.get_time_skipping_info(handle)
        if info is None:
            return datetime.now(timezone.utc)
        return info.current_time.ToDatetime().replace(tzinfo=timezone.utc)

    @contextmanager
    def with_time_skipping_disabled(self) -> Iterator[None]:
        """Workflows that are started inside the block keep the real time."""
        before, self._stamps = self._stamps, False
        try:
            yield
        finally:
            self._stamps = before

    def _stamp(self, input: Any) -> None:
        if self._stamps:
            input.time_skipping_config = self._config._to_proto()


class _StampInterceptor(chimera.client.Interceptor):
    def __init__(self, skipper: TimeSkipper) -> None:
        self._skipper = skipper

    def intercept_client(self, next: chimera.client.OutboundInterceptor) -> chimera.client.OutboundInterceptor:
        return _StampOutbound(super().intercept_client(next), self._skipper)


class _StampOutbound(chimera.client.OutboundInterceptor):
    def __init__(self, next: chimera.client.OutboundInterceptor, skipper: TimeSkipper) -> None:
        super().__init__(next)
        self._skipper = skipper

    async def start_workflow(
        self, input: chimera.client.StartWorkflowInput
    ) -> chimera.client.WorkflowHandle[Any, Any]:
        self._skipper._stamp(input)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self, input: chimera.client.StartWorkflowUpdateWithStartInput
    ) -> chimera.client.WorkflowUpdateHandle[Any]:
        self._skipper._stamp(input.start_workflow_input)
        return await super().start_update_with_start_workflow(input)
