"""Names of the workflow sandbox. There is none in this version: workflows run unsandboxed.

Restrictions can be made and combined, so that programs which configure a sandbox run; they restrict
nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import chimera.workflow
from chimera.worker._runner import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from chimera.worker._unsandboxed import UnsandboxedWorkflowRunner


class RestrictedWorkflowAccessError(chimera.workflow.NondeterminismError):
    """Sandboxed code used what it must not. Never raised without a sandbox."""

    def __init__(self, qualified_name: str, *, override_message: str | None = None) -> None:
        """`qualified_name` is what was used."""
        super().__init__(override_message or self.default_message(qualified_name))
        self.qualified_name = qualified_name

    @staticmethod
    def default_message(qualified_name: str) -> str:
        """The message where there is no other."""
        return f"Cannot access {qualified_name} from inside a workflow."


class UnintentionalPassthroughError(chimera.workflow.NondeterminismError):
    """A module was shared with sandboxed code unasked. Never raised without a sandbox."""

    def __init__(self, qualified_name: str, *, override_message: str | None = None) -> None:
        """`qualified_name` is the module."""
        super().__init__(override_message or self.default_message(qualified_name))
        self.qualified_name = qualified_name

    @staticmethod
    def default_message(qualified_name: str) -> str:
        """The message where there is no other."""
        return f"Module {qualified_name} was not intentionally passed through to the sandbox."


@dataclass(frozen=True)
class SandboxMatcher:
    """A tree of names."""

    access: frozenset[str] | set[str] = frozenset()
    use: frozenset[str] | set[str] = frozenset()
    children: Mapping[str, SandboxMatcher] = field(default_factory=dict)
    match_self: bool = False
    only_runtime: bool = False
    leaf_message: str | None = None
    leaf_warning: type[Warning] | None = None
    exclude: frozenset[str] | set[str] = frozenset()

    all: ClassVar[SandboxMatcher]
    none: ClassVar[SandboxMatcher]
    all_uses: ClassVar[SandboxMatcher]
    all_runtime: ClassVar[SandboxMatcher]
    all_uses_runtime: ClassVar[SandboxMatcher]

    @classmethod
    def nested_child(cls, path: Sequence[str], child: SandboxMatcher) -> SandboxMatcher:
        """A matcher with another one below a path."""
        for name in reversed(path):
            child = SandboxMatcher(children={name: child})
        return child

    def __or__(self, other: SandboxMatcher) -> SandboxMatcher:
        """Both."""
        children = dict(self.children)
        for name, child in other.children.items():
            children[name] = children[name] | child if name in children else child
        return SandboxMatcher(
            access=self.access | other.access,
            use=self.use | other.use,
            children=children,
            match_self=self.match_self or other.match_self,
            only_runtime=self.only_runtime or other.only_runtime,
            leaf_message=self.leaf_message or other.leaf_message,
            leaf_warning=self.leaf_warning or other.leaf_warning,
            exclude=self.exclude | other.exclude,
        )

    def __post_init__(self) -> None:
        """Refuse leaf settings of what is no leaf."""
        for name in ("leaf_message", "leaf_warning"):
            if getattr(self, name) and not self.match_self:
                raise ValueError(f"Cannot set {name} without match_self")

    def access_matcher(
        self, context: Any, *child_path: str, include_use: bool = False
    ) -> SandboxMatcher | None:
        """The matcher that forbids the access to a path, if one does. `context.is_runtime` tells a running workflow
        from an import; `include_use` counts as access what may only not be used."""
        at: SandboxMatcher | None = self
        for name in child_path:
            if at is None or name in at.exclude or not at._in_force(context):
                return None
            if at.match_self or at._names(name, include_use):
                return at
            at = at._below(name)
        return at if at is not None and at.match_self and at._in_force(context) else None

    def match_access(self, context: Any, *child_path: str, include_use: bool = False) -> bool:
        """Whether the access to a path is forbidden."""
        return self.access_matcher(context, *child_path, include_use=include_use) is not None

    def child_matcher(self, *child_path: str) -> SandboxMatcher | None:
        """The matcher for what is below a path; `all` where the path itself is forbidden, in access or in use."""
        at: SandboxMatcher | None = self
        for name in child_path:
            if at is None or name in at.exclude:
                return None
            if at.match_self or at._names(name, include_use=True):
                return SandboxMatcher.all_runtime if at.only_runtime else SandboxMatcher.all
            at = at._below(name)
        return at

    def _in_force(self, context: Any) -> bool:
        return context.is_runtime or not self.only_runtime

    def _names(self, name: str, include_use: bool) -> bool:
        names = self.access | self.use if include_use else self.access
        return name in names or "*" in names

    def _below(self, name: str) -> SandboxMatcher | None:
        return self.children.get(name) or self.children.get("*")

    def with_child_unrestricted(self, *child_path: str) -> SandboxMatcher:
        """The matcher without what is below a path."""
        if not child_path:
            return self
        first, rest = child_path[0], child_path[1:]
        children = dict(self.children)
        if rest and first in children:
            children[first] = children[first].with_child_unrestricted(*rest)
        elif not rest:
            children.pop(first, None)
        return dataclasses.replace(
            self,
            access=frozenset(self.access) - {first},
            use=frozenset(self.use) - {first},
            children=children,
            exclude=frozenset(self.exclude) | (frozenset() if rest else {first}),
        )


SandboxMatcher.none = SandboxMatcher()
SandboxMatcher.all = SandboxMatcher(match_self=True)
SandboxMatcher.all_uses = SandboxMatcher(use={"*"})
SandboxMatcher.all_runtime = SandboxMatcher(match_self=True, only_runtime=True)
SandboxMatcher.all_uses_runtime = SandboxMatcher(use={"*"}, only_runtime=True)


@dataclass(frozen=True)
class SandboxRestrictions:
    """What sandboxed code may import and use."""

    passthrough_modules: set[str]
    invalid_modules: SandboxMatcher
    invalid_module_members: SandboxMatcher
    passthrough_all_modules: bool = False
    import_notification_policy: chimera.workflow.SandboxImportNotificationPolicy = (
        chimera.workflow.SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    )
    disable_lazy_sys_module_passthrough: bool = False

    passthrough_modules_minimum: ClassVar[set[str]] = {"asyncio", "abc", "typing"}
    passthrough_modules_with_temporal: ClassVar[set[str]] = {"asyncio", "abc", "typing", "chimera"}
    passthrough_modules_maximum: ClassVar[set[str]] = passthrough_modules_with_temporal
    passthrough_modules_default: ClassVar[set[str]] = passthrough_modules_with_temporal
    invalid_module_members_default: ClassVar[SandboxMatcher] = SandboxMatcher()
    default: ClassVar[SandboxRestrictions]

    def with_passthrough_modules(self, *modules: str) -> SandboxRestrictions:
        """With more modules shared."""
        return dataclasses.replace(
            self, passthrough_modules=self.passthrough_modules | set(modules)
        )

    def with_passthrough_all_modules(self) -> SandboxRestrictions:
        """With all modules shared."""
        return dataclasses.replace(self, passthrough_all_modules=True)

    def with_import_notification_policy(
        self, policy: chimera.workflow.SandboxImportNotificationPolicy
    ) -> SandboxRestrictions:
        """With another policy."""
        return dataclasses.replace(self, import_notification_policy=policy)


SandboxRestrictions.default = SandboxRestrictions(
    passthrough_modules=set(SandboxRestrictions.passthrough_modules_default),
    invalid_modules=SandboxMatcher.none,
    invalid_module_members=SandboxRestrictions.invalid_module_members_default,
)


@dataclass(frozen=True)
class SandboxedWorkflowRunner(WorkflowRunner):
    """The default runner. In this version it runs workflows with the modules of the worker."""

    restrictions: SandboxRestrictions = SandboxRestrictions.default
    runner_class: type[WorkflowRunner] = UnsandboxedWorkflowRunner
    _worker_level_failure_exception_types: Sequence[type[BaseException]] = field(
        default_factory=list, init=False
    )

    def prepare_workflow(self, defn: chimera.workflow._Definition) -> None:
        """Nothing to prepare."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """An instance that is not sandboxed."""
        from chimera.worker._run import Run

        return Run(det)


__all__ = [
    "RestrictedWorkflowAccessError",
    "SandboxMatcher",
    "SandboxRestrictions",
    "SandboxedWorkflowRunner",
    "UnintentionalPassthroughError",
]

