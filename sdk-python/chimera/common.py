"""What clients, workers and workflows have in common: policies, search attributes, metrics."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
import types
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    TypeAlias,
    TypeVar,
    get_origin,
    get_type_hints,
    overload,
)

from typing_extensions import NamedTuple

import chimera.types
from chimera._metrics import (
    MetricAttributes as MetricAttributes,
    MetricCommon,
    MetricCounter,
    MetricGauge,
    MetricGaugeFloat,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricMeter,
)

if TYPE_CHECKING:
    import chimera.api.common.v1
    import chimera.api.deployment.v1
    import chimera.api.workflow.v1


@dataclass
class RetryPolicy:
    """When and how often to try again."""

    initial_interval: timedelta = timedelta(seconds=1)
    """Wait before the second attempt."""

    backoff_coefficient: float = 2.0
    """Factor from one wait to the next."""

    maximum_interval: timedelta | None = None
    """Longest wait; None: a hundred times the first."""

    maximum_attempts: int = 0
    """0: no limit."""

    non_retryable_error_types: Sequence[str] | None = None
    """Error types that end the attempts at once."""

    @staticmethod
    def from_proto(proto: chimera.api.common.v1.RetryPolicy) -> RetryPolicy:
        """The policy that a protocol message holds."""
        longest = proto.maximum_interval.ToTimedelta() if proto.HasField("maximum_interval") else None
        return RetryPolicy(
            proto.initial_interval.ToTimedelta(),
            proto.backoff_coefficient,
            longest,
            proto.maximum_attempts,
            list(proto.non_retryable_error_types) or None,
        )

    def apply_to_proto(self, proto: chimera.api.common.v1.RetryPolicy) -> None:
        """Check the policy and write it to a protocol message."""
        self._validate()
        longest = self.maximum_interval or self.initial_interval * 100
        proto.initial_interval.FromTimedelta(self.initial_interval)
        proto.maximum_interval.FromTimedelta(longest)
        proto.backoff_coefficient = self.backoff_coefficient
        proto.maximum_attempts = self.maximum_attempts
        proto.non_retryable_error_types.extend(self.non_retryable_error_types or ())

    def _validate(self) -> None:
        if self.maximum_attempts == 1:
            return  # No second attempt: nothing else is ever used.
        none = timedelta()
        longest = self.maximum_interval
        for wrong, text in (
            (self.initial_interval < none, "Initial interval cannot be negative"),
            (self.backoff_coefficient < 1, "Backoff coefficient cannot be less than 1"),
            (longest and longest < none, "Maximum interval cannot be negative"),
            (
                longest and longest < self.initial_interval,
                "Maximum interval cannot be less than initial interval",
            ),
            (self.maximum_attempts < 0, "Maximum attempts cannot be negative"),
        ):
            if wrong:
                raise ValueError(text)


# Values of the enums below: temporal/api/enums/v1/*.proto; a test compares them.


class WorkflowIDReusePolicy(IntEnum):
    """Whether a closed workflow's id may be used again."""

    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3
    TERMINATE_IF_RUNNING = 4


class WorkflowIDConflictPolicy(IntEnum):
    """What to do when a workflow with the id is open."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2
    TERMINATE_EXISTING = 3


class ActivityIDReusePolicy(IntEnum):
    """Whether a closed standalone activity's id may be used again."""

    UNSPECIFIED = 0
    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3


class ActivityIDConflictPolicy(IntEnum):
    """What to do when a standalone activity with the id is open."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2


class NexusOperationIDReusePolicy(IntEnum):
    """Whether a closed Nexus operation's id may be used again."""

    UNSPECIFIED = 0
    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3


class NexusOperationIDConflictPolicy(IntEnum):
    """What to do when a Nexus operation with the id is open."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2


class NexusOperationExecutionStatus(IntEnum):
    """Status of a Nexus operation that a client started."""

    UNSPECIFIED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    TIMED_OUT = 6


class PendingNexusOperationExecutionState(IntEnum):
    """What an open Nexus operation is waiting for."""

    UNSPECIFIED = 0
    SCHEDULED = 1
    BACKING_OFF = 2
    STARTED = 3
    BLOCKED = 4


class NexusOperationCancellationState(IntEnum):
    """How far the cancellation of a Nexus operation has come."""

    UNSPECIFIED = 0
    SCHEDULED = 1
    BACKING_OFF = 2
    SUCCEEDED = 3
    FAILED = 4
    TIMED_OUT = 5
    BLOCKED = 6


class QueryRejectCondition(IntEnum):
    """Which closed workflows refuse a query."""

    NONE = 1
    NOT_OPEN = 2
    NOT_COMPLETED_CLEANLY = 3


@dataclass(frozen=True)
class RawValue:
    """A payload that no converter touches, in either direction."""

    payload: chimera.api.common.v1.Payload

    def __getstate__(self) -> object:
        """A version byte and the serialized payload."""
        return b"1" + self.payload.SerializeToString()

    def __setstate__(self, state: object) -> None:
        """The reverse of `__getstate__`."""
        if not isinstance(state, bytes):
            raise TypeError(f"Expected bytes state, got {type(state)}")
        if not state.startswith(b"1"):
            raise ValueError("Bad version prefix")
        from chimera.api.common.v1 import Payload

        object.__setattr__(self, "payload", Payload.FromString(state[1:]))


SearchAttributeValues: TypeAlias = list[str] | list[int] | list[float] | list[bool] | list[datetime]
SearchAttributes: TypeAlias = Mapping[str, SearchAttributeValues]
SearchAttributeValue: TypeAlias = str | int | float | bool | datetime | Sequence[str]
SearchAttributeValueType = TypeVar(
    "SearchAttributeValueType", str, int, float, bool, datetime, Sequence[str]
)


class SearchAttributeIndexedValueType(IntEnum):
    """How the server indexes a search attribute."""

    TEXT = 1
    KEYWORD = 2
    INT = 3
    DOUBLE = 4
    BOOL = 5
    DATETIME = 6
    KEYWORD_LIST = 7


# Indexed type -> (its name in a payload's metadata, the Python type of its values).
_INDEXED: dict[SearchAttributeIndexedValueType, tuple[str, Any]] = {
    SearchAttributeIndexedValueType.TEXT: ("Text", str),
    SearchAttributeIndexedValueType.KEYWORD: ("Keyword", str),
    SearchAttributeIndexedValueType.INT: ("Int", int),
    SearchAttributeIndexedValueType.DOUBLE: ("Double", float),
    SearchAttributeIndexedValueType.BOOL: ("Bool", bool),
    SearchAttributeIndexedValueType.DATETIME: ("Datetime", datetime),
    SearchAttributeIndexedValueType.KEYWORD_LIST: ("KeywordList", Sequence[str]),
}
# The server spells the metadata either way.
_INDEXED_BY_NAME = {
    name: kind
    for kind, (short, _) in _INDEXED.items()
    for name in (short, f"INDEXED_VALUE_TYPE_{kind.name}")
}


class SearchAttributeKey(ABC, Generic[SearchAttributeValueType]):
    """Name and type of a search attribute. Made by the `for_*` functions."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The attribute's name."""

    @property
    @abstractmethod
    def indexed_value_type(self) -> SearchAttributeIndexedValueType:
        """How the server indexes it."""

    @property
    @abstractmethod
    def value_type(self) -> type[SearchAttributeValueType]:
        """The Python type of its values."""

    @property
    def origin_value_type(self) -> type:
        """The value type without its parameters, for isinstance."""
        return get_origin(self.value_type) or self.value_type

    @property
    def _metadata_type(self) -> str:
        return _INDEXED[self.indexed_value_type][0]

    def value_set(
        self, value: SearchAttributeValueType
    ) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """An update that gives the attribute a value."""
        return _Update(self, value)

    def value_unset(self) -> SearchAttributeUpdate[SearchAttributeValueType]:
        """An update that removes the attribute."""
        return _Update(self, None)

    @staticmethod
    def for_text(name: str) -> SearchAttributeKey[str]:
        """A text attribute."""
        return _key(name, SearchAttributeIndexedValueType.TEXT)

    @staticmethod
    def for_keyword(name: str) -> SearchAttributeKey[str]:
        """A keyword attribute."""
        return _key(name, SearchAttributeIndexedValueType.KEYWORD)

    @staticmethod
    def for_int(name: str) -> SearchAttributeKey[int]:
        """An integer attribute."""
        return _key(name, SearchAttributeIndexedValueType.INT)

    @staticmethod
    def for_float(name: str) -> SearchAttributeKey[float]:
        """A floating-point attribute."""
        return _key(name, SearchAttributeIndexedValueType.DOUBLE)

    @staticmethod
    def for_bool(name: str) -> SearchAttributeKey[bool]:
        """A truth value."""
        return _key(name, SearchAttributeIndexedValueType.BOOL)

    @staticmethod
    def for_datetime(name: str) -> SearchAttributeKey[datetime]:
        """A point in time."""
        return _key(name, SearchAttributeIndexedValueType.DATETIME)

    @staticmethod
    def for_keyword_list(name: str) -> SearchAttributeKey[Sequence[str]]:
        """A list of keywords."""
        return _key(name, SearchAttributeIndexedValueType.KEYWORD_LIST)

    @staticmethod
    def _from_metadata_type(name: str, metadata_type: str) -> SearchAttributeKey[Any] | None:
        kind = _INDEXED_BY_NAME.get(metadata_type)
        return None if kind is None else _key(name, kind)

    @staticmethod
    def _guess_from_untyped_values(
        name: str, vals: SearchAttributeValues
    ) -> SearchAttributeKey[Any] | None:
        if not vals:
            return None
        first = vals[0]
        if len(vals) > 1:
            return SearchAttributeKey.for_keyword_list(name) if isinstance(first, str) else None
        # bool is an int here, as the official package has it.
        for python_type, kind in (
            (str, SearchAttributeIndexedValueType.KEYWORD),
            (int, SearchAttributeIndexedValueType.INT),
            (float, SearchAttributeIndexedValueType.DOUBLE),
            (datetime, SearchAttributeIndexedValueType.DATETIME),
        ):
            if isinstance(first, python_type):
                return _key(name, kind)
        return None


@dataclass(frozen=True)
class _Key(SearchAttributeKey[Any]):
    _name: str
    _kind: SearchAttributeIndexedValueType

    @property
    def name(self) -> str:
        return self._name

    @property
    def indexed_value_type(self) -> SearchAttributeIndexedValueType:
        return self._kind

    @property
    def value_type(self) -> Any:
        return _INDEXED[self._kind][1]


def _key(name: str, kind: SearchAttributeIndexedValueType) -> Any:
    return _Key(name, kind)


class SearchAttributePair(NamedTuple, Generic[SearchAttributeValueType]):
    """A key and its value."""

    key: SearchAttributeKey[SearchAttributeValueType]
    value: SearchAttributeValueType


class SearchAttributeUpdate(ABC, Generic[SearchAttributeValueType]):
    """A change of one search attribute, made by a key."""

    @property
    @abstractmethod
    def key(self) -> SearchAttributeKey[SearchAttributeValueType]:
        """The attribute to change."""

    @property
    @abstractmethod
    def value(self) -> SearchAttributeValueType | None:
        """Its new value; None removes it."""


@dataclass(frozen=True)
class _Update(SearchAttributeUpdate[Any]):
    _key: SearchAttributeKey[Any]
    _value: Any

    @property
    def key(self) -> SearchAttributeKey[Any]:
        return self._key

    @property
    def value(self) -> Any:
        return self._value


@dataclass(frozen=True)
class TypedSearchAttributes(Collection[SearchAttributePair[Any]]):
    """Search attributes with their keys, sorted by name; each name at most once."""

    search_attributes: Sequence[SearchAttributePair[Any]]
    """The pairs, sorted."""

    empty: ClassVar[TypedSearchAttributes]
    """No attributes."""

    def __post_init__(self) -> None:
        """Sort, and refuse a name that appears twice."""
        pairs = sorted(self.search_attributes, key=lambda pair: pair.key.name)
        names = [pair.key.name for pair in pairs]
        for before, name in itertools.pairwise(names):
            if before == name:
                raise ValueError(f"Duplicate search attribute entries found for key {name}")
        object.__setattr__(self, "search_attributes", pairs)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.search_attributes)

    def __getitem__(
        self, key: SearchAttributeKey[SearchAttributeValueType]
    ) -> SearchAttributeValueType:
        """The value of a key; KeyError if there is none."""
        for pair in self.search_attributes:
            if pair.key == key and pair.value is not None:
                return pair.value
        raise KeyError

    def __iter__(self) -> Iterator[SearchAttributePair[Any]]:
        """The pairs, by name."""
        return iter(self.search_attributes)

    def __contains__(self, key: object) -> bool:
        """Whether there is such a key, name and type alike."""
        return any(pair.key == key for pair in self.search_attributes)

    @overload
    def get(
        self, key: SearchAttributeKey[SearchAttributeValueType]
    ) -> SearchAttributeValueType | None: ...

    @overload
    def get(
        self,
        key: SearchAttributeKey[SearchAttributeValueType],
        default: chimera.types.AnyType,
    ) -> SearchAttributeValueType | chimera.types.AnyType: ...

    def get(
        self, key: SearchAttributeKey[SearchAttributeValueType], default: Any | None = None
    ) -> Any:
        """The value of a key, or the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def updated(self, *search_attributes: SearchAttributePair[Any]) -> TypedSearchAttributes:
        """A copy with these pairs added, or put in the place of those with their names."""
        merged = {pair.key.name: pair for pair in self.search_attributes}
        merged.update((pair.key.name, pair) for pair in search_attributes)
        return TypedSearchAttributes(list(merged.values()))


TypedSearchAttributes.empty = TypedSearchAttributes(search_attributes=[])


def _warn_on_deprecated_search_attributes(
    attributes: SearchAttributes | Any | None, stack_level: int = 2
) -> None:
    if attributes and isinstance(attributes, Mapping):
        warnings.warn(
            "Dictionary-based search attributes are deprecated",
            DeprecationWarning,
            stacklevel=stack_level + 1,
        )


for _public in (
    MetricCommon,
    MetricCounter,
    MetricGauge,
    MetricGaugeFloat,
    MetricHistogram,
    MetricHistogramFloat,
    MetricHistogramTimedelta,
    MetricMeter,
):
    _public.__module__ = __name__  # Where users find them.


@dataclass(frozen=True)
class Priority:
    """Where a task stands among others of its queue."""

    priority_key: int | None = None
    """1 is first; None: the server's default, or the parent's."""

    fairness_key: str | None = None
    """Tasks with different keys get their share of the queue each."""

    fairness_weight: float | None = None
    """The share of this key."""

    default: ClassVar[Priority]
    """Nothing set."""

    @staticmethod
    def _from_proto(proto: chimera.api.common.v1.Priority) -> Priority:
        return Priority(
            proto.priority_key or None, proto.fairness_key or None, proto.fairness_weight or None
        )

    def _to_proto(self) -> chimera.api.common.v1.Priority:
        from chimera.api.common.v1 import Priority as PriorityProto

        return PriorityProto(
            priority_key=self.priority_key or 0,
            fairness_key=self.fairness_key or "",
            fairness_weight=self.fairness_weight or 0,
        )

    def __post_init__(self) -> None:
        """Check the key."""
        if self.priority_key is None:
            return
        if not isinstance(self.priority_key, int):
            raise TypeError("priority_key must be an integer")
        if self.priority_key < 1:
            raise ValueError("priority_key must be a positive integer")


Priority.default = Priority()


class VersioningBehavior(IntEnum):
    """Whether a workflow moves to a newer version of its worker deployment."""

    UNSPECIFIED = 0
    PINNED = 1
    AUTO_UPGRADE = 2


@dataclass(frozen=True)
class WorkerDeploymentVersion:
    """One build of one worker deployment."""

    deployment_name: str
    build_id: str

    def to_canonical_string(self) -> str:
        """NAME.BUILD_ID."""
        return f"{self.deployment_name}.{self.build_id}"

    @staticmethod
    def from_canonical_string(canonical: str) -> WorkerDeploymentVersion:
        """The reverse of `to_canonical_string`: cut at the first full stop."""
        name, stop, build_id = canonical.partition(".")
        if not stop:
            raise ValueError(
                f"Cannot parse version string: {canonical}, must be in format "
                "<deployment_name>.<build_id>"
            )
        return WorkerDeploymentVersion(name, build_id)

    def _to_proto(self) -> chimera.api.deployment.v1.WorkerDeploymentVersion:
        from chimera.api.deployment.v1 import WorkerDeploymentVersion as VersionProto

        return VersionProto(deployment_name=self.deployment_name, build_id=self.build_id)


class VersioningOverride(ABC):
    """Overrides the versioning of one workflow."""

    @abstractmethod
    def _to_proto(self) -> chimera.api.workflow.v1.VersioningOverride: ...


@dataclass(frozen=True)
class PinnedVersioningOverride(VersioningOverride):
    """Keep the workflow on one version."""

    version: WorkerDeploymentVersion

    def _to_proto(self) -> chimera.api.workflow.v1.VersioningOverride:
        from chimera.api.workflow.v1 import VersioningOverride as OverrideProto

        # Servers before 1.28 read the first two fields, later ones the third.
        proto = OverrideProto(
            behavior="VERSIONING_BEHAVIOR_PINNED", pinned_version=self.version.to_canonical_string()
        )
        proto.pinned.version.CopyFrom(self.version._to_proto())
        proto.pinned.behavior = OverrideProto.PINNED_OVERRIDE_BEHAVIOR_PINNED
        return proto


@dataclass(frozen=True)
class AutoUpgradeVersioningOverride(VersioningOverride):
    """Let the workflow follow the current version."""

    def _to_proto(self) -> chimera.api.workflow.v1.VersioningOverride:
        from chimera.api.workflow.v1 import VersioningOverride as OverrideProto

        return OverrideProto(behavior="VERSIONING_BEHAVIOR_AUTO_UPGRADE", auto_upgrade=True)


@dataclass(frozen=True)
class OneTimeVersioningOverride(VersioningOverride):
    """Move the workflow to a version once."""

    target_version: WorkerDeploymentVersion

    def _to_proto(self) -> chimera.api.workflow.v1.VersioningOverride:
        from chimera.api.workflow.v1 import VersioningOverride as OverrideProto

        proto = OverrideProto()
        proto.one_time.target_deployment_version.CopyFrom(self.target_version._to_proto())
        return proto


class HeaderCodecBehavior(IntEnum):
    """Whether the payload codec applies to headers."""

    NO_CODEC = 1
    CODEC = 2
    WORKFLOW_ONLY_CODEC = 3


# Stands for an argument that was not given, where None may be given.
_arg_unset = object()


def _arg_or_args(arg: Any, args: Sequence[Any]) -> Sequence[Any]:
    if arg is _arg_unset:
        return args
    if args:
        raise ValueError("Cannot have arg and args")
    return [arg]


def _apply_headers(source: Mapping[str, chimera.api.common.v1.Payload] | None, dest: Any) -> None:
    for name, payload in (source or {}).items():
        dest[name].CopyFrom(payload)


_BUILTIN_CALLABLES = (
    types.BuiltinFunctionType,
    types.BuiltinMethodType,
    types.WrapperDescriptorType,
    types.MethodWrapperType,
)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _type_hints_from_func(func: Callable[..., Any]) -> tuple[list[type] | None, type | None]:
    """Hints of the positional parameters (None where there is none), and the result's.

    No list at all for a function that takes other than positional parameters.
    """
    if not isinstance(func, (types.FunctionType, types.MethodType, *_BUILTIN_CALLABLES)):
        owner = func if isinstance(func, type) else type(func)
        func = getattr(owner, "__call__", func)  # noqa: B004 - the method itself is wanted
    hints = get_type_hints(func)
    arguments: list[type] = []
    for position, parameter in enumerate(inspect.signature(func).parameters.values()):
        annotation = parameter.annotation
        untyped = annotation is inspect.Parameter.empty
        is_self = untyped or str(annotation) == "typing.Self"
        if position == 0 and parameter.name == "self" and is_self:
            continue
        if parameter.kind not in _POSITIONAL:
            return None, hints.get("return")
        arguments.append(hints.get(parameter.name))  # type: ignore
    return arguments, hints.get("return")


@dataclass
class _CompositeEvent:
    """An event that threads and coroutines can wait for; either half may be missing."""

    thread_event: threading.Event | None
    async_event: asyncio.Event | None

    def set(self) -> None:
        for half in (self.thread_event, self.async_event):
            if half:
                half.set()

    def is_set(self) -> bool:
        half = self.thread_event or self.async_event
        if not half:
            raise RuntimeError("Missing event")
        return half.is_set()

    async def wait(self) -> None:
        if not self.async_event:
            raise RuntimeError("not in async activity")
        await self.async_event.wait()

    def wait_sync(self, timeout: float | None = None) -> None:
        if not self.thread_event:
            raise RuntimeError("Missing event")
        self.thread_event.wait(timeout)


_making = threading.Lock()


class _LateEvent(_CompositeEvent):
    """Makes its halves when somebody waits: most activities never ask. Set on the loop's thread."""

    def __init__(self) -> None:
        self._set = False
        self._thread: threading.Event | None = None
        self._async: asyncio.Event | None = None

    @property
    def thread_event(self) -> threading.Event:  # type: ignore[override]
        with _making:
            if self._thread is None:
                self._thread = threading.Event()
            if self._set:
                self._thread.set()
            return self._thread

    @property
    def async_event(self) -> asyncio.Event:  # type: ignore[override]
        if self._async is None:
            self._async = asyncio.Event()
        if self._set:
            self._async.set()
        return self._async

    def set(self) -> None:
        self._set = True  # First: whoever makes a half from here on sets it.
        for half in (self._thread, self._async):
            if half is not None:
                half.set()

    def is_set(self) -> bool:
        return self._set
