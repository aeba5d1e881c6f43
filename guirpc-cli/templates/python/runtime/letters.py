"""What a server publishes again: requests for another attempt, dead letters; and where replies may go."""

from __future__ import annotations

import base64
import binascii
import re
import time
import uuid
from typing import Any

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractMessage

from . import wire

REASON = "guirpc-dead-reason"
QUEUE = "guirpc-dead-queue"
TIME = "guirpc-dead-time"
STATUS = "guirpc-dead-status"
MESSAGE = "guirpc-dead-message"
ID = "guirpc-dead-id"

# By these the broker would send copies elsewhere, or they count another delivery.
_NOT_OWN = ("CC", "BCC", "x-delivery-count", "x-acquired-count")
_LONGEST_MESSAGE = 4096
_LEAST_TIME = 1.0
_PID = re.compile(rb"\x83X(?:v)(..)", re.DOTALL)
_NODE = re.compile(rb"reply@[0-9]{1,19}")


def _copy(delivered: AbstractMessage, **properties: Any) -> Message:
    """All that says what the request is, and none of what becomes of it."""
    return Message(
        delivered.body,
        content_type=delivered.content_type,
        content_encoding=delivered.content_encoding,
        priority=delivered.priority,
        correlation_id=delivered.correlation_id,
        message_id=delivered.message_id,
        timestamp=delivered.timestamp,
        type=delivered.type,
        app_id=delivered.app_id,
        **properties,
    )


def _own_headers(delivered: AbstractMessage) -> dict[str, Any]:
    return {name: value for name, value in delivered.headers.items() if name not in _NOT_OWN}


def attempt(delivered: AbstractMessage, attempts: int) -> Message:
    """The same request, after so many deliveries."""
    headers = _own_headers(delivered)
    headers.pop(wire.ATTEMPTS, None)
    mode = delivered.delivery_mode
    if attempts > 0:
        headers[wire.ATTEMPTS] = attempts
        mode = DeliveryMode.PERSISTENT
    deadline = wire.integer_of(headers.get(wire.DEADLINE))
    left = delivered.expiration
    if deadline is not None:
        milliseconds = wire.expiration(max(deadline / 1000 - time.time(), _LEAST_TIME))
        left = None if milliseconds is None else milliseconds / 1000
    return _copy(delivered, headers=headers, delivery_mode=mode, reply_to=delivered.reply_to, expiration=left)


def dead(
    delivered: AbstractMessage, reason: str, queue: str, message: str, attempts: int, status: int | None
) -> Message:
    """The same request as a dead letter: it does not expire, and asks for no reply."""
    headers = _own_headers(delivered)
    text = message.encode(errors="replace")[:_LONGEST_MESSAGE].decode(errors="ignore")
    headers |= {REASON: reason, QUEUE: queue, TIME: int(time.time() * 1000), MESSAGE: text}
    headers |= {wire.ATTEMPTS: attempts, ID: str(uuid.uuid4())}
    if status is not None:
        headers[STATUS] = status
    return _copy(delivered, headers=headers, delivery_mode=DeliveryMode.PERSISTENT)


def is_address(reply_to: str) -> bool:
    """Whether an address can be published to without harm.

    RabbitMQ closes the connection of whoever publishes to a malformed address of direct reply-to.
    """
    if not 0 < len(reply_to.encode()) <= 255:
        return False
    if not reply_to.startswith(wire.DIRECT_REPLY_TO):
        return True
    parts = reply_to.removeprefix(wire.DIRECT_REPLY_TO).split(".")
    if len(parts) != 3 or parts[0] or not parts[2]:
        return False
    try:
        pid = base64.b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        return False
    start = _PID.match(pid)
    if start is None:
        return False
    length = int.from_bytes(start[1], "big")
    node = pid[5 : 5 + length]
    return _NODE.fullmatch(node) is not None and len(pid) == 5 + length + 12
