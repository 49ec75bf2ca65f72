"""What a codec sees of jobs follows from the one list of their fields."""

from __future__ import annotations

import asyncio
import itertools
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import chimera._border as border
import chimera.converter as converter
from chimera.api.common.v1 import Payload, Payloads
from chimera.api.failure.v1 import Failure
from chimera.api.history.v1 import WorkflowExecutionStartedEventAttributes
from chimera.worker._codec_pass import CodecPass


class Opening(converter.PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise AssertionError("nothing is encoded here")

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert all(payload.data == b"sealed" for payload in payloads)
        return [Payload(data=b"open") for _ in payloads]


SEALED = Payload(data=b"sealed")


def _samples(kind: str) -> Iterator[Any]:
    """Values for a field of this annotation, each payload of them sealed."""
    if kind == "Payload":
        yield SEALED.SerializeToString()
    elif kind == "list[Payload]":
        yield [SEALED.SerializeToString()] * 2
    elif kind == "dict[str, Payload]":
        yield {"trace": SEALED.SerializeToString()}
    elif kind == "Failure":
        failure = Failure()
        failure.cause.application_failure_info.details.payloads.append(SEALED)
        yield failure.SerializeToString()
    elif kind == "WorkflowExecutionStartedEventAttributes":
        yield WorkflowExecutionStartedEventAttributes(input=Payloads(payloads=[SEALED])).SerializeToString()
    elif kind in ("str", "int", "bool", "Nanoseconds"):
        yield {"str": "", "bool": False}.get(kind, 1)
    elif kind == "None":
        yield None
    else:
        yield from _shapes(getattr(border, kind))


def _shapes(shape: Any) -> Iterator[Any]:
    fields = [getattr(a, "__forward_arg__", a).split(" | ") for a in shape.__annotations__.values()]
    columns = [[sample for kind in kinds for sample in _samples(kind)] for kinds in fields]
    for values in itertools.product(*columns):
        yield shape(*values)


def _count(item: Any) -> int:
    """The opened payloads in it; none may still be sealed."""
    if isinstance(item, (tuple, list)):
        return sum(_count(each) for each in item)
    if isinstance(item, dict):
        return sum(_count(each) for each in item.values())
    if isinstance(item, bytes):
        assert b"sealed" not in item
        return 0
    if not hasattr(item, "SerializeToString"):
        return 0
    text = item.SerializeToString()
    assert b"sealed" not in text
    return int(text.count(b"open"))


def _sealed(item: Any) -> int:
    if isinstance(item, (tuple, list)):
        return sum(_sealed(each) for each in item)
    if isinstance(item, dict):
        return sum(_sealed(each) for each in item.values())
    return int(item.count(b"sealed")) if isinstance(item, bytes) else 0


@pytest.mark.parametrize("kind", typing.get_args(border.Job), ids=lambda kind: kind.__name__)
def test_every_payload_of_every_job_is_decoded(kind: Any) -> None:
    codec = CodecPass(converter.DataConverter(payload_codec=Opening()), True)
    jobs = list(_shapes(kind))

    async def decode(job: Any) -> Any:
        return await codec._job(job, None, None)

    for job in jobs:
        decoded = asyncio.run(decode(job))
        assert type(decoded) is type(job)
        assert _count(decoded) == _sealed(job)


def test_payloads_are_there_to_be_decoded() -> None:
    """The test above means something: most kinds of jobs hold some."""
    holding = [kind for kind in typing.get_args(border.Job) if any(_sealed(job) for job in _shapes(kind))]
    assert len(holding) >= 10


def test_headers_stay_as_they_are_unless_asked_for() -> None:
    codec = CodecPass(converter.DataConverter(payload_codec=Opening()), False)
    signal = border.SignalWorkflow("go", [SEALED.SerializeToString()], {"trace": SEALED.SerializeToString()}, "")

    decoded = asyncio.run(codec._job(signal, None, None))

    assert [payload.data for payload in decoded.input] == [b"open"]
    assert decoded.headers == {"trace": SEALED.SerializeToString()}
