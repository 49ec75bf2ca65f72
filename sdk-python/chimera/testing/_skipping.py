"""The environment in which time skips while a result is awaited: one clock for all workflows of its server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import Any
from weakref import WeakKeyDictionary

import chimera.client
from chimera import _api


class Clock:
    """The time of a server that skips it, as long as it is not locked. It is locked at first."""

    def __init__(self, client: chimera.client.Client) -> None:
        self._service = client.test_service
        self.skips = True
        """Whether waiting for a result lets time skip."""
        self._waiting = 0
        # Tests of one session may each have a loop of their own, one after another.
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def _turn(self) -> asyncio.Lock:
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    @asynccontextmanager
    async def unlocked(self) -> AsyncIterator[None]:
        """Time may skip inside the block. Several may be open at once: the lock is back when the last has ended."""
        if not self.skips:
            yield
            return
        # Who is cancelled meanwhile leaves no call behind of which nobody knows whether it has arrived.
        lifted = self._call(self._wait(1))
        try:
            await asyncio.shield(lifted)
            yield
        except BaseException:
            # What ended the block counts, whatever becomes of the lock.
            with suppress(chimera.client.RPCError):
                await asyncio.shield(self._call(self._put_back(lifted)))
            raise
        await asyncio.shield(self._call(self._put_back(lifted)))

    def _call(self, body: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(body)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    async def _put_back(self, lifted: asyncio.Task[None]) -> None:
        try:
            await lifted
        except chimera.client.RPCError:
            return  # It was not lifted, and who asked for it knows.
        await self._wait(-1)

    async def _wait(self, more: int) -> None:
        async with self._turn:
            if self._waiting == 0:
                await self._service.unlock_time_skipping(_api.testservice.UnlockTimeSkippingRequest())
            elif self._waiting + more == 0:
                await self._service.lock_time_skipping(_api.testservice.LockTimeSkippingRequest())
            self._waiting += more

    async def sleep(self, duration: timedelta) -> None:
        request = _api.testservice.SleepRequest()
        request.duration.FromTimedelta(duration)
        # In one call the lock is back before time goes on. Where somebody waits for a result it is lifted anyway.
        async with self._turn:
            if self._waiting == 0:
                await self._service.unlock_time_skipping_with_sleep(request)  # The server sees to it that it ends.
                return
        await self._service.sleep(request)

    async def now(self) -> datetime:
        from google.protobuf.empty_pb2 import Empty

        reply = await self._service.get_current_time(Empty())
        return reply.time.ToDatetime().replace(tzinfo=timezone.utc)


class _SkippingHandle(chimera.client.WorkflowHandle[Any, Any]):
    """Of a workflow that was started here: time skips while its result is awaited."""

    _clock: Clock

    async def result(
        self,
        *,
        follow_runs: bool = True,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        async with self._clock.unlocked():
            return await super().result(follow_runs=follow_runs, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)


class _SkippingOutbound(chimera.client.OutboundInterceptor):
    def __init__(self, next: chimera.client.OutboundInterceptor, clock: Clock) -> None:
        super().__init__(next)
        self._clock = clock

    async def start_workflow(
        self, input: chimera.client.StartWorkflowInput
    ) -> chimera.client.WorkflowHandle[Any, Any]:
        handle = await super().start_workflow(input)
        if type(handle) is not chimera.client.WorkflowHandle:
            return handle  # Of an interceptor of its own kind.
        handle.__class__ = _SkippingHandle
        handle._clock = self._clock  # type: ignore[attr-defined]
        return handle


class SkippingInterceptor(chimera.client.Interceptor):
    """Lets time skip while results of workflows are awaited that its client started."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def intercept_client(self, next: chimera.client.OutboundInterceptor) -> chimera.client.OutboundInterceptor:
        return _SkippingOutbound(super().intercept_client(next), self._clock)
