"""What a server says of itself on the control exchange: who it is, what it serves, how it does."""

from __future__ import annotations

import os
import socket
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from . import letters, wire
from .statistics import UNKNOWN, Counts
from .wire import Function, Service

_EXCHANGE = "guirpc.control"
_PING = "guirpc.control.ping"
_INFO = "guirpc.control.info"
_STATS = "guirpc.control.stats"
_VERSION = 1
_MOST_QUESTIONS = 100


@dataclass
class LaneState:
    """A lane of a server, as others see it."""

    name: str | None
    queue: str
    workers: int
    prefetch: int
    busy: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)

    def of(self, function: str, known: bool) -> Counts:
        """The counts of a function; those that the service does not have share theirs."""
        return self.counts.setdefault(function if known else UNKNOWN, Counts())


class Control:
    """A server, as others see it."""

    def __init__(self, service: Service, lanes: list[LaneState], drain: float, max_deliveries: int) -> None:
        self.service = service
        self.lanes = lanes
        self.drain = drain
        self.max_deliveries = max_deliveries
        self.broker = ""
        self.status = "connected"
        self.reconnects = 0
        self.begun = time.monotonic()
        self.instance: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "program": os.path.basename(sys.argv[0]) or "python",
            "guirpc": service.guirpc,
            "since": int(time.time()),
            "services": [service.name],
        }

    async def listen(self, connection: AbstractConnection) -> None:
        """Answers on this connection for as long as it is there."""
        channel = await connection.channel(publisher_confirms=False)
        exchange = await channel.declare_exchange(_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        arguments: dict[str, Any] = {"x-queue-type": "classic", "x-max-length": _MOST_QUESTIONS}
        name = f"{_EXCHANGE}.{uuid.uuid4()}"
        queue = await channel.declare_queue(name, exclusive=True, auto_delete=True, arguments=arguments)
        for key in ("servers", f"instances.{self.instance['id']}", f"services.{self.service.name}"):
            await queue.bind(exchange, key)

        async def answer(question: AbstractIncomingMessage) -> None:
            kind, address = question.type or "", question.reply_to or ""
            # Direct reply-to is not answered: a malformed address of it costs the connection.
            if not letters.is_address(address) or address.startswith(wire.DIRECT_REPLY_TO):
                return
            value = self.answer(kind)
            if value is not None:
                reply = aio_pika.Message(
                    wire.to_json(value), type=kind, content_type=wire.JSON, correlation_id=question.correlation_id
                )
                await channel.default_exchange.publish(reply, address, mandatory=False)

        await queue.consume(answer, no_ack=True)

    def answer(self, kind: str) -> dict[str, Any] | None:
        """The answer to a type of question."""
        head: dict[str, Any] = {"version": _VERSION, "instance": self.instance}
        if kind == _PING:
            return head | {"time_ms": int(time.time() * 1000)}
        if kind == _INFO:
            functions = [_described(function) for _, function in sorted(self.service.functions.items())]
            services = [{"name": self.service.name, "functions": functions}]
            lanes = [self._lane_info(lane) for lane in self.lanes]
            return head | {"broker": self.broker, "services": services, "lanes": lanes}
        if kind == _STATS:
            uptime = int((time.monotonic() - self.begun) * 1000)
            return head | {"uptime_ms": uptime, "lanes": [self._lane_statistics(lane) for lane in self.lanes]}
        return None

    def _lane_info(self, lane: LaneState) -> dict[str, Any]:
        return {
            "lane": lane.name,
            "queues": [lane.queue],
            "workers": lane.workers,
            "concurrency": 0,
            "prefetch": lane.prefetch,
            "drain_ms": int(self.drain * 1000),
            "max_deliveries": self.max_deliveries,
            "coalesced": True,
        }

    def _lane_statistics(self, lane: LaneState) -> dict[str, Any]:
        functions = [counts.shown(name) for name, counts in sorted(lane.counts.items())]
        return {
            "lane": lane.name,
            "status": self.status,
            "reconnects": self.reconnects,
            "places": lane.workers,
            "busy": lane.busy,
            "services": [{"service": self.service.name, "functions": functions}],
        }


def _described(function: Function[Any]) -> dict[str, Any]:
    return {
        "name": function.name,
        "signature": function.signature,
        "arguments": [{"name": argument.name, "type": argument.type_name} for argument in function.arguments],
        "output": function.output_type,
        "docs": function.docs,
        "lane": function.lane,
        "timeout_ms": function.timeout_ms,
        "idempotent": function.idempotent,
        "ack": "early" if function.early else "after-reply",
    }
