"""The side of everybody else: publishing in batches, and following a stream over its workflow's runs."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, overload

from typing_extensions import Self

from chimera import activity
from chimera.api.common.v1 import Payload
from chimera.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from chimera.contrib.workflow_streams import _types
from chimera.contrib.workflow_streams._topic_handle import TopicHandle
from chimera.contrib.workflow_streams._types import (
    PollInput,
    PollResult,
    PublishEntry,
    PublishInput,
    WorkflowStreamItem,
)
from chimera.converter import DataConverter, PayloadConverter
from chimera.exceptions import ApplicationError
from chimera.service import RPCError, RPCStatusCode

T = TypeVar("T")

# What another try may mend; all else ends the background flusher. Names of gRPC codes.
_WORTH_ANOTHER_TRY = frozenset(
    RPCStatusCode[name]
    for name in (
        "ABORTED CANCELLED DATA_LOSS INTERNAL OUT_OF_RANGE RESOURCE_EXHAUSTED UNAVAILABLE UNKNOWN".split()
    )
)
_CLOSED_FOR_GOOD = frozenset(
    WorkflowExecutionStatus[name] for name in "COMPLETED FAILED CANCELED TERMINATED TIMED_OUT".split()
)
_DRAINING_PAUSE_S = 0.1  # A run that drains continues as new very soon.


@dataclass
class _Batch:
    entries: list[PublishEntry]
    sequence: int
    since: float  # time.monotonic() of its first try.


class WorkflowStreamClient:
    """Publishes to a workflow's stream and subscribes to it. One event loop's.

    Used as `async with`, it sends what was published every `batch_interval` and at the end; a batch whose signal
    failed is sent again under the same number, so that no item comes twice.
    """

    def __init__(
        self,
        handle: WorkflowHandle[Any, Any],
        *,
        client: Client | None = None,
        batch_interval: timedelta = timedelta(seconds=2),
        max_batch_size: int | None = None,
        max_retry_duration: timedelta = timedelta(seconds=600),
    ) -> None:
        """For a handle. Without a client, subscriptions end with the run, and values use the default converter.

        Args:
            handle: The workflow that has the stream.
            client: Gives the payload converter, and finds the next run.
            batch_interval: How often published items are sent.
            max_batch_size: From how many on they are sent at once.
            max_retry_duration: How long a batch is tried. It must be shorter than the stream remembers publishers.
        """
        self._handle = handle
        self._client = client
        self._workflow_id = handle.id
        self._interval = batch_interval
        self._max_batch_size = max_batch_size
        self._max_retry_duration = max_retry_duration
        self._publisher_id = uuid.uuid4().hex[:16]
        self._sequence = 0  # Of the newest batch that is over, sent or given up.
        self._buffer: list[tuple[str, Any]] = []
        self._batch: _Batch | None = None
        self._sending = asyncio.Lock()
        self._flush_now = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._topic_types = _types.TopicTypes("client")

    @classmethod
    def create(
        cls,
        client: Client,
        workflow_id: str,
        *,
        batch_interval: timedelta = timedelta(seconds=2),
        max_batch_size: int | None = None,
        max_retry_duration: timedelta = timedelta(seconds=600),
    ) -> WorkflowStreamClient:
        """For a workflow by its id, over all its runs."""
        return cls(
            client.get_workflow_handle(workflow_id),
            client=client,
            batch_interval=batch_interval,
            max_batch_size=max_batch_size,
            max_retry_duration=max_retry_duration,
        )

    @classmethod
    def from_within_activity(
        cls,
        *,
        batch_interval: timedelta = timedelta(seconds=2),
        max_batch_size: int | None = None,
        max_retry_duration: timedelta = timedelta(seconds=600),
    ) -> WorkflowStreamClient:
        """For the workflow that scheduled the activity which calls this."""
        workflow_id = activity.info().workflow_id
        if workflow_id is None:
            raise RuntimeError(
                "from_within_activity: no workflow scheduled this activity; use "
                "WorkflowStreamClient.create(activity.client(), workflow_id)"
            )
        return cls.create(
            activity.client(),
            workflow_id,
            batch_interval=batch_interval,
            max_batch_size=max_batch_size,
            max_retry_duration=max_retry_duration,
        )

    async def __aenter__(self) -> Self:
        """Begins to send in the background."""
        self._flusher = asyncio.create_task(self._flush_for_ever())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Sends what is left. Raises what ended the sending in the background, if something did."""
        if self._flusher is not None:
            flusher, self._flusher = self._flusher, None
            flusher.cancel()
            await asyncio.wait([flusher])
            if not flusher.cancelled() and (error := flusher.exception()):
                raise error
        await self.flush()

    @overload
    def topic(self, name: str) -> TopicHandle[Any]: ...

    @overload
    def topic(self, name: str, *, type: type[T]) -> TopicHandle[T]: ...

    def topic(self, name: str, *, type: type[Any] | None = None) -> TopicHandle[Any]:
        """A handle for publishing and subscribing. RuntimeError if the topic has another type already."""
        return TopicHandle(self, name, self._topic_types.bind(name, type))

    async def flush(self) -> None:
        """Returns when the server has everything that was published before.

        TimeoutError if a batch could not be sent within `max_retry_duration`; that batch is given up then.
        """
        while self._batch is not None or self._buffer:
            await self._flush()

    def _publish_to_topic(self, topic: str, value: Any, *, force_flush: bool = False) -> None:
        self._buffer.append((topic, value))
        full = self._max_batch_size is not None and len(self._buffer) >= self._max_batch_size
        if force_flush or full:
            self._flush_now.set()

    def _converter(self) -> PayloadConverter:
        return (self._client.data_converter if self._client else DataConverter.default).payload_converter

    def _next_batch(self) -> _Batch | None:
        if self._batch is None and self._buffer:
            converter = self._converter()
            entries = []
            for topic, value in self._buffer:
                payload = value if isinstance(value, Payload) else converter.to_payloads([value])[0]
                entries.append(PublishEntry(topic, _types._encode_payload(payload)))
            # Only now: a value that cannot be converted leaves everything where it was.
            self._buffer = []
            self._batch = _Batch(entries, self._sequence + 1, time.monotonic())
        elif self._batch is not None:
            if time.monotonic() - self._batch.since > self._max_retry_duration.total_seconds():
                # It may have arrived nevertheless, so its number is used up.
                self._sequence, self._batch = self._batch.sequence, None
                raise TimeoutError(
                    f"A batch could not be sent within max_retry_duration ({self._max_retry_duration}) and is given "
                    "up; its items are in the stream only if one of its signals arrived"
                )
        return self._batch

    async def _flush(self) -> None:
        """Sends one batch, if there is any. What fails is kept for the next call."""
        async with self._sending:
            if batch := self._next_batch():
                await self._handle.signal(
                    _types.PUBLISH_SIGNAL, PublishInput(batch.entries, self._publisher_id, batch.sequence)
                )
                self._sequence, self._batch = batch.sequence, None

    async def _flush_for_ever(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._flush_now.wait(), self._interval.total_seconds())
            except asyncio.TimeoutError:
                pass
            self._flush_now.clear()
            try:
                await self._flush()
            except RPCError as err:
                too_large = err.status == RPCStatusCode.RESOURCE_EXHAUSTED and "message larger than max" in err.message
                if too_large or err.status not in _WORTH_ANOTHER_TRY:
                    raise

    @overload
    def subscribe(
        self,
        topics: str | list[str] | None = ...,
        from_offset: int = ...,
        *,
        result_type: type[T],
        poll_cooldown: timedelta = ...,
    ) -> AsyncIterator[WorkflowStreamItem[T]]: ...

    @overload
    def subscribe(
        self,
        topics: str | list[str] | None = ...,
        from_offset: int = ...,
        *,
        result_type: None = None,
        poll_cooldown: timedelta = ...,
    ) -> AsyncIterator[WorkflowStreamItem[Any]]: ...

    async def subscribe(
        self,
        topics: str | list[str] | None = None,
        from_offset: int = 0,
        *,
        result_type: type | None = None,
        poll_cooldown: timedelta = timedelta(milliseconds=100),
    ) -> AsyncIterator[WorkflowStreamItem[Any]]:
        """Items from an offset on, until the workflow has ended and its last item is read.

        Items that were truncated meanwhile are skipped.

        Args:
            topics: One, or several; None for all.
            from_offset: Where to begin.
            result_type: What values are decoded to; common.RawValue leaves them as they are.
            poll_cooldown: The pause after a poll when there was nothing more. Each poll makes the history longer.
        """
        if result_type is Payload:
            raise RuntimeError("Cannot subscribe with result_type=Payload; use result_type=RawValue to get them raw")
        wanted = [topics] if isinstance(topics, str) else list(topics or [])
        follower = _Follower(self)
        hints = [] if result_type is None else [result_type]
        converter = self._converter()
        while True:
            result = await follower.poll(PollInput(wanted, from_offset))
            if result is None:
                from_offset = 0
                continue
            for item in result.items:
                data = converter.from_payload(_types._decode_payload(item.data), *hints)
                yield WorkflowStreamItem(item.topic, data, item.offset)
            from_offset = result.next_offset
            if result.more_ready:
                continue
            if follower.closed is not None:
                return
            await asyncio.sleep(poll_cooldown.total_seconds())

    async def get_offset(self) -> int:
        """Where the next item will be."""
        return await self._handle.query(_types.OFFSET_QUERY, result_type=int)


class _Follower:
    """The polls of one subscription: at the run that goes on, and at the last one's leavings."""

    def __init__(self, stream: WorkflowStreamClient) -> None:
        self._stream = stream
        self._handle = stream._handle
        self.closed: WorkflowHandle[Any, Any] | None = None  # The last run, once it has ended.

    async def poll(self, question: PollInput) -> PollResult | None:
        """None: the offset is gone."""
        while self.closed is None:
            accepted = None
            try:
                accepted = await self._handle.start_update(
                    _types.POLL, question, wait_for_stage=WorkflowUpdateStage.ACCEPTED, result_type=PollResult
                )
                return await accepted.result()
            except (WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, RPCError) as err:
                if isinstance(err.__cause__, asyncio.CancelledError):
                    raise err.__cause__ from None
                cause = getattr(err, "cause", None)
                kind = cause.type if isinstance(cause, ApplicationError) else None
                if kind == _types.TRUNCATED:
                    return None
                if kind == _types.DRAINING:
                    await asyncio.sleep(_DRAINING_PAUSE_S)
                    continue
                await self._find_next(accepted.workflow_run_id if accepted else None, err)
        return await self.closed.query(_types.POLL, question, result_type=PollResult)

    async def _find_next(self, run_id: str | None, err: Exception) -> None:
        """Whom to ask after a poll failed; raises `err` if the run that was asked goes on."""
        stream, client = self._stream, self._handle._client
        asked = client.get_workflow_handle(stream._workflow_id, run_id=run_id) if run_id else self._handle
        try:
            description = await asked.describe()
        except RPCError:
            raise err from None
        if description.status == WorkflowExecutionStatus.CONTINUED_AS_NEW and stream._client is not None:
            self._handle = stream._client.get_workflow_handle(stream._workflow_id)
        elif description.status in _CLOSED_FOR_GOOD and description.run_id:
            self.closed = client.get_workflow_handle(stream._workflow_id, run_id=description.run_id)
        else:
            raise err
