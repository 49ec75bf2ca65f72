"""Values to payloads and back, exceptions to failures and back."""

import asyncio
import collections
import dataclasses
import enum
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, NewType, Optional, TypedDict, Union

import pytest

import chimera.api.enums.v1 as enums
import chimera.common as common
import chimera.converter as converter
import chimera.exceptions as errors
from chimera.api.common.v1 import Payload, SearchAttributes, WorkflowExecution
from chimera.api.failure.v1 import Failure

CONVERT = converter.PayloadConverter.default


@dataclasses.dataclass
class Inner:
    at: datetime


@dataclasses.dataclass
class Outer:
    name: str
    inner: Inner
    more: Optional["Outer"] = None
    later: int = dataclasses.field(init=False, default=1)


class Color(enum.IntEnum):
    RED = 1


class Keys(TypedDict, total=False):
    number: int


UserId = NewType("UserId", int)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "value, encoding, data",
    [
        (None, b"binary/null", b""),
        (b"\x00", b"binary/plain", b"\x00"),
        ("ü", b"json/plain", b'"\\u00fc"'),
        ({"b": 1, "a": [1.5, True]}, b"json/plain", b'{"a":[1.5,true],"b":1}'),
        (Inner(NOW), b"json/plain", b'{"at":"2026-01-02T03:04:05+00:00"}'),
    ],
)
def test_each_kind_of_value_has_its_encoding(value: Any, encoding: bytes, data: bytes) -> None:
    payload = CONVERT.to_payload(value)

    assert payload.metadata["encoding"] == encoding
    assert payload.data == data


def test_protobuf_messages_travel_as_json() -> None:
    message = WorkflowExecution(workflow_id="w")

    payload = CONVERT.to_payload(message)

    assert payload.metadata["messageType"] == b"temporal.api.common.v1.WorkflowExecution"
    assert CONVERT.from_payload(payload) == message


def test_raw_values_are_not_touched() -> None:
    payload = Payload(metadata={"encoding": b"unknown"}, data=b"x")

    assert CONVERT.to_payload(common.RawValue(payload)) is payload
    assert CONVERT.from_payload(payload, common.RawValue).payload == payload
    with pytest.raises(KeyError, match="Unknown payload encoding unknown"):
        CONVERT.from_payload(payload)


OUTER = Outer("o", Inner(NOW), Outer("p", Inner(NOW)))


@pytest.mark.parametrize(
    "value, hint, expected",
    [
        (OUTER, Outer, OUTER),
        ([1, "a"], tuple[int, str], (1, "a")),
        ([1, 2], tuple[int, ...], (1, 2)),
        ([1, 2], Sequence[int], [1, 2]),
        ([1, 1], set[int], {1}),
        ([1], collections.deque[int], collections.deque([1])),
        ({"1": "x"}, Mapping[int, str], {1: "x"}),
        ({"true": None}, dict[bool, None], {True: None}),
        ({"1": 2}, dict[Color, float], {Color.RED: 2.0}),
        ({"number": 3.0}, Keys, {"number": 3}),
        (1, Union[str, int], 1),
        (None, Optional[int], None),
        ("2026-01-02T03:04:05+00:00", datetime, NOW),
        (1, UserId, 1),
        ("a", Literal["a", "b"], "a"),
        (1, Color, Color.RED),
        (str(uuid.UUID(int=7)), uuid.UUID, uuid.UUID(int=7)),
        ([104, 105], bytes, b"hi"),
        ([1, "a"], list[Any], [1, "a"]),
    ],
)
def test_hints_shape_the_result(value: Any, hint: Any, expected: Any) -> None:
    assert CONVERT.from_payload(CONVERT.to_payload(value), hint) == expected


@pytest.mark.parametrize(
    "value, hint",
    [("1", int), (1, str), (1, bool), ([1], dict[str, int]), ([1, 2], tuple[int]), (1, object)],
)
def test_what_does_not_fit_is_a_type_error(value: Any, hint: Any) -> None:
    with pytest.raises(TypeError):
        converter.value_to_type(hint, value)


def test_equal_unions_keep_their_own_order() -> None:
    # Compiled rules are kept by identity: as equal keys these two would share one.
    assert converter.value_to_type(Union[int, float], 1.5) == 1
    assert converter.value_to_type(Union[float, int], 1.5) == 1.5


def test_own_type_converters_come_first_at_every_level() -> None:
    class Twice(converter.JSONTypeConverter):
        def to_typed_value(self, hint: Any, value: Any) -> Any:
            return value * 2 if hint is int else converter.JSONTypeConverter.Unhandled

    assert converter.value_to_type(list[int], [1, 2], [Twice()]) == [2, 4]


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


class CelsiusConverter(converter.TransferTypeConverter[Celsius, float]):
    transfer_type = float

    def to_transfer_type(self, value: Celsius) -> float:
        return value.degrees

    def from_transfer_type(self, value: float, type_hint: type[Celsius]) -> Celsius:
        return type_hint(value)


converter.transfer_type_convertible(CelsiusConverter)(Celsius)


def test_transfer_types_work_with_any_converter() -> None:
    payload = CONVERT.to_payload(Celsius(21.5))

    assert payload.data == b"21.5"
    assert CONVERT.from_payload(payload, Celsius).degrees == 21.5


def roundtrip(error: BaseException) -> BaseException:
    failure = Failure()
    converter.FailureConverter.default.to_failure(error, CONVERT, failure)
    copy = Failure.FromString(failure.SerializeToString())
    return converter.FailureConverter.default.from_failure(copy, CONVERT)


def test_application_errors_keep_everything() -> None:
    try:
        try:
            raise ValueError("inner")
        except ValueError as err:
            raise errors.ApplicationError(
                "outer",
                1,
                {"a": 2},
                type="Kind",
                non_retryable=True,
                next_retry_delay=timedelta(seconds=3),
                category=errors.ApplicationErrorCategory.BENIGN,
            ) from err
    except errors.ApplicationError as err:
        error = roundtrip(err)

    assert isinstance(error, errors.ApplicationError)
    assert (error.message, str(error)) == ("outer", "Kind: outer")
    assert list(error.details) == [1, {"a": 2}]
    assert (error.type, error.non_retryable) == ("Kind", True)
    assert error.next_retry_delay == timedelta(seconds=3)
    assert error.category is errors.ApplicationErrorCategory.BENIGN
    assert "converter_test.py" in error.failure.stack_trace
    assert "^^" not in error.failure.stack_trace  # Python would parse each line for that.
    assert isinstance(error.cause, errors.ApplicationError)
    assert (error.cause.message, error.cause.type) == ("inner", "ValueError")


@pytest.mark.parametrize(
    "error",
    [
        errors.CancelledError("c", 1),
        errors.TerminatedError("t"),
        errors.ServerError("s", non_retryable=True),
        errors.TimeoutError("t", type=errors.TimeoutType.HEARTBEAT, last_heartbeat_details=[5]),
        errors.ActivityError(
            "a",
            scheduled_event_id=1,
            started_event_id=2,
            identity="i",
            activity_type="t",
            activity_id="3",
            retry_state=errors.RetryState.TIMEOUT,
        ),
        errors.ChildWorkflowError(
            "c",
            namespace="n",
            workflow_id="w",
            run_id="r",
            workflow_type="t",
            initiated_event_id=1,
            started_event_id=2,
            retry_state=None,
        ),
        errors.NexusOperationError(
            "n",
            scheduled_event_id=1,
            endpoint="e",
            service="s",
            operation="o",
            operation_token="t",
        ),
    ],
)
def test_other_failures_keep_their_fields(error: errors.FailureError) -> None:
    result = roundtrip(error)

    assert type(result) is type(error)
    before, after = dict(vars(error)), dict(vars(result))
    for fields in (before, after):
        del fields["_failure"]
        fields.update({k: list(v) for k, v in fields.items() if isinstance(v, (tuple, list))})
    assert after == before


def test_encoded_attributes_hide_and_reveal_the_text() -> None:
    hiding = converter.DefaultFailureConverterWithEncodedAttributes()
    failure = Failure()

    hiding.to_failure(ValueError("secret"), CONVERT, failure)

    assert failure.message == "Encoded failure"
    error = hiding.from_failure(failure, CONVERT)
    assert isinstance(error, errors.ApplicationError)
    assert error.message == "secret"


class Reverse(converter.PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload(metadata={"encoding": b"rev"}, data=p.SerializeToString()) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(p.data) for p in payloads]


def test_a_codec_sees_values_and_failure_details() -> None:
    data = converter.DataConverter(payload_codec=Reverse())

    async def run() -> None:
        payloads = await data.encode([1])
        failure = Failure()
        await data.encode_failure(errors.ApplicationError("m", 5), failure)

        assert payloads[0].metadata["encoding"] == b"rev"
        assert await data.decode(payloads, [int]) == [1]
        details = failure.application_failure_info.details.payloads
        assert details[0].metadata["encoding"] == b"rev"
        error = await data.decode_failure(failure)
        assert isinstance(error, errors.ApplicationError) and list(error.details) == [5]

    asyncio.run(run())


def test_typed_search_attributes_come_back() -> None:
    keys = common.SearchAttributeKey
    attributes = common.TypedSearchAttributes(
        [
            common.SearchAttributePair(keys.for_datetime("d"), NOW),
            common.SearchAttributePair(keys.for_float("f"), 1.0),
            common.SearchAttributePair(keys.for_keyword_list("k"), ["a", "b"]),
        ]
    )
    message = SearchAttributes()

    converter.encode_search_attributes(attributes, message)

    assert message.indexed_fields["k"].metadata["type"] == b"KeywordList"
    assert converter.decode_typed_search_attributes(message) == attributes
    untyped = converter.decode_search_attributes(message)
    assert untyped == {"d": [NOW], "f": [1.0], "k": ["a", "b"]}


def test_large_payloads_go_to_storage() -> None:
    class Memory(converter.StorageDriver):
        kept: dict[str, Payload] = {}

        def name(self) -> str:
            return "memory"

        async def store(self, context: Any, payloads: Any) -> Any:
            claims = []
            for payload in payloads:
                self.kept[str(len(self.kept))] = payload
                claims.append(converter.StorageDriverClaim({"key": str(len(self.kept) - 1)}))
            return claims

        async def retrieve(self, context: Any, claims: Any) -> Any:
            return [self.kept[claim.claim_data["key"]] for claim in claims]

    storage = converter.ExternalStorage([Memory()], payload_size_threshold=100)
    data = converter.DataConverter(external_storage=storage)

    async def run() -> None:
        payloads = await data.encode(["x" * 200, "y"])

        assert b"driverName" in payloads[0].data
        assert await data.decode(payloads) == ["x" * 200, "y"]
        with pytest.raises(RuntimeError, match="TMPRL1105"):
            await converter.default().decode(payloads)

    asyncio.run(run())


@pytest.mark.parametrize(
    "ours, theirs, prefix",
    [
        (common.WorkflowIDReusePolicy, enums.WorkflowIdReusePolicy, "WORKFLOW_ID_REUSE_POLICY_"),
        (
            common.WorkflowIDConflictPolicy,
            enums.WorkflowIdConflictPolicy,
            "WORKFLOW_ID_CONFLICT_POLICY_",
        ),
        (common.ActivityIDReusePolicy, enums.ActivityIdReusePolicy, "ACTIVITY_ID_REUSE_POLICY_"),
        (
            common.NexusOperationExecutionStatus,
            enums.NexusOperationExecutionStatus,
            "NEXUS_OPERATION_EXECUTION_STATUS_",
        ),
        (
            common.PendingNexusOperationExecutionState,
            enums.PendingNexusOperationState,
            "PENDING_NEXUS_OPERATION_STATE_",
        ),
        (
            common.NexusOperationCancellationState,
            enums.NexusOperationCancellationState,
            "NEXUS_OPERATION_CANCELLATION_STATE_",
        ),
        (common.QueryRejectCondition, enums.QueryRejectCondition, "QUERY_REJECT_CONDITION_"),
        (common.SearchAttributeIndexedValueType, enums.IndexedValueType, "INDEXED_VALUE_TYPE_"),
        (common.VersioningBehavior, enums.VersioningBehavior, "VERSIONING_BEHAVIOR_"),
        (errors.TimeoutType, enums.TimeoutType, "TIMEOUT_TYPE_"),
        (errors.RetryState, enums.RetryState, "RETRY_STATE_"),
        (
            errors.ApplicationErrorCategory,
            enums.ApplicationErrorCategory,
            "APPLICATION_ERROR_CATEGORY_",
        ),
    ],
)
def test_enum_values_are_those_of_the_protocol(ours: Any, theirs: Any, prefix: str) -> None:
    for member in ours:
        assert member.value == theirs.Value(prefix + member.name)


def test_retry_policies_are_checked_and_come_back() -> None:
    from chimera.api.common.v1 import RetryPolicy

    proto = RetryPolicy()
    common.RetryPolicy(maximum_attempts=3, non_retryable_error_types=["A"]).apply_to_proto(proto)

    assert common.RetryPolicy.from_proto(proto).maximum_interval == timedelta(seconds=100)
    with pytest.raises(ValueError, match="Backoff coefficient cannot be less than 1"):
        common.RetryPolicy(backoff_coefficient=0.5).apply_to_proto(proto)
