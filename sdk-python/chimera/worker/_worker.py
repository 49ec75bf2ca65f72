"""Worker: serves a task queue with workflows and activities."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

import chimera.common as common
from chimera.worker import _custom_slots
from chimera.worker._activity_worker import ActivityWorker
from chimera.worker._build_id import load_default_build_id
from chimera.worker._interceptor import Interceptor
from chimera.worker._plugin import Plugin
from chimera.worker._runner import PatchActivationInput, WorkflowRunner
from chimera.worker._shared_state import SharedStateManager
from chimera.worker._tuning import (
    PollerBehavior,
    PollerBehaviorSimpleMaximum,
    WorkerTuner,
)
from chimera.worker._unsandboxed import UnsandboxedWorkflowRunner
from chimera.worker._workflow_worker import WorkflowWorker
from chimera.worker.workflow_sandbox import SandboxedWorkflowRunner

if TYPE_CHECKING:
    import chimera.client
    from chimera import _bridge
    from chimera.worker._nexus_worker import NexusWorker

logger = logging.getLogger("temporalio.worker._worker")


@dataclass
class WorkerDeploymentConfig:
    """The worker deployment version that a worker belongs to."""

    version: common.WorkerDeploymentVersion
    use_worker_versioning: bool
    default_versioning_behavior: common.VersioningBehavior = common.VersioningBehavior.UNSPECIFIED


class WorkerConfig(TypedDict, total=False):
    """Options of a worker, as plugins see them."""

    client: chimera.client.Client
    task_queue: str
    activities: Sequence[Callable]
    nexus_service_handlers: Sequence[Any]
    workflows: Sequence[type]
    native: Sequence[str]
    activity_executor: concurrent.futures.Executor | None
    workflow_task_executor: concurrent.futures.ThreadPoolExecutor | None
    nexus_task_executor: concurrent.futures.ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    build_id: str | None
    identity: str | None
    max_cached_workflows: int
    max_concurrent_workflow_tasks: int | None
    max_concurrent_activities: int | None
    max_concurrent_local_activities: int | None
    max_concurrent_nexus_tasks: int | None
    tuner: WorkerTuner | None
    max_concurrent_workflow_task_polls: int | None
    nonsticky_to_sticky_poll_ratio: float
    max_concurrent_activity_task_polls: int | None
    no_remote_activities: bool
    sticky_queue_schedule_to_start_timeout: timedelta
    max_heartbeat_throttle_interval: timedelta
    default_heartbeat_throttle_interval: timedelta
    max_activities_per_second: float | None
    max_task_queue_activities_per_second: float | None
    max_eager_activity_reservations_per_workflow_task: int
    graceful_shutdown_timeout: timedelta
    plugin_shutdown_timeout: timedelta | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    shared_state_manager: SharedStateManager | None
    debug_mode: bool
    disable_eager_activity_execution: bool
    on_fatal_error: Callable[[BaseException], Awaitable[None]] | None
    use_worker_versioning: bool
    disable_safe_workflow_eviction: bool
    deployment_config: WorkerDeploymentConfig | None
    patch_activation_callback: Callable[[PatchActivationInput], bool] | None
    workflow_task_poller_behavior: PollerBehavior
    activity_task_poller_behavior: PollerBehavior
    nexus_task_poller_behavior: PollerBehavior
    disable_payload_error_limit: bool
    max_workflow_task_external_storage_concurrency: int


class Worker:
    """Polls a task queue and runs what is registered, until it is shut down.

    Used on one event loop. `native` names C++ libraries whose workflows and activities run beside
    those given here.
    """

    def __init__(
        self,
        client: chimera.client.Client,
        *,
        task_queue: str,
        activities: Sequence[Callable] = [],
        nexus_service_handlers: Sequence[Any] = [],
        workflows: Sequence[type] = [],
        native: Sequence[str] = [],
        activity_executor: concurrent.futures.Executor | None = None,
        workflow_task_executor: concurrent.futures.ThreadPoolExecutor | None = None,
        nexus_task_executor: concurrent.futures.ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = SandboxedWorkflowRunner(),
        unsandboxed_workflow_runner: WorkflowRunner = UnsandboxedWorkflowRunner(),
        plugins: Sequence[Plugin] = [],
        interceptors: Sequence[Interceptor] = [],
        build_id: str | None = None,
        identity: str | None = None,
        max_cached_workflows: int = 1000,
        max_concurrent_workflow_tasks: int | None = None,
        max_concurrent_activities: int | None = None,
        max_concurrent_local_activities: int | None = None,
        max_concurrent_nexus_tasks: int | None = None,
        tuner: WorkerTuner | None = None,
        max_concurrent_workflow_task_polls: int | None = None,
        nonsticky_to_sticky_poll_ratio: float = 0.2,
        max_concurrent_activity_task_polls: int | None = None,
        no_remote_activities: bool = False,
        sticky_queue_schedule_to_start_timeout: timedelta = timedelta(seconds=10),
        max_heartbeat_throttle_interval: timedelta = timedelta(seconds=60),
        default_heartbeat_throttle_interval: timedelta = timedelta(seconds=30),
        max_activities_per_second: float | None = None,
        max_task_queue_activities_per_second: float | None = None,
        max_eager_activity_reservations_per_workflow_task: int = 3,
        graceful_shutdown_timeout: timedelta = timedelta(),
        plugin_shutdown_timeout: timedelta | None = timedelta(seconds=60),
        workflow_failure_exception_types: Sequence[type[BaseException]] = [],
        shared_state_manager: SharedStateManager | None = None,
        debug_mode: bool = False,
        disable_eager_activity_execution: bool = False,
        on_fatal_error: Callable[[BaseException], Awaitable[None]] | None = None,
        use_worker_versioning: bool = False,
        disable_safe_workflow_eviction: bool = False,
        deployment_config: WorkerDeploymentConfig | None = None,
        patch_activation_callback: Callable[[PatchActivationInput], bool] | None = None,
        workflow_task_poller_behavior: PollerBehavior = PollerBehaviorSimpleMaximum(maximum=5),
        activity_task_poller_behavior: PollerBehavior = PollerBehaviorSimpleMaximum(maximum=5),
        nexus_task_poller_behavior: PollerBehavior = PollerBehaviorSimpleMaximum(maximum=5),
        disable_payload_error_limit: bool = False,
        max_workflow_task_external_storage_concurrency: int = 3,
    ) -> None:
        """Check the options. Nothing is sent before `run`."""
        config: Any = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        own = list(plugins)
        from_client: list[Plugin] = [p for p in client.config()["plugins"] if isinstance(p, Plugin)]
        for plugin in from_client:
            if type(plugin) in [type(p) for p in own]:
                warnings.warn(
                    f"The same plugin type {type(plugin)} is present from both client and worker. "
                    "It may run twice and may not be the intended behavior."
                )
        self._initial_config: WorkerConfig = dict(config)  # type: ignore
        self._plugins = from_client + own
        for plugin in self._plugins:
            config = plugin.configure_worker(config)
        self._config: WorkerConfig = config
        self._shutdown_event = asyncio.Event()
        self._shutdown_complete = asyncio.Event()
        self._started = False
        self._fatal: BaseException | None = None
        self._body_task: asyncio.Task | None = None
        self._run_task: asyncio.Task | None = None
        self._run_error: BaseException | None = None
        self._ending: asyncio.Future | None = None  # What a cancelled start left to do.
        self._exiting = False
        self._prepare()

    def _prepare(self) -> None:
        """Everything that can be wrong is found here, at construction."""
        config = self._config
        _check(config)
        active = config["client"].config(active_config=True)
        service = _service_of(config["client"])
        interceptors: list[Interceptor] = [i for i in active["interceptors"] if isinstance(i, Interceptor)]
        interceptors += config.get("interceptors", [])
        self._service = service
        common_options = {
            "task_queue": config["task_queue"],
            "data_converter": active["data_converter"],
            "interceptors": interceptors,
            "metric_meter": service._runtime.metric_meter,
        }
        codec_behavior = active["header_codec_behavior"]
        self._activity_worker = self._activity_half(common_options, codec_behavior)
        self._workflow_worker = self._workflow_half(common_options, codec_behavior)
        self._nexus_worker = self._nexus_half(common_options)
        from chimera import _bridge, _native

        _native.check_process("create worker")
        options = _core_options(config) | service._runtime._worker_options
        options["plugins"] = [plugin.name() for plugin in self._plugins]
        options["storage_drivers"] = _storage_drivers(active["data_converter"])
        self._slots = _custom_slots.suppliers(config)
        options |= {name: each.bridge for name, each in self._slots.items()}
        self._core: _bridge.Worker = _bridge.Worker(service._connection, options)
        if native := config.get("native"):
            codec = _codec_of_native(active["data_converter"])
            for path in native:
                self._core.add_native_library(str(path), codec)

    def _activity_half(
        self, common_options: dict[str, Any], codec_behavior: common.HeaderCodecBehavior
    ) -> ActivityWorker | None:
        config = self._config
        if not config.get("activities"):
            return None
        return ActivityWorker(
            activities=config["activities"],
            activity_executor=config.get("activity_executor"),
            shared_state_manager=config.get("shared_state_manager"),
            client=config["client"],
            code_headers=codec_behavior == common.HeaderCodecBehavior.CODEC,
            on_fatal=self._fail,
            **common_options,
        )

    def _workflow_half(
        self, common_options: dict[str, Any], codec_behavior: common.HeaderCodecBehavior
    ) -> WorkflowWorker | None:
        config = self._config
        if not config.get("workflows"):
            return None
        deployment = config.get("deployment_config")
        return WorkflowWorker(
            namespace=config["client"].namespace,
            workflows=config["workflows"],
            workflow_runner=config["workflow_runner"],
            unsandboxed_workflow_runner=config["unsandboxed_workflow_runner"],
            workflow_failure_exception_types=config["workflow_failure_exception_types"],
            patch_activation_callback=config.get("patch_activation_callback"),
            debug_mode=config["debug_mode"],
            disable_eager_activity_execution=config["disable_eager_activity_execution"],
            disable_safe_eviction=config["disable_safe_workflow_eviction"],
            enforce_versioning_behavior=bool(
                deployment and deployment.use_worker_versioning and not deployment.default_versioning_behavior
            ),
            assert_local_activity_valid=self._check_local_activity,
            code_headers=codec_behavior != common.HeaderCodecBehavior.NO_CODEC,
            **common_options,
        )

    def _nexus_half(self, common_options: dict[str, Any]) -> NexusWorker | None:
        config = self._config
        if not config.get("nexus_service_handlers"):
            return None
        from chimera.worker._nexus_worker import NexusWorker

        return NexusWorker(
            service_handlers=config["nexus_service_handlers"],
            executor=config.get("nexus_task_executor"),
            client=config["client"],
            on_fatal=self._fail,
            **common_options,
        )

    def _check_local_activity(self, name: str) -> None:
        if self._config.get("native"):
            return  # The core knows whether a library has it.
        if self._activity_worker is None:
            raise ValueError(
                f"Activity function {name} is not registered on this worker, "
                "no available activities."
            )
        self._activity_worker.check_registered(name)

    def config(self, *, active_config: bool = False) -> WorkerConfig:
        """The options given, or with `active_config` those that plugins made of them."""
        config: Any = dict(self._config if active_config else self._initial_config)
        config["activities"] = list(config.get("activities", []))
        config["workflows"] = list(config.get("workflows", []))
        return config

    @property
    def task_queue(self) -> str:
        """The queue served."""
        return self._config["task_queue"]

    @property
    def client(self) -> chimera.client.Client:
        """The client that async activities see."""
        return self._config["client"]

    @client.setter
    def client(self, value: chimera.client.Client) -> None:
        """Replace the client. From the next polls on the worker serves the new one's server."""
        service = _service_of(value)
        if service._runtime is not self._service._runtime:
            raise ValueError("New client is not on the same runtime as the existing client")
        self._core.replace_connection(service._connection)
        self._service = service
        self._config["client"] = value
        for half in (self._activity_worker, self._nexus_worker):
            if half:
                half.client = value

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._started and not self.is_shutdown

    @property
    def is_shutdown(self) -> bool:
        """Whether it has ended."""
        return self._shutdown_complete.is_set()

    async def run(self) -> None:
        """Run until `shutdown` is called. Raises what ended the worker otherwise."""
        step: Callable[[Worker], Awaitable[None]] = Worker._run
        for plugin in reversed(self._plugins):
            step = _around(plugin, step)
        await step(self)

    async def _run(self) -> None:
        from chimera import _native

        _native.check_process("use worker")
        if self._started:
            raise RuntimeError("Already started")
        await self._start(_native.queue())
        self._started = True
        ended = asyncio.ensure_future(_native.done_of(self._core.wait))
        # Not by the drain, which may be cancelled: until its end the core has something to ask.
        ended.add_done_callback(lambda _: self._close())
        asked = asyncio.ensure_future(self._shutdown_event.wait())
        error = await self._until(ended, asked)
        logger.info(
            "Beginning worker shutdown, will wait %s before cancelling activities",
            self._config["graceful_shutdown_timeout"],
        )
        asked.cancel()
        try:
            await self._drain(ended)
        finally:
            self._shutdown_complete.set()
        if error is not None:
            raise error

    async def _start(self, queue: _bridge.Queue) -> None:
        from chimera import _native

        starting: asyncio.Future | None = None
        try:
            for half in self._halves():
                half.register_with(self._core, queue)
            for slots in self._slots.values():
                slots.open(queue)
            self._announce()
            starting = asyncio.ensure_future(_native.done_of(self._core.start))
            await asyncio.shield(starting)
        except BaseException as err:
            self._shutdown_complete.set()
            if starting is None:
                self._core.initiate_shutdown()
                self._close()
                raise
            if isinstance(err, Exception):
                self._close()
                raise RuntimeError(f"Worker validation failed: {err.args[0]}") from err
            # Cancelled. The core's half goes on with its start, and is to end right after that.
            self._core.initiate_shutdown()
            self._ending = asyncio.ensure_future(self._end_unwanted(starting))
            raise

    async def _end_unwanted(self, starting: asyncio.Future) -> None:
        """The rest of a worker whose start was cancelled."""
        from chimera import _native

        try:
            with contextlib.suppress(Exception):
                await starting
                await _native.done_of(self._core.wait)
        finally:
            self._close()

    def _close(self) -> None:
        for slots in self._slots.values():
            slots.close()
        for half in self._halves():
            half.close()

    def _halves(self) -> list[WorkflowWorker | ActivityWorker | NexusWorker]:
        """Those that this worker has, by the kinds of tasks."""
        all_halves = (self._workflow_worker, self._activity_worker, self._nexus_worker)
        return [half for half in all_halves if half is not None]

    async def _until(self, ended: asyncio.Future, asked: asyncio.Future) -> BaseException | None:
        """Wait for the end or for the wish for it; the error that was the reason, if one was."""
        try:
            both = [ended, asked]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError as err:
            logger.info("Worker cancelled, shutting down")
            return err
        error = self._fatal
        if error is None and ended.done() and (cause := ended.exception()):
            error = RuntimeError(f"Worker failed: {cause.args[0]}")
            error.__cause__ = cause
        if error is not None:
            logger.error("Worker failed, shutting down", exc_info=error)
            callback = self._config.get("on_fatal_error")
            if callback:
                try:
                    await callback(error)
                except BaseException:
                    logger.warning("Fatal error handler failed", exc_info=True)
        return error

    def _announce(self) -> None:
        """Eager starts by clients that share the connection wait until this worker has started."""
        if self._workflow_worker is not None or self._config.get("native"):
            self._core.announce()

    async def _drain(self, ended: asyncio.Future) -> None:
        self._core.initiate_shutdown()
        for half in self._halves():
            half.notify_shutdown()
        await asyncio.wait([ended])
        ended.exception()  # Known already, or of no interest any more.
        for running in (self._activity_worker, self._nexus_worker):
            if running:
                await running.wait_all_completed()

    def _fail(self, error: BaseException) -> None:
        """End the worker by an error of its own half."""
        self._fatal = self._fatal or error
        self._shutdown_event.set()

    async def shutdown(self) -> None:
        """Ask for the end and wait for it. May be called before `run`."""
        self._shutdown_event.set()
        await self._shutdown_complete.wait()

    async def __aenter__(self) -> Worker:
        """Run beside the body of the block."""
        if self._body_task:
            raise RuntimeError("Already started")
        self._body_task = asyncio.current_task()
        if not self._body_task:
            raise RuntimeError("Can only use async with inside a task")
        self._announce()
        self._run_task = asyncio.create_task(self._run_beside())
        return self

    async def _run_beside(self) -> None:
        try:
            await self.run()
        except BaseException as err:
            self._run_error = err
            if not self._exiting and self._body_task:
                self._body_task.cancel()
        finally:
            self._core.initiate_shutdown()  # If it has not come to its start, none waits for that any more.

    async def __aexit__(self, exc_type: type[BaseException] | None, *args: Any) -> None:
        """Shut down. Raises the worker's error if the body ended because of it."""
        if not self._run_task:
            raise RuntimeError("Never started")
        await self.shutdown()
        self._exiting = True
        limit = self._config.get("plugin_shutdown_timeout", timedelta(seconds=60))
        try:
            timeout = limit.total_seconds() if limit else None
            await asyncio.wait([self._run_task], timeout=timeout)
        finally:
            if not self._run_task.done():
                self._run_task.cancel()
        if exc_type is asyncio.CancelledError and self._run_error:
            raise self._run_error


def _around(plugin: Plugin, step: Callable[[Worker], Awaitable[None]]) -> Any:
    return lambda worker: plugin.run_worker(worker, step)


def _codec_of_native(converter: chimera.converter.DataConverter) -> _bridge.Codec | None:
    """The codec for native libraries, which run without Python. What they cannot do is refused: their payloads would
    otherwise travel unprotected, and what Python wrote could not be read."""
    if converter.external_storage is not None:
        raise ValueError(
            "Native libraries cannot use external storage; use a client whose data converter has none, "
            "or a worker without native libraries"
        )
    codec = converter.payload_codec
    native = getattr(codec, "_native_codec", None)
    if codec is not None and native is None:
        raise ValueError(
            f"Native libraries cannot use the payload codec {type(codec).__qualname__}, which is written in Python; "
            "use one of chimera.contrib.encryption, such as AesGcmCodec, or a worker without native libraries"
        )
    if not getattr(converter.failure_converter, "_encode_common_attributes", False):
        return native
    from chimera import _bridge

    return _bridge.Codec.encoding_common_attributes(native)


def _check(config: WorkerConfig) -> None:
    """Options that exclude each other, and those that this version cannot honour."""
    served = ("activities", "nexus_service_handlers", "workflows", "native")
    deployment = config.get("deployment_config")
    limits = ("workflow_tasks", "activities", "local_activities", "nexus_tasks")
    for wrong, text in (
        (
            not any(config.get(name) for name in served),
            "At least one activity, Nexus service, or workflow must be specified",
        ),
        (
            config.get("use_worker_versioning") and not config.get("build_id"),
            "build_id must be specified when use_worker_versioning is True",
        ),
        (
            deployment and (config.get("build_id") or config.get("use_worker_versioning")),
            "deployment_config cannot be used with build_id or use_worker_versioning",
        ),
        (
            deployment
            and not deployment.use_worker_versioning
            and deployment.default_versioning_behavior,
            "default_versioning_behavior must be UNSPECIFIED when use_worker_versioning is False",
        ),
        (
            config.get("max_workflow_task_external_storage_concurrency", 3) < 1,
            "max_workflow_task_external_storage_concurrency must be positive",
        ),
        (
            config.get("max_eager_activity_reservations_per_workflow_task", 3) < 1,
            (
                "max_eager_activity_reservations_per_workflow_task must be positive; use "
                "disable_eager_activity_execution=True to disable eager activity execution"
            ),
        ),
        (
            not isinstance(config.get("tuner"), (WorkerTuner, type(None))),
            "tuner must be a WorkerTuner: make one with WorkerTuner.create_fixed() and the like",
        ),
        (
            config.get("tuner") and any(config.get(f"max_concurrent_{name}") for name in limits),
            (
                "Cannot specify max_concurrent_workflow_tasks, max_concurrent_activities, "
                "max_concurrent_local_activities, or max_concurrent_nexus_tasks when also specifying tuner"
            ),
        ),
    ):
        if wrong:
            raise ValueError(text)
    if config.get("use_worker_versioning"):
        raise NotImplementedError(
            "use_worker_versioning: build-id based versioning is not supported by this worker yet"
        )
    _check_rates(config)
    _warn_of_small_executor(config, "activity", "activities", "activity_executor")
    if config.get("nexus_service_handlers"):
        _warn_of_small_executor(config, "nexus", "nexus_tasks", "nexus_task_executor")
    if config.get("max_workflow_task_external_storage_concurrency", 3) not in (1, 3):
        warnings.warn(
            "max_workflow_task_external_storage_concurrency has no effect: what one workflow task stores or "
            "retrieves goes one after the other"
        )


def _check_rates(config: WorkerConfig) -> None:
    for name in ("max_activities_per_second", "max_task_queue_activities_per_second"):
        if config.get(name) == 0:
            raise ValueError(
                f"{name} must be positive: 0 would stop activities, of the task queue for all workers; "
                "leave it out for no limit"
            )


def _warn_of_small_executor(config: WorkerConfig, kind: str, tasks: str, name: str) -> None:
    given: Any = config
    threads = getattr(given.get(name), "_max_workers", None)
    wanted = given.get(f"max_concurrent_{tasks}")
    tuner = config.get("tuner")
    if tuner is not None:
        wanted = tuner._most(kind)
    if isinstance(threads, int) and threads < (wanted or 0):
        warnings.warn(
            f"Worker max_concurrent_{tasks} is {wanted} but {name}'s max_workers is only {threads}",
            stacklevel=5,
        )


def _core_options(config: WorkerConfig) -> dict[str, Any]:
    """The options as the core has them: milliseconds, and 0 for no limit."""
    tuner = config.get("tuner") or WorkerTuner.create_fixed(
        workflow_slots=config.get("max_concurrent_workflow_tasks"),
        activity_slots=config.get("max_concurrent_activities"),
        local_activity_slots=config.get("max_concurrent_local_activities"),
        nexus_slots=config.get("max_concurrent_nexus_tasks"),
    )
    options: dict[str, Any] = {
        "namespace": config["client"].namespace,
        "task_queue": config["task_queue"],
        "build_id": config.get("build_id") or load_default_build_id(),
        "max_cached_workflows": config["max_cached_workflows"],
        "max_concurrent_workflow_tasks": _slots(tuner, "workflow"),
        "max_concurrent_activities": _slots(tuner, "activity"),
        "max_concurrent_local_activities": _slots(tuner, "local_activity"),
        "max_concurrent_nexus_tasks": _slots(tuner, "nexus"),
        "resource_tuner": tuner._resource_based(),
        "nonsticky_to_sticky_poll_ratio": config["nonsticky_to_sticky_poll_ratio"],
        "no_remote_activities": config["no_remote_activities"],
        "disable_eager_activity_execution": config["disable_eager_activity_execution"],
        "disable_payload_error_limit": config["disable_payload_error_limit"],
        "max_activities_per_second": config.get("max_activities_per_second") or 0.0,
        "max_task_queue_activities_per_second": (
            config.get("max_task_queue_activities_per_second") or 0.0
        ),
        "max_eager_activity_reservations_per_workflow_task": (
            config["max_eager_activity_reservations_per_workflow_task"]
        ),
        "max_concurrent_workflow_task_polls": _polls(config, "workflow"),
        "max_concurrent_activity_task_polls": _polls(config, "activity"),
        "max_concurrent_nexus_task_polls": _polls(config, "nexus"),
        "workflow_poll_autoscaling": _autoscaling(config, "workflow"),
        "activity_poll_autoscaling": _autoscaling(config, "activity"),
        "nexus_poll_autoscaling": _autoscaling(config, "nexus"),
        # Python code has a watchdog of its own; this one looks after C++ code.
        "deadlock_timeout": 2000 if config.get("native") and not config["debug_mode"] else 0,
    }
    if deployment := config.get("deployment_config"):
        options |= {
            "build_id": deployment.version.build_id,
            "deployment_name": deployment.version.deployment_name,
            "use_worker_versioning": deployment.use_worker_versioning,
            "default_versioning_behavior": int(deployment.default_versioning_behavior),
        }
    if config.get("identity"):
        options["identity"] = config["identity"]
    for name in (
        "sticky_queue_schedule_to_start_timeout",
        "max_heartbeat_throttle_interval",
        "default_heartbeat_throttle_interval",
        "graceful_shutdown_timeout",
    ):
        options[name] = int(config[name].total_seconds() * 1000)
    return options


def _storage_drivers(converter: Any) -> list[str]:
    storage = converter.external_storage
    return [] if storage is None else sorted({driver.type() for driver in storage.drivers})


def _slots(tuner: WorkerTuner, kind: str) -> int:
    fixed = tuner._fixed(kind)
    return 100 if fixed is None else fixed  # Not used where the tuner has limits of its own.


def _polls(config: Any, kind: str) -> int:
    behavior = config[f"{kind}_task_poller_behavior"]
    fixed = isinstance(behavior, PollerBehaviorSimpleMaximum)
    return config.get(f"max_concurrent_{kind}_task_polls") or (
        behavior.maximum if fixed else behavior.initial
    )


def _autoscaling(config: Any, kind: str) -> tuple[int, int, int] | None:
    behavior = config[f"{kind}_task_poller_behavior"]
    if isinstance(behavior, PollerBehaviorSimpleMaximum):
        return None
    if config.get(f"max_concurrent_{kind}_task_polls"):
        return None
    return behavior.minimum, behavior.maximum, behavior.initial


def _service_of(client: Any) -> Any:
    """The native connection behind a client, which plugins may have wrapped."""
    from chimera.service import _BridgeServiceClient

    wrapped = getattr(client, "service_client", None)
    if not isinstance(wrapped, _BridgeServiceClient):
        if not hasattr(wrapped, "worker_service_client"):
            raise TypeError(
                "Client cannot be used for a worker. Use the original client's service or set "
                "worker_service_client on the wrapped service with the original service client."
            )
        wrapped = wrapped.worker_service_client  # type: ignore
        if not isinstance(wrapped, _BridgeServiceClient):
            raise TypeError("Client's worker_service_client cannot be used for a worker")
    if wrapped.config.lazy:
        raise RuntimeError("Lazy clients cannot be used for workers")
    return wrapped
