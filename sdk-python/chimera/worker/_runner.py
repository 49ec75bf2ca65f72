"""How a worker makes the object that runs a workflow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import chimera.converter
import chimera.workflow
from chimera.worker._interceptor import WorkflowInboundInterceptor

if TYPE_CHECKING:
    from chimera._border import Activation
    from chimera.api.common.v1 import Payloads
    from chimera.api.failure.v1 import Failure

_NO_FLAGS: frozenset[int] = frozenset()  # One for all runs.


@dataclass(frozen=True)
class PatchActivationInput:
    """For a worker's `patch_activation_callback`."""

    workflow_info: chimera.workflow.Info
    patch_id: str


@dataclass(frozen=True, slots=True)
class WorkflowInstanceDetails:
    """All that a run is made of."""

    payload_converter_factory: Callable[[], chimera.converter.PayloadConverter]
    failure_converter_class: type[chimera.converter.FailureConverter]
    interceptor_classes: Sequence[type[WorkflowInboundInterceptor]]
    defn: chimera.workflow._Definition
    info: chimera.workflow.Info
    randomness_seed: int
    extern_functions: Mapping[str, Callable]
    disable_eager_activity_execution: bool
    worker_level_failure_exception_types: Sequence[type[BaseException]]
    patch_activation_callback: Callable[[PatchActivationInput], bool] | None
    last_completion_result: Payloads
    last_failure: Failure | None
    default_workflow_logic_flags: frozenset[int] = field(default_factory=lambda: _NO_FLAGS)

    messages_for_codec: bool = False
    """Leave messages in commands as they are, for a codec to change, instead of serializing."""


@dataclass(slots=True)
class Completion:
    """The answer to an activation. `contexts` go with `commands` by index; a function makes its context when asked."""

    commands: list[Any]  # Of _border.Command; None is a place kept for one that did not come.
    contexts: list[
        chimera.converter.SerializationContext | Callable[[], chimera.converter.SerializationContext] | None
    ]
    used_internal_flags: list[int]
    versioning_behavior: int = 0
    failure: Failure | None = None
    """Set if the task failed; the rest does not count then."""
    places: list[str] | None = None
    """In replay, where the code issued each command."""

    def note_place(self, place: str) -> None:
        if self.places is None:
            self.places = []
        self.places.append(place)

    def drop_gaps(self) -> None:
        """Drop the places that were kept for commands that did not come."""
        if None not in self.commands:
            return
        here = [index for index, command in enumerate(self.commands) if command is not None]
        self.commands = [self.commands[index] for index in here]
        self.contexts = [self.contexts[index] for index in here]
        if self.places:
            self.places = [self.places[index] for index in here]


class WorkflowInstance(ABC):
    """One run of a workflow in this worker's cache."""

    __slots__ = ()

    @abstractmethod
    def activate(self, act: Activation) -> Completion:
        """Apply an activation and run until code waits."""

    @abstractmethod
    def get_serialization_context(
        self, command_info: Any | None
    ) -> chimera.converter.SerializationContext | None:
        """The context of a command's payloads, given its index; of the run's own for None."""

    @abstractmethod
    def get_external_store_context(
        self, command_info: Any | None
    ) -> chimera.converter.StorageDriverStoreContext:
        """For whom a command's payloads are stored, given the command; the run's own for None."""

    @abstractmethod
    def get_info(self) -> chimera.workflow.Info:
        """About the run."""

    def get_thread_id(self) -> int | None:
        """The thread that activates the run at the moment."""
        return None


class WorkflowRunner(ABC):
    """Makes instances."""

    @abstractmethod
    def prepare_workflow(self, defn: chimera.workflow._Definition) -> None:
        """Called for each workflow when the worker is made; an error here is the worker's."""

    @abstractmethod
    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """An instance for a run."""

    def set_worker_level_failure_exception_types(
        self, types: Sequence[type[BaseException]]
    ) -> None:
        """Told once what the worker's option says."""
