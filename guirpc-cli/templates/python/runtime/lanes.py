"""What becomes of the requests of one lane: run, refused, tried again, or dead."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Executor
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractMessage
from aio_pika.exceptions import DeliveryError

from . import letters, wire
from .codec import Invalid
from .control import LaneState
from .dispatch import Answer, Call, Dispatcher, Request, failure, log

CALLS = "guirpc.calls"
_NOBODY = "guirpc.nobody"
_MOST_CALLS = 1024
_SHORT = 255


class Outlet:
    """Where a server publishes: replies, and requests once more."""

    def __init__(self, replies: AbstractChannel, again: AbstractChannel) -> None:
        self.replies = replies
        self.again = again

    async def reply(self, address: str, correlation_id: str | None, answer: Answer) -> None:
        """Sends a reply; one that nobody waits for any more is lost without harm."""
        message = aio_pika.Message(
            answer.body,
            type=answer.kind,
            content_type=answer.content_type,
            correlation_id=correlation_id,
            headers={**answer.headers, wire.RESPONSE_STATUS: answer.status},
        )
        await self.replies.default_exchange.publish(message, address, mandatory=False)

    async def publish(self, message: AbstractMessage, queue: str) -> bool:
        """Whether a queue has taken a request, which is declared if it is missing."""
        for attempt in range(2):
            try:
                await self.again.default_exchange.publish(message, queue, mandatory=True)
                return True
            except DeliveryError:
                if attempt == 0:
                    await self.again.declare_queue(queue, durable=True, arguments={"x-queue-type": "classic"})
        return False


class Delivered:
    """A message off a queue, which is acknowledged once."""

    def __init__(self, message: AbstractIncomingMessage, channel: AbstractChannel, is_counted: bool) -> None:
        self.message = message
        self.channel = channel
        # Whether servers alone publish there, so that a count is theirs.
        self.is_counted = is_counted
        self.is_done = False

    async def ack(self) -> None:
        """The request is done."""
        if not self.is_done:
            self.is_done = True
            await self.message.ack()

    async def requeue(self) -> None:
        """The broker is to deliver it again."""
        if not self.is_done:
            self.is_done = True
            await self.message.nack(requeue=True)

    async def settled(self) -> None:
        """Waits until the broker has got all acknowledgements."""
        await self.channel.declare_queue(self.message.routing_key or "", passive=True)

    def request(self) -> Request:
        """The request that it is."""
        message, redelivered = self.message, bool(self.message.redelivered)
        counted = wire.integer_of(message.headers.get(wire.ATTEMPTS)) or 0 if self.is_counted else 0
        return Request(
            message.type or "",
            message.content_type,
            message.body,
            message.correlation_id,
            message.reply_to if message.reply_to != _NOBODY else None,
            message.headers,
            redelivered,
            max(counted, 0) + redelivered,
        )


class Lane:
    """A lane of a server, with workers of its own."""

    def __init__(self, dispatcher: Dispatcher, state: LaneState, threads: Executor, max_deliveries: int) -> None:
        self.dispatcher = dispatcher
        self.state = state
        self.threads = threads
        self.max_deliveries = max_deliveries
        self.places = asyncio.Semaphore(state.workers)
        self.is_stopping = False
        self.dead_queue = f"{dispatcher.service.name}.dead"

    def stop(self) -> None:
        """From now on nothing begins: what waits for a place is returned."""
        self.is_stopping = True
        for _ in range(self.state.prefetch + _MOST_CALLS):
            self.places.release()

    async def take(self, delivered: Delivered, outlet: Outlet) -> None:
        """Sees to everything that is in a message."""
        if delivered.message.type == CALLS:
            await self._take_calls(delivered, outlet)
        else:
            await self._take_one(delivered, delivered.message, delivered.request(), outlet)

    async def _take_calls(self, delivered: Delivered, outlet: Outlet) -> None:
        """Several calls in one message: each is run and answered as if it had come alone."""
        message = delivered.message
        try:
            if len(message.body) > self.dispatcher.max_body:
                size, most = len(message.body), self.dispatcher.max_body
                raise _Refused(413, f"the request has {size} bytes, this service takes at most {most}")
            calls = _calls(message)
        except _Refused as error:
            await delivered.ack()
            if message.reply_to and letters.is_address(message.reply_to):
                answer = failure("refusal", wire.MESSAGE_PACK, error.status, str(error))
                await outlet.reply(message.reply_to, message.correlation_id, answer)
            return
        apart = [call for call in calls if message.redelivered or self._is_early(call.type or "")]
        for call in apart:
            # Alone, one that ends its process condemns no other, and one that runs at most once has its own word.
            if message.redelivered and self._is_early(call.type or ""):
                request = _request(call, True, 1)
                await self._answer(delivered, call, request, _delivered_before(request), outlet, True)
                continue
            queue = f"{self.state.queue}.retry" if message.redelivered else self.state.queue
            if not await outlet.publish(letters.attempt(call, int(bool(message.redelivered))), queue):
                await delivered.requeue()
                return
        runs = [self._run(None, call, _request(call, False, 0), outlet) for call in calls if call not in apart]
        await asyncio.gather(*runs)
        await delivered.ack()

    def _is_early(self, name: str) -> bool:
        function = self.dispatcher.service.functions.get(name)
        return function is not None and function.early

    async def _take_one(self, delivered: Delivered, message: AbstractMessage, request: Request, outlet: Outlet) -> None:
        if request.reply_to is not None and not letters.is_address(request.reply_to):
            await self._die(delivered, message, request, "unanswerable", "the reply address is malformed", None, outlet)
            return
        is_early, attempts = self._is_early(request.function), request.attempts
        if is_early and attempts > 0:
            await self._answer(delivered, message, request, _delivered_before(request), outlet, True)
            return
        is_expired = self.dispatcher.is_expired(request, time.time())
        if attempts > 0 and request.redelivered and not is_expired:
            if attempts >= self.max_deliveries:
                text = f"its function began {attempts} times, and its server ended each time"
                answer = failure("fault", wire.codec_of(request.content_type) or wire.TEXT, 500, text)
                if request.reply_to is not None:
                    await outlet.reply(request.reply_to, request.correlation_id, answer)
                await self._die(delivered, message, request, "crashed", text, None, outlet)
                return
            is_apart = attempts > 1 or attempts + 1 >= self.max_deliveries
            queue = f"{self.state.queue}.{'quarantine' if is_apart else 'retry'}"
            if await outlet.publish(letters.attempt(message, attempts), queue):
                await delivered.ack()
            else:
                text = f"that it begins once more cannot be counted: queue `{queue}` does not take it"
                await self._die(delivered, message, request, "uncounted", text, None, outlet)
            return
        if attempts > 0:
            # Else this attempt could end the process before the broker knows what became of the last one.
            await delivered.settled()
        await self._run(delivered, message, request, outlet)

    async def _run(
        self, delivered: Delivered | None, message: AbstractMessage, request: Request, outlet: Outlet
    ) -> None:
        async with self.places:
            if self.is_stopping:
                # It has not begun, and goes back as it was.
                if await outlet.publish(letters.attempt(message, request.attempts), self.state.queue):
                    if delivered is not None:
                        await delivered.ack()
                elif delivered is not None:
                    await delivered.requeue()
                return
            if delivered is not None and self._is_early(request.function):
                await delivered.ack()
                await delivered.settled()
            self.state.busy += 1
            try:
                answer = await self._dispatch(request)
            finally:
                self.state.busy -= 1
        await self._answer(delivered, message, request, answer, outlet, False)

    async def _dispatch(self, request: Request) -> Answer:
        now, begun = time.time(), time.monotonic()
        counts = self.state.of(request.function, request.function in self.dispatcher.service.functions)
        timeout = wire.integer_of(request.headers.get(wire.TIMEOUT))
        made = None if request.deadline is None or timeout is None else request.deadline - timeout / 1000
        counts.begin(None if made is None else max(now - made, 0.0), request.attempts > 0)
        checked = self.dispatcher.check(request, now)
        if isinstance(checked, Call):
            checked = await self.dispatcher.run(request, checked, self.threads)
        counts.end(checked, time.monotonic() - begun)
        return checked

    async def _answer(
        self,
        delivered: Delivered | None,
        message: AbstractMessage,
        request: Request,
        answer: Answer,
        outlet: Outlet,
        is_shared: bool,
    ) -> None:
        """Replies if the caller waits; sees to it that a failure does not go unnoticed where none does."""
        if answer.kind == "refusal" and request.attempts > 0:
            answer.headers[wire.ATTEMPTS] = request.attempts
        if request.reply_to is None:
            await self._conclude(delivered, message, request, answer, outlet)
            return
        if answer.kind == "refusal" and delivered is not None and delivered.message is message:
            # When the caller learns of it, no other server has the request.
            await delivered.ack()
        await outlet.reply(request.reply_to, request.correlation_id, answer)
        if delivered is not None and delivered.message is message:
            await delivered.ack()

    async def _conclude(
        self,
        delivered: Delivered | None,
        message: AbstractMessage,
        request: Request,
        answer: Answer,
        outlet: Outlet,
    ) -> None:
        """After a `send`, whose caller learns nothing."""
        if answer.status < 400 or (answer.kind == "refusal" and answer.status == 408):
            if delivered is not None:
                await delivered.ack()
            return
        function = self.dispatcher.service.functions.get(request.function)
        attempts = request.attempts + 1
        is_retried = function is not None and function.idempotent and not function.early
        is_retried = is_retried and answer.status >= 500 and attempts < self.max_deliveries
        if is_retried and await outlet.publish(letters.attempt(message, attempts), f"{self.state.queue}.retry"):
            self.state.of(request.function, True).retries += 1
            if delivered is not None:
                await delivered.ack()
            return
        has_run = answer.kind != "refusal"
        await self._die(delivered, message, request, "failed", answer.message, answer.status, outlet, has_run)

    async def _die(
        self,
        delivered: Delivered | None,
        message: AbstractMessage,
        request: Request,
        reason: str,
        text: str,
        status: int | None,
        outlet: Outlet,
        has_run: bool = False,
    ) -> None:
        """A request becomes a dead letter."""
        attempts = request.attempts + has_run
        letter = letters.dead(message, reason, self.state.queue, text, attempts, status)
        if await outlet.publish(letter, self.dead_queue):
            known = request.function in self.dispatcher.service.functions
            self.state.of(request.function, known).dead_letters += 1
            log.warning("%s, now a dead letter: `%s`: %s", reason, request.function, text)
            if delivered is not None:
                await delivered.ack()
        else:
            log.error("cannot become a dead letter: `%s`: %s", request.function, text)
            if delivered is not None:
                await delivered.requeue()


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _delivered_before(request: Request) -> Answer:
    text = f"`{request.function}` runs at most once, and the request had been delivered before"
    return failure("refusal", wire.codec_of(request.content_type) or wire.TEXT, 409, text)


def _request(call: AbstractMessage, redelivered: bool, attempts: int) -> Request:
    return Request(
        call.type or "",
        call.content_type,
        call.body,
        call.correlation_id,
        call.reply_to,
        call.headers,
        redelivered,
        attempts,
    )


def _calls(message: AbstractIncomingMessage) -> list[AbstractMessage]:
    """The calls in a message, each as a message of its own."""
    try:
        elements = wire.unpack(message.body)
    except Invalid as error:
        raise _Refused(400, str(error)) from None
    if not isinstance(elements, list) or not 1 <= len(elements) <= _MOST_CALLS:
        raise _Refused(400, f"this is no array of 1 to {_MOST_CALLS} calls")
    return [_call(message, element) for element in elements]


def _call(message: AbstractIncomingMessage, element: Any) -> AbstractMessage:
    if not isinstance(element, list) or len(element) < 7:
        raise _Refused(400, "a call is an array of 7 elements")
    name, function, content_type, deadline, timeout, headers, body = element[:7]
    is_short = all(isinstance(text, str) and len(text.encode()) <= _SHORT for text in (name, function))
    is_typed = content_type is None or isinstance(content_type, str)
    if not is_short or not is_typed or function == CALLS or not isinstance(body, bytes):
        raise _Refused(400, "a call has an id, a function, a content type, and a body")
    own: dict[str, Any] = dict(headers) if isinstance(headers, dict) else {}
    for key, value in ((wire.DEADLINE, deadline), (wire.TIMEOUT, timeout)):
        if value is not None:
            own[key] = value
    return aio_pika.Message(
        body,
        type=function,
        content_type=content_type,
        correlation_id=name,
        reply_to=message.reply_to,
        app_id=message.app_id,
        delivery_mode=message.delivery_mode,
        priority=message.priority,
        expiration=message.expiration,
        headers=own,
    )
