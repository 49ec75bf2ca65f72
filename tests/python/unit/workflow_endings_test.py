"""What a run answers although what it has to say cannot be converted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from fake_core import (
    FakeCore,
    assert_same,
    error_of,
    names,
    query,
    responses,
    update,
)

import chimera._border as border
from chimera import converter, exceptions, workflow
from chimera.api.common.v1 import Payload
from chimera.api.failure.v1 import Failure
from chimera.converter import (
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
    PayloadCodec,
    PayloadConverter,
)
from chimera.worker._codec_pass import CodecPass
from chimera.worker._runner import Completion


class NoJson:
    """Cannot be converted."""


@workflow.defn
class Unsayable:
    @workflow.run
    async def run(self, mode: str = "") -> None:
        if mode == "fail":
            raise exceptions.ApplicationError("bad", NoJson(), type="T", non_retryable=True)
        if mode == "continue":
            workflow.continue_as_new(args=[NoJson()])
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def ask(self) -> None:
        raise exceptions.ApplicationError("asked", NoJson())

    @workflow.update
    async def change(self, when: str) -> None:
        raise exceptions.ApplicationError("changed", NoJson())

    @change.validator
    def check_change(self, when: str) -> None:
        if when == "before":
            raise exceptions.ApplicationError("refused", NoJson())


def test_a_run_fails_even_if_what_its_error_carries_cannot_be_converted() -> None:
    core = FakeCore(Unsayable)

    commands = core.start("fail")

    assert names(commands) == ["FailWorkflowExecution"]
    error = error_of(commands[0].failure)
    assert isinstance(error, exceptions.ApplicationError)
    assert (error.message, error.type, error.non_retryable) == ("bad", "T", True)


def test_continuing_with_arguments_that_cannot_be_converted_fails_the_task() -> None:
    core = FakeCore(Unsayable)

    assert "NoJson" in core.fails(core.initialize("continue")).message


def test_queries_and_updates_are_answered_even_if_their_error_cannot_be_converted() -> None:
    core = FakeCore(Unsayable)
    core.start()

    (answer,) = core.send(query("ask"))
    before = core.send(update("change", "before", id="b"))
    after = core.send(update("change", "after", id="a"))

    assert str(error_of(answer.failure)) == "asked"
    assert responses(before) == [("b-1", "rejected")]
    assert str(error_of(before[0].response.failure)) == "refused"
    assert responses(after) == [("a-1", "accepted"), ("a-1", "rejected")]
    assert str(error_of(after[1].response.failure)) == "changed"


def test_a_failure_converter_that_writes_nothing_is_made_up_for() -> None:
    class Broken(FailureConverter):
        def to_failure(self, exception: Any, payload_converter: Any, failure: Failure) -> None:
            raise ValueError("broken")

        def from_failure(self, failure: Failure, payload_converter: Any) -> BaseException:
            raise NotImplementedError

    core = FakeCore(Unsayable)
    core.run.failure_converter = Broken()

    sent = Failure.FromString(core.start("fail")[0].failure)

    assert sent.message == "Failed converting ApplicationError"
    assert sent.HasField("application_failure_info")


def test_attributes_to_be_hidden_are_hidden_even_then() -> None:
    failure = Failure()
    error = exceptions.ApplicationError("secret", NoJson())
    error.__cause__ = ValueError("deep secret")

    with pytest.raises(TypeError):
        DefaultFailureConverterWithEncodedAttributes().to_failure(
            error, PayloadConverter.default, failure
        )

    assert failure.message == failure.cause.message == "Encoded failure"
    assert b"secret" in failure.encoded_attributes.data and not failure.stack_trace


class Reversing(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata=p.metadata, data=p.data[::-1]) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await self.encode(payloads)


def test_a_place_kept_for_an_answer_that_did_not_come_is_dropped() -> None:
    codec = CodecPass(converter.DataConverter(payload_codec=Reversing()), False)
    completion = Completion(
        commands=[None, border.CancelWorkflowExecution()],
        contexts=[None, None],
        used_internal_flags=[],
        places=["a.py:1 in answer", "a.py:2 in run"],
    )

    completion.drop_gaps()
    encoded = asyncio.run(codec.encode(completion.commands, completion.contexts, None, lambda _: None))

    assert_same(encoded, [border.CancelWorkflowExecution()])
    assert completion.places == ["a.py:2 in run"]


@workflow.defn
class TakesNothing:
    @workflow.run
    async def run(self) -> str:
        return "ran"


def test_a_run_function_without_parameters_takes_any_arguments() -> None:
    """As in the official worker."""
    assert names(FakeCore(TakesNothing).start("one", 2)) == ["CompleteWorkflowExecution"]
