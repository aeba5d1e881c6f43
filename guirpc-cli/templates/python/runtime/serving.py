"""Serving over aio-pika: queues, acknowledgements, retries, dead letters, and a graceful shutdown."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from yarl import URL

from . import wire
from .aio import LOST
from .control import Control, LaneState
from .dispatch import Dispatcher, log
from .lanes import Delivered, Lane, Outlet
from .wire import Service

Self = TypeVar("Self", bound="Server")

_CONNECT_TIMEOUT = 30.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0
_PREFETCH_PER_WORKER = 64
# Instead of so many requests that come singly, one message of calls is fetched ahead.
_REQUESTS_PER_MESSAGE = 64
_CLASSIC: dict[str, Any] = {"x-queue-type": "classic"}


class Server:
    """Serves the functions of a service from its queues, until it is stopped."""

    def __init__(
        self,
        service: Service,
        functions: Mapping[str, Callable[..., Any]],
        *,
        uri: str | None = None,
        workers: int = 8,
        prefetch: int | None = None,
        drain: float = 20.0,
        max_body: int = wire.DEFAULT_MAX_BODY,
        max_deliveries: int = 5,
        clock_tolerance: float = 1.0,
    ) -> None:
        if workers < 1 or max_deliveries < 2:
            raise ValueError("`workers` is 1 or more, `max_deliveries` is 2 or more")
        self._uris = wire.uris(uri)
        self._drain = drain
        self._workers = workers
        self._prefetch = prefetch or min(workers * _PREFETCH_PER_WORKER, 0xFFFF)
        self._dispatcher = Dispatcher(service, functions, max_body, clock_tolerance)
        named = sorted({function.lane for function in service.functions.values() if function.lane is not None})
        self._lanes: list[Lane] = []
        for name in [None, *named]:
            queue = service.name if name is None else f"{service.name}.{name}"
            state = LaneState(name, queue, workers, self._prefetch)
            threads = ThreadPoolExecutor(workers, thread_name_prefix=f"guirpc-{queue}")
            self._lanes.append(Lane(self._dispatcher, state, threads, max_deliveries))
        self._control = Control(service, [lane.state for lane in self._lanes], drain, max_deliveries)
        self._connection: AbstractConnection | None = None
        self._consumers: list[tuple[AbstractQueue, str]] = []
        self._keeper: asyncio.Task[None] | None = None
        self._lost = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self: Self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Connects and consumes; raises if no broker can be had."""
        await self._open(self._uris[0])
        self._keeper = asyncio.create_task(self._keep())
        log.info("serving `%s`", self._dispatcher.service.name)

    async def serve(self) -> None:
        """Serves until SIGTERM or SIGINT, and then stops."""
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, over.set)
        async with self:
            await over.wait()

    async def stop(self) -> None:
        """Takes nothing new, returns what has not begun, and finishes what has, for at most the drain time."""
        for lane in self._lanes:
            lane.stop()
        if self._keeper is not None:
            self._keeper.cancel()
        consumers, self._consumers = self._consumers, []
        for queue, tag in consumers:
            try:
                await queue.cancel(tag)
            except LOST:
                break
        if self._running:
            _, unfinished = await asyncio.wait(set(self._running), timeout=self._drain)
            if unfinished:
                log.warning("%d requests were still running after %gs", len(unfinished), self._drain)
        if self._connection is not None:
            await self._connection.close()
        for lane in self._lanes:
            lane.threads.shutdown(wait=False, cancel_futures=True)

    async def _keep(self) -> None:
        """Connects again whenever the connection is lost."""
        while True:
            await self._lost.wait()
            self._control.status = "reconnecting"
            attempt = 0
            while True:
                uri = self._uris[attempt % len(self._uris)]
                try:
                    await self._open(uri)
                    break
                except LOST as error:
                    log.warning("not connected: %s", error)
                attempt += 1
                longest = min(_FIRST_PAUSE * 2 ** min(attempt, 20), _LONGEST_PAUSE)
                await asyncio.sleep(longest * random.uniform(0.5, 1.0))
            self._control.status = "connected"
            self._control.reconnects += 1

    async def _open(self, uri: str) -> None:
        self._lost.clear()
        old, self._connection = self._connection, None
        if old is not None:
            await old.close()
        connection = await aio_pika.connect(uri, timeout=_CONNECT_TIMEOUT)
        self._control.broker = str(URL(uri).with_password(None))
        try:
            replies = await connection.channel(publisher_confirms=False)
            again = await connection.channel(publisher_confirms=True, on_return_raises=True)
            outlet = Outlet(replies, again)
            self._consumers = []
            for lane in self._lanes:
                channel = await connection.channel(publisher_confirms=False)
                await self._consume(channel, lane, outlet)
                channel.close_callbacks.add(self._closed)
            for channel in (replies, again):
                channel.close_callbacks.add(self._closed)
        except BaseException:
            await connection.close()
            raise
        connection.close_callbacks.add(self._closed)
        self._connection = connection
        try:
            await self._control.listen(connection)
        except LOST as error:
            log.warning("this server cannot be asked how it does: %s", error)

    def _closed(self, _sender: Any, _reason: BaseException | None) -> None:
        self._lost.set()

    async def _consume(self, channel: AbstractChannel, lane: Lane, outlet: Outlet) -> None:
        """Declares the queues of a lane as a server in Rust does, and consumes from them.

        That of dead letters is declared with the first of them.
        """
        own = lane.state.queue
        exchange = await channel.declare_exchange(wire.EXCHANGE, aio_pika.ExchangeType.DIRECT, durable=True)
        queues = [f"{own}.quarantine", f"{own}.retry", own, f"{own}.calls"]
        prefetch = [1, self._workers, self._prefetch, max(self._prefetch // _REQUESTS_PER_MESSAGE, 1)]
        declared = {name: await channel.declare_queue(name, durable=True, arguments=_CLASSIC) for name in queues}
        for name in (own, f"{own}.calls"):
            await declared[name].bind(exchange, name)
        for name, count in zip(queues, prefetch, strict=True):
            await channel.set_qos(prefetch_count=count)
            is_counted = name.endswith((".quarantine", ".retry")) and name != own
            take = self._taker(channel, lane, outlet, is_counted)
            self._consumers.append((declared[name], await declared[name].consume(take)))

    def _taker(self, channel: AbstractChannel, lane: Lane, outlet: Outlet, is_counted: bool) -> Callable[..., Any]:
        async def take(message: AbstractIncomingMessage) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            try:
                await lane.take(Delivered(message, channel, is_counted), outlet)
            except LOST as error:
                # The broker delivers again what is not acknowledged.
                log.warning("the connection was lost while a request ran: %s", error)

        return take
