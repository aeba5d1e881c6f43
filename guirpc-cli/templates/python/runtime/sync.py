"""Calls over pika, blocking: one thread has the connection, and any thread may call."""

from __future__ import annotations

import importlib
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar

from . import wire
from .errors import Blocked, Disconnected, Overloaded, TimedOut, Unroutable, Unsendable
from .wire import Function, Headers, Message, Reply, Service

# It comes without type hints.
_pika: Any = importlib.import_module("pika")

T = TypeVar("T")
Self = TypeVar("Self", bound="BlockingClient")

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 30.0
_CONNECT_TIMEOUT = 30.0


class _Lost(Exception):
    """The connection went away while a call was in flight."""


@dataclass
class _Waiting:
    """A call or a send that has no outcome yet; a send's reply is `None`."""

    message: Message
    correlation_id: str
    expires: float | None
    awaited: bool
    idempotent: bool
    outcome: Future[Reply | None] = field(default_factory=Future)

    def end(self, reply: Reply | None) -> None:
        if not self.outcome.done():
            self.outcome.set_result(reply)

    def fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class _Session:
    """One connection to the broker; everything but `submit` and `close` runs on its own thread."""

    def __init__(self, uri: str, service: str) -> None:
        self.service = service
        self.ready: Future[None] = Future()
        self.lost: str | None = None
        self.blocked: str | None = None
        self.lock = threading.Lock()
        self.pending: dict[str, _Waiting] = {}
        self.unconfirmed: dict[int, _Waiting] = {}
        self.published = 0
        self.channel: Any = None
        parameters = _pika.URLParameters(uri)
        parameters.blocked_connection_timeout = None
        self.connection = _pika.SelectConnection(
            parameters,
            on_open_callback=self._opened,
            on_open_error_callback=self._closed,
            on_close_callback=self._closed,
        )
        threading.Thread(target=self._run, name="guirpc-client", daemon=True).start()

    def _run(self) -> None:
        try:
            self.connection.ioloop.start()
        finally:
            self._end("its thread has ended")

    def _opened(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(self._alarm)
        connection.add_on_connection_unblocked_callback(self._all_clear)
        # The exchange is looked for on a channel of its own, which that costs if it is missing.
        connection.channel(on_open_callback=self._look)

    def _look(self, channel: Any) -> None:
        channel.add_on_close_callback(self._missing)
        channel.exchange_declare(wire.EXCHANGE, passive=True, callback=lambda _: self._found(channel))

    def _found(self, channel: Any) -> None:
        channel.close()
        self.connection.channel(on_open_callback=self._ready)

    def _missing(self, _channel: Any, reason: Exception) -> None:
        if isinstance(reason, _pika.exceptions.ChannelClosedByBroker) and reason.reply_code == 404:
            if not self.ready.done():
                self.ready.set_exception(Unroutable(self.service))
            self._stop(str(reason))

    def _ready(self, channel: Any) -> None:
        self.channel = channel
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_return_callback(self._returned)
        channel.confirm_delivery(self._confirmed, callback=lambda _: self._consume())

    def _consume(self) -> None:
        self.channel.basic_consume(wire.DIRECT_REPLY_TO, self._replied, auto_ack=True, callback=lambda _: self._done())

    def _done(self) -> None:
        if not self.ready.done():
            self.ready.set_result(None)

    def _channel_closed(self, _channel: Any, reason: Exception) -> None:
        self._stop(str(reason))

    def _closed(self, _connection: Any, reason: Exception) -> None:
        self._end(str(reason) or type(reason).__name__)
        self.connection.ioloop.stop()

    def _alarm(self, _connection: Any, frame: Any) -> None:
        self.blocked = frame.method.reason or "a memory or disk alarm"

    def _all_clear(self, _connection: Any, _frame: Any) -> None:
        self.blocked = None

    def _stop(self, reason: str) -> None:
        self._end(reason)
        if self.connection.is_open:
            self.connection.close()

    def _end(self, reason: str) -> None:
        with self.lock:
            if self.lost is None:
                self.lost = reason
            waiting = [*self.pending.values(), *self.unconfirmed.values()]
            self.pending.clear()
            self.unconfirmed.clear()
        if not self.ready.done():
            self.ready.set_exception(_Lost(reason))
        for one in waiting:
            one.fail(_Lost(self.lost))

    def submit(self, waiting: _Waiting) -> None:
        """Has it published; raises `_Lost` if that is too late."""
        with self.lock:
            if self.lost is not None:
                raise Disconnected(self.lost, False, waiting.idempotent)
            if self.blocked is not None:
                raise Blocked(self.blocked)
            self.pending[waiting.correlation_id] = waiting
        self._on_thread(lambda: self._publish(waiting))

    def _on_thread(self, do: Callable[[], None]) -> None:
        self.connection.ioloop.add_callback_threadsafe(do)

    def give_up(self, waiting: _Waiting) -> None:
        """Nobody waits for it any more."""
        with self.lock:
            self.pending.pop(waiting.correlation_id, None)

    def close(self) -> None:
        """Ends the connection."""
        if self.lost is None:
            self._on_thread(lambda: self._stop("this client was closed"))

    def _publish(self, waiting: _Waiting) -> None:
        if self.lost is not None or waiting.correlation_id not in self.pending:
            return
        message, headers = waiting.message, dict(waiting.message.headers)
        expiration = None
        if waiting.expires is not None:
            left = waiting.expires - time.monotonic() if waiting.awaited else waiting.expires
            headers |= wire.deadline_headers(left)
            milliseconds = wire.expiration(left)
            expiration = None if milliseconds is None else str(milliseconds)
        properties = _pika.BasicProperties(
            headers=headers,
            type=message.function,
            content_type=wire.MESSAGE_PACK,
            correlation_id=waiting.correlation_id,
            reply_to=wire.DIRECT_REPLY_TO if waiting.awaited else None,
            delivery_mode=1 if waiting.awaited else 2,
            expiration=expiration,
        )
        self.published += 1
        self.unconfirmed[self.published] = waiting
        try:
            self.channel.basic_publish(wire.EXCHANGE, message.routing_key, message.body, properties, mandatory=True)
        except Exception as error:  # noqa: BLE001
            # pika raises many things of a channel that is no more, and of headers that it cannot write.
            self._settle(self.published, waiting).fail(_Lost(str(error) or type(error).__name__))

    def _settle(self, number: int, waiting: _Waiting) -> _Waiting:
        self.unconfirmed.pop(number, None)
        self.give_up(waiting)
        return waiting

    def _returned(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        waiting = self.pending.get(properties.correlation_id)
        if waiting is not None:
            self.give_up(waiting)
            waiting.fail(Unroutable(self.service))

    def _confirmed(self, frame: Any) -> None:
        method = frame.method
        numbers = [method.delivery_tag]
        if method.multiple:
            numbers = [number for number in self.unconfirmed if number <= method.delivery_tag]
        for number in numbers:
            waiting = self.unconfirmed.pop(number, None)
            if waiting is None:
                continue
            if isinstance(method, _pika.spec.Basic.Nack):
                self._settle(number, waiting).fail(Overloaded(self.service, waiting.idempotent))
            elif not waiting.awaited:
                self._settle(number, waiting).end(None)

    def _replied(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        headers = properties.headers or {}
        status = wire.integer_of(headers.get(wire.RESPONSE_STATUS)) or 0
        reply = Reply(properties.type, status, properties.content_type or "", headers, body)
        for correlation_id, one in wire.replies(properties.type, properties.correlation_id, reply):
            waiting = self.pending.get(correlation_id)
            if waiting is not None and waiting.awaited:
                self.give_up(waiting)
                waiting.end(one)


class BlockingClient:
    """Calls functions of a service, from any thread; it connects again whenever the connection is lost."""

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
        self._connecting = threading.Lock()
        self._is_closed = False

    def __enter__(self: Self) -> Self:
        self._connected(time.monotonic() + _CONNECT_TIMEOUT, False, True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; calls that are in flight end as `Disconnected`."""
        self._is_closed = True
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _connected(self, deadline: float, sent: bool, idempotent: bool) -> _Session:
        """The session, once there is one."""
        reason, attempt = "another thread is still connecting", 0
        if not self._connecting.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise Disconnected(reason, sent, idempotent)
        try:
            while not self._is_closed:
                if self._session is not None and self._session.lost is None:
                    return self._session
                session = _Session(self._uris[attempt % len(self._uris)], self.service.name)
                attempt += 1
                try:
                    session.ready.result(timeout=max(deadline - time.monotonic(), 0))
                    self._session = session
                    continue
                except _Lost as error:
                    reason = str(error)
                except NotYet:
                    session.close()
                    raise Disconnected("the broker does not answer", sent, idempotent) from None
                longest = min(_FIRST_PAUSE * 2 ** min(attempt, 20), _LONGEST_PAUSE)
                pause = longest * random.uniform(0.5, 1.0)
                if time.monotonic() + pause >= deadline:
                    raise Disconnected(reason, sent, idempotent)
                time.sleep(pause)
            raise Disconnected("this client was closed", sent, idempotent)
        finally:
            self._connecting.release()

    def _call(
        self, function: Function[T], values: tuple[Any, ...], timeout: float | None, headers: Headers | None
    ) -> T:
        message = wire.message(self.service, function, values, {**self._headers, **(headers or {})}, self._max_body)
        timeout = wire.timeout_of(function, timeout, self._timeout)
        deadline = time.monotonic() + timeout
        correlation_id = wire.correlation_id()
        repeated = False
        while True:
            waiting = _Waiting(message, correlation_id, deadline, True, function.idempotent)
            try:
                reply = self._attempt(waiting, timeout, deadline, repeated)
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
            if reply is None:
                raise TimedOut(timeout, function.idempotent)
            return wire.outcome(function, reply, repeated, self._max_body)

    def _attempt(self, waiting: _Waiting, timeout: float, deadline: float, repeated: bool) -> Reply | None:
        """Publishes a call or a send, and waits for what becomes of it."""
        while True:
            session = self._connected(deadline, repeated, waiting.idempotent)
            try:
                session.submit(waiting)
                break
            except Disconnected:
                # It was lost a moment ago.
                continue
        try:
            return waiting.outcome.result(timeout=max(deadline - time.monotonic(), 0))
        except NotYet:
            session.give_up(waiting)
            raise TimedOut(timeout, waiting.idempotent) from None

    def _send(
        self, function: Function[Any], values: tuple[Any, ...], expires: float | None, headers: Headers | None
    ) -> None:
        message = wire.message(self.service, function, values, {**self._headers, **(headers or {})}, self._max_body)
        timeout = wire.timeout_of(function, None, self._timeout)
        waiting = _Waiting(message, wire.correlation_id(), expires, False, function.idempotent)
        try:
            self._attempt(waiting, timeout, time.monotonic() + timeout, False)
        except _Lost as error:
            raise Disconnected(str(error), True, function.idempotent) from None
