"""What makes a class a workflow: `@workflow.defn`, `@workflow.run` and their kin."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import chimera.common
from chimera.types import CallableAsyncType, CallableType, ClassType, MethodSyncNoParam, SelfType
from chimera.workflow._handlers import (
    HandlerDefinition,
    _QueryDefinition,
    _SignalDefinition,
    _UpdateDefinition,
)

_DEFINITION = "__chimera_workflow"
_RUN = "__chimera_run"
_INIT = "__chimera_init"
_CONFIG = "__chimera_dynamic_config"


@dataclass(frozen=True)
class DynamicWorkflowConfig:
    """What a dynamic workflow may decide for each run."""

    failure_exception_types: Sequence[type[BaseException]] | None = None
    """Exceptions that fail the workflow rather than its task; None: those of the definition."""

    versioning_behavior: chimera.common.VersioningBehavior = (
        chimera.common.VersioningBehavior.UNSPECIFIED
    )
    """UNSPECIFIED: that of the definition."""


@overload
def defn(cls: ClassType) -> ClassType: ...


@overload
def defn(
    *,
    name: str | None = ...,
    sandboxed: bool = ...,
    failure_exception_types: Sequence[type[BaseException]] = ...,
    versioning_behavior: chimera.common.VersioningBehavior = ...,
) -> Callable[[ClassType], ClassType]: ...


@overload
def defn(
    *,
    sandboxed: bool = ...,
    dynamic: bool = ...,
    versioning_behavior: chimera.common.VersioningBehavior = ...,
) -> Callable[[ClassType], ClassType]: ...


def defn(
    cls: Any = None,
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = [],
    versioning_behavior: chimera.common.VersioningBehavior = (
        chimera.common.VersioningBehavior.UNSPECIFIED
    ),
) -> Any:
    """Class decorator of workflows.

    Args:
        name: Workflow type; the class name if not given.
        sandboxed: Kept for compatibility: runs are not sandboxed in this version.
        dynamic: Run all workflow types that have no class of their own.
        failure_exception_types: Exceptions that fail the workflow rather than its task.
        versioning_behavior: Needed where the worker's deployment has no default.
    """

    def decorate(cls: type) -> type:
        workflow_type = None if dynamic else name or cls.__name__
        definition = _ClassReader(cls).read(workflow_type)
        definition.sandboxed = sandboxed
        definition.failure_exception_types = failure_exception_types
        definition.versioning_behavior = versioning_behavior
        setattr(cls, _DEFINITION, definition)
        setattr(definition.run_fn, _DEFINITION, definition)
        return cls

    return decorate(cls) if cls is not None else decorate


def init(init_fn: CallableType) -> CallableType:
    """Decorator of an `__init__` that takes the same arguments as the run method."""
    if init_fn.__name__ != "__init__":
        raise ValueError("@workflow.init may only be used on the __init__ method")
    setattr(init_fn, _INIT, True)
    return init_fn


def run(fn: CallableAsyncType) -> CallableAsyncType:
    """Decorator of the method that is the workflow."""
    is_async: bool = inspect.iscoroutinefunction(fn)  # Not a type guard: the decorator keeps the function's type.
    if not is_async:
        raise ValueError("Workflow run method must be an async function")
    if "<locals>" in fn.__qualname__:
        raise ValueError("Local classes unsupported, @workflow.run cannot be on a local class")
    setattr(fn, _RUN, True)
    return fn


def dynamic_config(
    fn: MethodSyncNoParam[SelfType, DynamicWorkflowConfig],
) -> MethodSyncNoParam[SelfType, DynamicWorkflowConfig]:
    """Decorator of the method of a dynamic workflow that configures a run."""
    if inspect.iscoroutinefunction(fn):
        raise ValueError("Workflow dynamic_config method must be synchronous")
    if len(inspect.signature(fn).parameters) != 1:
        raise ValueError("Workflow dynamic_config method must only take self parameter")
    setattr(fn, _CONFIG, True)
    return fn


@dataclass
class _Definition:
    """A workflow class, read once by its decorator."""

    name: str | None
    cls: type
    run_fn: Callable[..., Awaitable[Any]]
    takes_arguments: bool
    signals: Mapping[str | None, _SignalDefinition]
    queries: Mapping[str | None, _QueryDefinition]
    updates: Mapping[str | None, _UpdateDefinition]
    dynamic_config_fn: Callable[..., DynamicWorkflowConfig] | None
    sandboxed: bool = True
    failure_exception_types: Sequence[type[BaseException]] = ()
    versioning_behavior: chimera.common.VersioningBehavior = (
        chimera.common.VersioningBehavior.UNSPECIFIED
    )
    arg_types: list[type] | None = field(init=False)
    ret_type: type | None = field(init=False)

    def __post_init__(self) -> None:
        self.arg_types, self.ret_type = chimera.common._type_hints_from_func(self.run_fn)
        if self.name is None and self.arg_types != [Sequence[chimera.common.RawValue]]:
            raise TypeError(
                "Dynamic workflow must accept a single Sequence[temporalio.common.RawValue]"
            )

    @staticmethod
    def from_class(cls: type) -> _Definition | None:
        return vars(cls).get(_DEFINITION) if isinstance(cls, type) else None

    @staticmethod
    def must_from_class(cls: type) -> _Definition:
        definition = _Definition.from_class(cls)
        if definition is None:
            name = getattr(cls, "__name__", "<unknown>")
            raise ValueError(
                f"Workflow {name} missing attributes, was it decorated with @workflow.defn?"
            )
        return definition

    @staticmethod
    def from_run_fn(fn: Callable[..., Any]) -> _Definition | None:
        return getattr(fn, _DEFINITION, None)

    @staticmethod
    def must_from_run_fn(fn: Callable[..., Any]) -> _Definition:
        definition = _Definition.from_run_fn(fn)
        if definition is None:
            name = getattr(fn, "__qualname__", "<unknown>")
            raise ValueError(
                f"Function {name} missing attributes, was it decorated with @workflow.run and "
                "was its class decorated with @workflow.defn?"
            )
        return definition

    @classmethod
    def get_name_and_result_type(
        cls, name_or_run_fn: str | Callable[..., Awaitable[Any]]
    ) -> tuple[str, type | None]:
        if isinstance(name_or_run_fn, str):
            return name_or_run_fn, None
        if not callable(name_or_run_fn):
            raise TypeError("Workflow must be a string or callable")
        definition = cls.must_from_run_fn(name_or_run_fn)
        if definition.name is None:
            raise ValueError("Cannot invoke dynamic workflow explicitly")
        return definition.name, definition.ret_type


_KINDS = ("signal", "query", "update")


def _handler_of(member: Any) -> HandlerDefinition | None:
    found = _SignalDefinition.from_fn(member) or _QueryDefinition.from_fn(member)
    found = found or getattr(member, "_defn", None)
    return found if isinstance(found, HandlerDefinition) else None


class _ClassReader:
    """Collects what the decorators left on a class and its bases, and all that is wrong with it."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.issues: list[str] = []
        self.run_fn: Any = None
        self.saw_run = False
        self.config: Any = None
        self.handlers: dict[str, dict[str | None, Any]] = {kind: {} for kind in _KINDS}

    def read(self, workflow_type: str | None) -> _Definition:
        if _Definition.from_class(self.cls):
            raise ValueError("Class already contains workflow definition")
        for name, member in self._members():
            if hasattr(member, _RUN):
                self._see_run(name, member)
            elif hasattr(member, _CONFIG):
                self._see_config(member, workflow_type)
            elif (handler := _handler_of(member)) is not None:
                self._see_handler(name, handler)
        for base in self.cls.__mro__[1:]:
            self._check_base(base)
        init_fn: Any = self.cls.__init__  # type: ignore[misc]  # Of this very class.
        takes_arguments = hasattr(init_fn, _INIT)
        if not self.saw_run:
            self.issues.append("Missing @workflow.run method")
        if takes_arguments and self.run_fn and not _same_parameters(init_fn, self.run_fn):
            self.issues.append("@workflow.init and @workflow.run method parameters do not match")
        self._raise_issues()
        return _Definition(
            workflow_type,
            self.cls,
            self.run_fn,
            takes_arguments,
            self.handlers["signal"],
            self.handlers["query"],
            self.handlers["update"],
            self.config,
        )

    def _members(self) -> list[tuple[str, Any]]:
        """Attributes as instances see them, by name: one walk over the classes, no getattr."""
        members: dict[str, Any] = {}
        for cls in reversed(self.cls.__mro__[:-1]):
            members.update(vars(cls))
        return sorted(members.items())

    def _see_run(self, name: str, member: Any) -> None:
        self.saw_run = True
        if not _is_method_of(member, self.cls):
            self.issues.append(
                f"@workflow.run method {name} must be defined on {self.cls.__qualname__}"
            )
        elif self.run_fn is not None:
            self.issues.append(
                "Multiple @workflow.run methods found "
                f"(at least on {name} and {self.run_fn.__name__})"
            )
        else:
            self.run_fn = member

    def _see_config(self, member: Any, workflow_type: str | None) -> None:
        if workflow_type:
            self.issues.append(
                "@workflow.dynamic_config can only be used in dynamic workflows, but workflow "
                f"class {workflow_type} ({self.cls.__name__}) is not dynamic"
            )
        if self.config:
            self.issues.append("@workflow.dynamic_config can only be defined once per workflow")
        self.config = member

    def _see_handler(self, name: str, handler: HandlerDefinition) -> None:
        known = self.handlers[handler.kind]
        other = known.get(handler.name)
        validator = getattr(handler, "validator", None)
        if other is not None:
            self.issues.append(
                f"Multiple {handler.kind} methods found for {handler.name or '<dynamic>'} "
                f"(at least on {name} and {other.fn.__name__})"
            )
        elif validator and not _same_parameters(handler.fn, validator):
            self.issues.append(
                f"Update validator method {validator.__name__} parameters do not match update "
                f"method {handler.fn.__name__} parameters"
            )
        else:
            known[handler.name] = handler

    def _check_base(self, base: type) -> None:
        """What a base decorates, an override has to decorate, too."""
        for _, member in sorted(vars(base).items()):
            if not _is_method_of(member, base):
                continue
            if hasattr(member, _RUN):
                self.saw_run = True
                overridden = self.run_fn and self.run_fn.__name__ == member.__name__
                kind = None if overridden else "run"
            else:
                handler = _handler_of(member)
                missing = handler and handler.name not in self.handlers[handler.kind]
                kind = handler.kind if handler and missing else None
            if kind:
                self.issues.append(
                    f"@workflow.{kind} defined on {member.__qualname__} but not on the override"
                )

    def _raise_issues(self) -> None:
        if len(self.issues) == 1:
            raise ValueError(f"Invalid workflow class: {self.issues[0]}")
        if self.issues:
            reasons = ", ".join(self.issues)
            raise ValueError(f"Invalid workflow class for {len(self.issues)} reasons: {reasons}")


def _same_parameters(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    def shape(fn: Callable[..., Any]) -> list[inspect.Parameter]:
        return [p.replace(name="x") for p in inspect.signature(fn).parameters.values()]

    return shape(one) == shape(other)


def _is_method_of(fn: Any, cls: type) -> bool:
    """Whether a function was written in the body of this class, not given to it later."""
    return (
        inspect.isfunction(fn)
        and fn.__module__ == cls.__module__
        and fn.__qualname__.rsplit(".", 1)[0] == cls.__name__
    )
