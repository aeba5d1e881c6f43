"""Calls over aio-pika: a connection, what waits for replies on it, and what happens when it is lost."""

from __future__ import annotations

import asyncio
import random
import time
from types import TracebackType
from typing import Any, TypeVar

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, DeliveryError, PublishError

from . import wire
from .errors import Blocked, Disconnected, Overloaded, TimedOut, Unroutable, Unsendable
from .wire import Function, Headers, Message, Reply, Service

T = TypeVar("T")
Self = TypeVar("Self", bound="AsyncClient")

_CONNECT_TIMEOUT = 30.0
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0
# What aio-pika raises of a connection or a channel that is no more.
LOST = (AMQPError, OSError, RuntimeError, asyncio.TimeoutError)


class _Lost(Exception):
    """The connection went away while a call was in flight."""


class _Session:
    """One connection to the broker, from its beginning to its end."""

    def __init__(self, connection: AbstractConnection) -> None:
        self.connection = connection
        self.pending: dict[str, asyncio.Future[Reply]] = {}
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.channel: AbstractChannel
        self.exchange: AbstractExchange
        self.is_checked = False

    @classmethod
    async def open(cls, uri: str) -> _Session:
        connection = await aio_pika.connect(uri, timeout=_CONNECT_TIMEOUT)
        session = cls(connection)
        try:
            session.channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            queue = await session.channel.get_queue(wire.DIRECT_REPLY_TO, ensure=False)
            await queue.consume(session._replied, no_ack=True)
            session.exchange = await session.channel.get_exchange(wire.EXCHANGE, ensure=False)
        except BaseException:
            await connection.close()
            raise
        connection.close_callbacks.add(session._closed)
        session.channel.close_callbacks.add(session._closed)
        return session

    def _closed(self, _sender: Any, reason: BaseException | None) -> None:
        if not self.lost.done():
            self.lost.set_result(str(reason) or type(reason).__name__)

    async def _replied(self, message: AbstractIncomingMessage) -> None:
        status = wire.integer_of(message.headers.get(wire.RESPONSE_STATUS)) or 0
        content_type = message.content_type or ""
        reply = Reply(message.type, status, content_type, message.headers, message.body)
        for correlation_id, one in wire.replies(message.type, message.correlation_id, reply):
            waiting = self.pending.get(correlation_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(one)

    async def is_blocked(self) -> bool:
        """Whether the broker reads nothing from us at the moment."""
        transport = self.connection.transport
        if transport is None:
            return False
        ready = asyncio.ensure_future(transport.connection.ready())
        done, _ = await asyncio.wait({ready}, timeout=0.01)
        if not done:
            ready.cancel()
        return not done

    async def check(self, service: str) -> None:
        """Looks once whether there is the exchange: to publish to one that is missing costs the channel."""
        if self.is_checked:
            return
        try:
            async with self.connection.channel() as channel:
                await channel.get_exchange(wire.EXCHANGE, ensure=True)
        except ChannelNotFoundEntity:
            raise Unroutable(service) from None
        self.is_checked = True

    async def publish(self, message: Message, correlation_id: str, left: float | None, awaited: bool) -> None:
        """Publishes, and waits for the broker's word."""
        headers: dict[str, Any] = dict(message.headers)
        expires: float | None = None
        if left is not None:
            headers |= wire.deadline_headers(left)
            milliseconds = wire.expiration(left)
            expires = None if milliseconds is None else milliseconds / 1000
        outgoing = aio_pika.Message(
            message.body,
            headers=headers,
            type=message.function,
            content_type=wire.MESSAGE_PACK,
            correlation_id=correlation_id,
            reply_to=wire.DIRECT_REPLY_TO if awaited else None,
            delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT if awaited else aio_pika.DeliveryMode.PERSISTENT,
            expiration=expires,
        )
        await self.exchange.publish(outgoing, message.routing_key, mandatory=True)


class AsyncClient:
    """Calls functions of a service; it connects with the first call, and again whenever the connection is lost."""

    service: Service

    def __init__(
        self,
        uri: str | None = None,
        *,
        timeout: float | None = None,
        headers: Headers | None = None,
        max_body: int = wire.DEFAULT_MAX_BODY,
    ) -> None:
        self._uris = wire.uris(uri)
        self._timeout = timeout
        self._headers = dict(headers or {})
        self._max_body = max_body
        self._session: _Session | None = None
        self._connecting: asyncio.Task[_Session] | None = None
        self._reason = "it was never connected"
        self._is_closed = False

    async def __aenter__(self: Self) -> Self:
        await self._connected(time.monotonic() + _CONNECT_TIMEOUT, False, True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection; calls that are in flight end as `Disconnected`."""
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        session, self._session = self._session, None
        if session is not None:
            session._closed(None, ConnectionError("this client was closed"))
            await session.connection.close()

    async def _connected(self, deadline: float, sent: bool, idempotent: bool) -> _Session:
        """The session, once there is one."""
        if self._is_closed:
            raise Disconnected("this client was closed", sent, idempotent)
        if self._session is not None and not self._session.lost.done():
            return self._session
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
        connecting = self._connecting
        await asyncio.wait({connecting}, timeout=max(deadline - time.monotonic(), 0))
        if not connecting.done() or connecting.cancelled():
            raise Disconnected(self._reason, sent, idempotent)
        self._session = connecting.result()
        return self._session

    async def _connect(self) -> _Session:
        attempt = 0
        while True:
            try:
                return await _Session.open(self._uris[attempt % len(self._uris)])
            except LOST as error:
                self._reason = str(error) or type(error).__name__
            attempt += 1
            if attempt % len(self._uris) == 0:
                longest = min(_FIRST_PAUSE * 2 ** min(attempt, 20), _LONGEST_PAUSE)
                await asyncio.sleep(longest * random.uniform(0.5, 1.0))

    async def _call(
        self, function: Function[T], values: tuple[Any, ...], timeout: float | None, headers: Headers | None
    ) -> T:
        message = wire.message(self.service, function, values, {**self._headers, **(headers or {})}, self._max_body)
        timeout = wire.timeout_of(function, timeout, self._timeout)
        deadline = time.monotonic() + timeout
        correlation_id = wire.correlation_id()
        repeated = False
        while True:
            session = await self._connected(deadline, repeated, function.idempotent)
            try:
                reply = await self._attempt(session, message, function, correlation_id, timeout, deadline)
            except _Lost as error:
                if not function.idempotent:
                    raise Disconnected(str(error), True, False) from None
                repeated = True
                continue
            except (Unroutable, Blocked, Unsendable) as error:
                if repeated:
                    # That nothing ran is true of this time only.
                    raise Disconnected(f"the call was made again, and {error}", True, function.idempotent) from None
                raise
            return wire.outcome(function, reply, repeated, self._max_body)

    async def _attempt(
        self,
        session: _Session,
        message: Message,
        function: Function[Any],
        correlation_id: str,
        timeout: float,
        deadline: float,
    ) -> Reply:
        """Publishes a call, and waits for its reply."""
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        session.pending[correlation_id] = reply
        publishing: asyncio.Task[None] | None = None
        try:
            await self._check(session)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut(timeout, function.idempotent)
            publishing = asyncio.create_task(session.publish(message, correlation_id, left, True))
            waited: set[asyncio.Future[Any]] = {publishing, reply, session.lost}
            while True:
                left = max(deadline - time.monotonic(), 0)
                done, _ = await asyncio.wait(waited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if reply.done():
                    return reply.result()
                if publishing in done:
                    waited.discard(publishing)
                    self._published(session, publishing, function)
                if session.lost.done():
                    raise _Lost(session.lost.result())
                if not done:
                    raise TimedOut(timeout, function.idempotent)
        finally:
            session.pending.pop(correlation_id, None)
            if publishing is not None:
                publishing.cancel()
                publishing.add_done_callback(_forget)

    async def _check(self, session: _Session) -> None:
        if await session.is_blocked():
            raise Blocked("a memory or disk alarm")
        try:
            await session.check(self.service.name)
        except LOST as error:
            raise _Lost(str(error)) from None

    def _published(self, session: _Session, publishing: asyncio.Task[None], function: Function[Any]) -> None:
        """What the broker has said of a message."""
        service = self.service.name
        try:
            publishing.result()
        except PublishError:
            raise Unroutable(service) from None
        except DeliveryError:
            raise Overloaded(service, function.idempotent) from None
        except LOST as error:
            raise _Lost(str(error) or type(error).__name__) from None

    async def _send(
        self, function: Function[Any], values: tuple[Any, ...], expires: float | None, headers: Headers | None
    ) -> None:
        message = wire.message(self.service, function, values, {**self._headers, **(headers or {})}, self._max_body)
        timeout = wire.timeout_of(function, None, self._timeout)
        deadline = time.monotonic() + timeout
        session = await self._connected(deadline, False, function.idempotent)
        try:
            await self._check(session)
        except _Lost as error:
            raise Disconnected(str(error), False, function.idempotent) from None
        publishing = asyncio.create_task(session.publish(message, wire.correlation_id(), expires, False))
        left = max(deadline - time.monotonic(), 0)
        waited: set[asyncio.Future[Any]] = {publishing, session.lost}
        await asyncio.wait(waited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        try:
            if publishing.done():
                self._published(session, publishing, function)
            elif session.lost.done():
                raise _Lost(session.lost.result())
            else:
                raise TimedOut(timeout, function.idempotent)
        except _Lost as error:
            raise Disconnected(str(error), True, function.idempotent) from None
        finally:
            publishing.cancel()
            publishing.add_done_callback(_forget)


def _forget(task: asyncio.Task[None]) -> None:
    """Nobody waits any more for what it says."""
    if not task.cancelled():
        task.exception()
