"""What travels between a stream and its publishers and subscribers, and what both ends share.

An item's value is a payload of its own inside the signal or update that carries it, as base64 of the serialized
message. The codec sees the carrier only, never the single items.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from chimera.api.common.v1 import Payload

T = TypeVar("T")

# The handlers' names and error types are the same in every SDK.
PUBLISH_SIGNAL = "__temporal_workflow_stream_publish"
POLL = "__temporal_workflow_stream_poll"  # An update, and a query that does not wait.
OFFSET_QUERY = "__temporal_workflow_stream_offset"
DRAINING = "StreamDraining"
TRUNCATED = "TruncatedOffset"


def _encode_payload(payload: Payload) -> str:
    return base64.b64encode(payload.SerializeToString()).decode()


def _decode_payload(text: str) -> Payload:
    return Payload.FromString(base64.b64decode(text))


@dataclass
class WorkflowStreamItem(Generic[T]):
    """An item as a subscriber gets it."""

    topic: str
    data: T
    offset: int = 0


@dataclass
class PublishEntry:
    """An item on its way to the stream."""

    topic: str
    data: str


@dataclass
class PublishInput:
    """A signal's argument. The stream drops a publisher's batch whose sequence it has seen."""

    items: list[PublishEntry] = field(default_factory=list)
    publisher_id: str = ""
    sequence: int = 0


@dataclass
class PollInput:
    """Asks for items from an offset on, of these topics, or of all if none is named."""

    topics: list[str] = field(default_factory=list)
    from_offset: int = 0


@dataclass
class _WorkflowStreamWireItem:
    topic: str
    data: str
    offset: int = 0


@dataclass
class PollResult:
    """Items, and where to ask next: at once if `more_ready`."""

    items: list[_WorkflowStreamWireItem] = field(default_factory=list)
    next_offset: int = 0
    more_ready: bool = False


@dataclass
class PublisherState:
    """The newest batch of a publisher that the stream took, and when."""

    sequence: int
    last_seen: datetime


@dataclass
class WorkflowStreamState:
    """A stream as it goes on to the next run. The input's field needs this type as its hint."""

    log: list[_WorkflowStreamWireItem] = field(default_factory=list)
    base_offset: int = 0
    publishers: dict[str, PublisherState] = field(default_factory=dict)


class TopicTypes:
    """Which type each topic was bound to; the user's, on one side of a stream."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._types: dict[str, Any] = {}

    def bind(self, topic: str, wanted: Any) -> Any:
        """The type, or Any for None. A topic has one type only."""
        wanted = Any if wanted is None else wanted
        if wanted is Payload:
            raise RuntimeError(
                f"Topic {topic!r} cannot be bound to type=Payload: payloads cannot be decoded as payloads. Payloads "
                "may be published to any topic; leave the type out, and subscribe with result_type=RawValue for those"
            )
        bound = self._types.setdefault(topic, wanted)
        if bound != wanted:
            raise RuntimeError(
                f"Topic {topic!r} is already bound to type {bound!r} on this {self._owner}, not {wanted!r}; use one "
                "type per topic, or leave it out for a topic of many types"
            )
        return wanted
