"""The native module: the one core, as Python sees it.

Messages cross as serialized protobuf bytes (a `Payload`, a `Failure`, a request); numbers and names cross as Python
values. Nothing here is public. Blocking functions release the GIL. Callbacks run on the thread that calls `Queue.take`.
At the interpreter's end (atexit) bridges are closed, workers drained and servers stopped, for five seconds at most.
"""

from collections.abc import Callable, Sequence
from typing import Any

from chimera import _border

VERSION: str

class _Counter:
    def add(self, value: int) -> None: ...

class _Gauge:
    def set(self, value: float) -> None: ...

class _Histogram:
    def record(self, value: float) -> None: ...

class Metrics:
    """A runtime's metrics; a Connection counts in the one that its option "metrics" names. Options are
    chimera::core::MetricsOptions by name. Instruments: the same for the same name and tags; ValueError for what
    Prometheus cannot read."""

    def __init__(self, options: dict[str, Any]) -> None: ...
    def text(self) -> str:
        """In Prometheus' text format."""
    def serve(self, address: str) -> int:
        """Answers /metrics, /livez and /readyz at HOST:PORT for as long as this lives; the port. RuntimeError."""
    def report(self, options: dict[str, Any]) -> None:
        """Sends them by OTLP over HTTP for as long as this lives: "endpoint", "headers", "interval_ms", "delta".
        ValueError."""
    def take_updates(self) -> list[tuple[tuple[int, str, str, str, str, list[tuple[str, str]]], float]]:
        """What came since the last call, with the option "buffer" (how many at most): each with its series (a number
        that stays its own, name, help, unit, kind, tags)."""
    def counter(self, name: str, help: str, tags: list[tuple[str, str]], unit: str = "") -> _Counter: ...
    def gauge(self, name: str, help: str, tags: list[tuple[str, str]], unit: str = "") -> _Gauge: ...
    def histogram(
        self, name: str, help: str, tags: list[tuple[str, str]], bounds: list[float], unit: str = ""
    ) -> _Histogram: ...

def set_log_level(name: str) -> None:
    """Of the process. TRACE, DEBUG, INFO, WARN, ERROR or OFF; ValueError for another."""

def forward_logs(queue: Queue | None, callback: Callable[[int, str, str, dict[str, str], float], None] | None) -> None:
    """Each line goes to `callback(level, logger, message, fields, seconds)` through the queue; None: to stderr again.
    The level counts trace, debug, info, warn, error from 0."""

class RpcError(Exception):
    """args: (message, gRPC code, serialized google.rpc.Status or b"")."""

class Queue:
    """Where the core leaves work for one Python thread (usually an asyncio loop).

    `fileno()` is an eventfd that becomes readable when something was left; add it to the loop's readers once. `take()`
    returns everything there is, in order, without blocking; each item is (callback, args) and the caller runs
    `callback(*args)`. One wake-up therefore serves a whole batch.
    """

    def __init__(self) -> None: ...
    def fileno(self) -> int: ...
    def take(self) -> list[tuple[Callable[..., None], tuple[Any, ...]]]: ...

class Connection:
    """Shared by clients and workers. Options are chimera::core::ConnectionOptions by name; times in milliseconds."""

    @staticmethod
    def connect(
        options: dict[str, Any], queue: Queue, done: Callable[[Connection | None, Exception | None], None]
    ) -> None: ...
    def call(
        self,
        method: str,
        request: bytes,
        retry: bool,
        timeout_ms: int,
        metadata: Sequence[tuple[str, str | bytes]],
        namespace: str,
        queue: Queue,
        done: Callable[[bytes | None, Exception | None], None],
    ) -> Callable[[], None]:
        """`method` is the RPC's full path. Returns a function that cancels. timeout_ms 0: the default."""
    def reserve_workflow_slot(
        self, namespace: str, task_queue: str, queue: Queue, done: Callable[[WorkflowSlot | None, None], None]
    ) -> None:
        """Of a worker on this connection, for the task that the reply to a start may bring: None when no slot is free.
        Waits for workers that have announced their start."""
    def identity(self) -> str: ...
    def set_metadata(self, metadata: Sequence[tuple[str, str | bytes]]) -> None: ...
    def set_api_key(self, key: str) -> None: ...

def border_source() -> str:
    """What chimera/_border.py, the classes of activations, jobs and commands, has to be for this build."""

class RunHandle:
    """A cached run: the same object until the run leaves the cache. Any thread."""

    @property
    def run_id(self) -> str: ...
    @property
    def workflow_type(self) -> str: ...
    state: Any
    """Python's half of the run; None at first."""
    def complete(
        self,
        commands: list[_border.Command],
        used_internal_flags: list[int],
        versioning_behavior: int,
        places: list[str],
    ) -> None:
        """`places` says where the code issued each command, for reports; empty if that is not known. TypeError or
        ValueError, naming the command and its field, for what cannot be sent: the activation still waits then."""
    def fail(self, failure: bytes, cause: int) -> None:
        """The task fails, not the workflow; cause is WorkflowTaskFailedCause."""

class WorkflowBridge:
    """Python as a chimera::core::WorkflowLanguage. `activate(run, activation)` is called through the queue for each
    activation and must lead to exactly one complete() or fail() of that run, at once or later. ImportError if
    chimera._border does not fit."""

    def __init__(
        self,
        queue: Queue,
        activate: Callable[[RunHandle, _border.Activation], None],
        drop: Callable[[RunHandle], None],
    ) -> None:
        """`drop(run)` says that the run ended and its instance can go without an eviction."""
    def close(self) -> None:
        """Lets go of the callbacks; any thread. What is outstanding, and what comes, fails its task; answers that come
        have no effect."""

class ActivityBridge:
    """Python as a chimera::core::ActivityLanguage. `cancel(token, flags)` gets a tuple of bools (not_found, cancelled,
    paused, timed_out, worker_shutdown, reset). ImportError if chimera._border does not fit."""

    def __init__(
        self, queue: Queue, start: Callable[[_border.ActivityTask], None], cancel: Callable[[bytes, tuple], None]
    ) -> None: ...
    def heartbeat(self, token: bytes, details: list[bytes]) -> None: ...
    def complete(self, ends: list[tuple[bytes, str, Any]]) -> None:
        """Each: token, status, value; status "completed" (P or None), "failed" (F), "cancelled" ([P]), "async" (None).
        ValueError for what cannot be sent or is not running; the others have ended even so."""
    def close(self) -> None:
        """Lets go of the callbacks; any thread. What runs, and what comes, is left to its timeout; answers that come
        have no effect."""

class NexusBridge:
    """Python as a chimera::core::NexusLanguage. `cancel(token, reason)` gets a number of
    coresdk.nexus.NexusTaskCancelReason. ImportError if chimera._border does not fit."""

    def __init__(
        self, queue: Queue, start: Callable[[_border.NexusTask], None], cancel: Callable[[bytes, int], None]
    ) -> None: ...
    def complete(self, token: bytes, status: str, value: bytes | None) -> None:
        """`status` is "completed" (a nexus Response), "failed" (F) or, after a cancellation, "cancelled" (None).
        ValueError for what cannot be sent or is not running."""
    def close(self) -> None:
        """Lets go of the callbacks; any thread. Callers of what runs, and of what comes, are told to try again; answers
        that come have no effect."""

class Codec:
    """A codec of the core, which Python and native libraries share. Immutable; payloads are serialized Payloads."""

    @staticmethod
    def aes_gcm(key_id: str, keys: dict[str, bytes]) -> Codec:
        """ValueError if a key is not of 32 bytes or `key_id` is not among them."""
    @staticmethod
    def redaction(fields: list[str], key_id: str, keys: dict[str, bytes]) -> Codec:
        """The same, and for a malformed field."""
    @staticmethod
    def encoding_common_attributes(codec: Codec | None) -> Codec:
        """The same codec, for native libraries that hide messages and stack traces of failures, too."""
    def encode(self, payloads: bytes) -> bytes: ...
    def decode(self, payloads: bytes) -> bytes: ...

class SlotReservation:
    """Someone who waits for a slot."""

    def grant(self, permit: object) -> bool:
        """False if nobody waits any more: then it was not taken."""
    def fail(self, why: str) -> None:
        """The supplier is asked again in a second."""
    def on_cancel(self, queue: Queue, callback: Callable[[], object]) -> None: ...

class SlotSupplier:
    """A user's slots of one kind. A context is (sticky, task queue, identity, build id, deployment name), a use (type
    of the workflow or activity or name of the service, sticky, the service's operation).

    All but `try_reserve` are called by the queue; that one on any thread."""

    def __init__(
        self,
        reserve: Callable[[tuple, SlotReservation], None],
        try_reserve: Callable[[tuple], object | None],
        mark_used: Callable[[tuple, Any], None],
        release: Callable[[tuple | None, Any], None],
    ) -> None: ...
    def open(self, queue: Queue) -> None: ...
    def close(self) -> None: ...

class Worker:
    """Options are chimera::core::WorkerOptions by name; times in milliseconds."""

    def __init__(self, connection: Connection, options: dict[str, Any]) -> None: ...
    def add_workflow(self, workflow_type: str, bridge: WorkflowBridge) -> None: ...
    def add_activity(self, activity_type: str, bridge: ActivityBridge) -> None: ...
    def add_nexus_service(self, service: str, bridge: NexusBridge) -> None: ...
    def add_dynamic_workflow(self, bridge: WorkflowBridge) -> None: ...
    def add_dynamic_activity(self, bridge: ActivityBridge) -> None: ...
    def nondeterminism_fails_workflow(self, workflow_type: str) -> None: ...
    def add_native_library(self, path: str, codec: Codec | None = None) -> list[str]:
        """Loads a C++ worker library and registers what it defines; returns the names, for messages.

        The codec of the first library is that of all."""
    def start(self, queue: Queue, done: Callable[[Exception | None], None]) -> None: ...
    def initiate_shutdown(self) -> None: ...
    def announce(self) -> None:
        """Eager starts over the connection wait from now on until `start` has ended, or the worker."""
    def replace_connection(self, connection: Connection) -> None: ...
    def wait(self, queue: Queue, done: Callable[[Exception | None], None]) -> None: ...

class WorkflowSlot:
    """A kept slot. The worker's end waits for `run` or `release`."""

    def deployment(self) -> bytes | None:
        """The worker's serialized WorkerDeploymentOptions, if it has any."""
    def run(self, task: bytes) -> None: ...
    def release(self) -> None: ...

class Replayer:
    """Replays histories without a server. `done(eviction_reason, message)` once per history."""

    def __init__(self, options: dict[str, Any], bridge: WorkflowBridge) -> None: ...
    def replay(self, workflow_id: str, history: bytes, queue: Queue, done: Callable[[int, str], None]) -> None: ...

class Server:
    """The embedded server. Options are chimera::server::ServerOptions by name."""

    def __init__(self, options: dict[str, Any]) -> None: ...
    def port(self) -> int: ...
    def stop(self) -> None: ...
