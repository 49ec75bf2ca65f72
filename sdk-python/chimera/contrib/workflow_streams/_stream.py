"""The workflow's side: the log of items, and the handlers through which others reach it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NoReturn, TypeVar, overload

from chimera import workflow
from chimera.api.common.v1 import Payload
from chimera.contrib.workflow_streams import _types
from chimera.contrib.workflow_streams._topic_handle import WorkflowTopicHandle
from chimera.contrib.workflow_streams._types import (
    PollInput,
    PollResult,
    PublisherState,
    PublishInput,
    WorkflowStreamState,
    _WorkflowStreamWireItem,
)
from chimera.exceptions import ApplicationError

T = TypeVar("T")

# A reply ends before it would grow beyond this, so that it stays well below what servers take.
_REPLY_BYTES_MAX = 1_000_000


class WorkflowStream:
    """A log of items with topics and offsets. Made in the workflow's __init__ (`@workflow.init`), once.

    Offsets count from the stream's beginning, also after `truncate` and over continue-as-new. What was published before
    the first task arrives after the workflow's own handlers of that task have begun: handlers that look at the stream
    `await asyncio.sleep(0)` first.
    """

    def __init__(self, prior_state: WorkflowStreamState | None = None) -> None:
        """Goes on with the state of the run before, if there is one. Registers the handlers of the stream."""
        caller = sys._getframe(1).f_code.co_name
        if caller != "__init__":
            raise RuntimeError(
                f"WorkflowStream must be constructed directly from the workflow's __init__ (@workflow.init), not from "
                f"{caller!r}: items that arrive with the first task would find no handler"
            )
        if workflow.get_signal_handler(_types.PUBLISH_SIGNAL) is not None:
            raise RuntimeError("WorkflowStream is already registered on this workflow; make it once")
        state = prior_state or WorkflowStreamState()
        self._log = [(item.topic, item.data) for item in state.log]
        self._base_offset = state.base_offset
        self._publishers = dict(state.publishers)
        self._detached = False
        self._topic_types = _types.TopicTypes("workflow stream")
        workflow.set_signal_handler(_types.PUBLISH_SIGNAL, self._on_publish)
        workflow.set_update_handler(_types.POLL, self._on_poll, validator=self._validate_poll)
        workflow.set_query_handler(_types.POLL, self._read)
        workflow.set_query_handler(_types.OFFSET_QUERY, self._on_offset)

    @overload
    def topic(self, name: str) -> WorkflowTopicHandle[Any]: ...

    @overload
    def topic(self, name: str, *, type: type[T]) -> WorkflowTopicHandle[T]: ...

    def topic(self, name: str, *, type: type[Any] | None = None) -> WorkflowTopicHandle[Any]:
        """A handle for publishing. RuntimeError if the topic has another type already."""
        return WorkflowTopicHandle(self, name, self._topic_types.bind(name, type))

    def get_state(self, *, publisher_ttl: timedelta = timedelta(seconds=900)) -> WorkflowStreamState:
        """The stream as the next run needs it, without publishers that were silent for longer than `publisher_ttl`."""
        oldest = workflow.now() - publisher_ttl
        return WorkflowStreamState(
            log=[_WorkflowStreamWireItem(topic, data) for topic, data in self._log],
            base_offset=self._base_offset,
            publishers={name: state for name, state in self._publishers.items() if state.last_seen > oldest},
        )

    def detach_pollers(self) -> None:
        """Answers the polls that wait, and refuses new ones: they are for the next run. Publishing goes on."""
        self._detached = True

    async def continue_as_new(
        self,
        build_args: Callable[[WorkflowStreamState], Sequence[Any]],
        *,
        publisher_ttl: timedelta = timedelta(seconds=900),
    ) -> NoReturn:
        """Lets all handlers end, then continues as new with the arguments that `build_args` makes of the state."""
        self.detach_pollers()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(args=build_args(self.get_state(publisher_ttl=publisher_ttl)))

    def truncate(self, up_to_offset: int) -> None:
        """Forgets the items before this offset. ApplicationError if that is beyond the end of the stream."""
        end = self._on_offset()
        if up_to_offset > end:
            raise ApplicationError(
                f"Cannot truncate to offset {up_to_offset}: the stream holds {self._base_offset} to {end}",
                type="TruncateOutOfRange",
            )
        if up_to_offset > self._base_offset:
            del self._log[: up_to_offset - self._base_offset]
            self._base_offset = up_to_offset

    def _publish_to_topic(self, topic: str, value: Any) -> None:
        payload = value if isinstance(value, Payload) else workflow.payload_converter().to_payloads([value])[0]
        self._log.append((topic, _types._encode_payload(payload)))

    def _on_publish(self, payload: PublishInput) -> None:
        if payload.publisher_id:
            known = self._publishers.get(payload.publisher_id)
            if known is not None and known.sequence >= payload.sequence:
                return  # A signal that was sent again although it had arrived.
            self._publishers[payload.publisher_id] = PublisherState(payload.sequence, workflow.now())
        self._log += [(entry.topic, entry.data) for entry in payload.items]

    def _validate_poll(self, payload: PollInput) -> None:
        if self._detached:
            raise ApplicationError("The stream goes on in the workflow's next run", type=_types.DRAINING)

    async def _on_poll(self, payload: PollInput) -> PollResult:
        wanted = payload.from_offset
        # The log may also be truncated while this waits.
        await workflow.wait_condition(
            lambda: self._detached or wanted < self._on_offset() or wanted < self._base_offset
        )
        if 0 < wanted < self._base_offset:
            raise ApplicationError(
                f"Offset {wanted} has been truncated; the stream begins at {self._base_offset}",
                type=_types.TRUNCATED,
            )
        return self._read(payload)

    def _read(self, payload: PollInput) -> PollResult:
        result = PollResult(next_offset=self._on_offset())
        size = 0
        first = max(payload.from_offset, self._base_offset)
        for offset in range(first, result.next_offset):
            topic, data = self._log[offset - self._base_offset]
            if payload.topics and topic not in payload.topics:
                continue
            size += len(data) + len(topic)
            if size > _REPLY_BYTES_MAX and result.items:
                result.next_offset, result.more_ready = offset, True
                break
            result.items.append(_WorkflowStreamWireItem(topic, data, offset))
        return result

    def _on_offset(self) -> int:
        return self._base_offset + len(self._log)
