"""How functions do, counted since the server started."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .dispatch import Answer

UNKNOWN = "_OTHER"
# Quantiles are those of so many runs before.
_KEPT = 1000


@dataclass
class Times:
    """How long something took."""

    count: int = 0
    sum_us: int = 0
    max_us: int = 0
    last: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def add(self, seconds: float) -> None:
        """One more."""
        microseconds = max(int(seconds * 1_000_000), 0)
        self.count += 1
        self.sum_us += microseconds
        self.max_us = max(self.max_us, microseconds)
        self.last.append(microseconds)

    def shown(self) -> dict[str, int]:
        """As the answer has it."""
        ordered = sorted(self.last) or [0]
        last = len(ordered) - 1
        p50, p99 = ordered[last // 2], ordered[(last * 99 + 99) // 100]
        return {"count": self.count, "sum_us": self.sum_us, "p50_us": p50, "p99_us": p99, "max_us": self.max_us}


@dataclass
class Counts:
    """How one function does."""

    requests: int = 0
    in_flight: int = 0
    outputs: int = 0
    errors: int = 0
    faults: int = 0
    refusals: dict[int, int] = field(default_factory=dict)
    redelivered: int = 0
    retries: int = 0
    dead_letters: int = 0
    run_time: Times = field(default_factory=Times)
    queue_time: Times = field(default_factory=Times)
    last_failure: dict[str, int] | None = None

    def begin(self, age: float | None, redelivered: bool) -> None:
        """A request is taken up."""
        self.requests += 1
        self.in_flight += 1
        self.redelivered += redelivered
        if age is not None:
            self.queue_time.add(age)

    def end(self, answer: Answer, took: float) -> None:
        """It has an answer."""
        self.in_flight -= 1
        if answer.kind == "refusal":
            self.refusals[answer.status] = self.refusals.get(answer.status, 0) + 1
        else:
            self.run_time.add(took)
            self.outputs += answer.kind == "output"
            self.errors += answer.kind == "error"
            self.faults += answer.kind == "fault"
        if answer.kind != "output":
            self.last_failure = {"status": answer.status, "time": int(time.time())}

    def shown(self, function: str) -> dict[str, Any]:
        """As the answer has it."""
        return {
            "function": function,
            "requests": self.requests,
            "in_flight": self.in_flight,
            "outputs": self.outputs,
            "errors": self.errors,
            "faults": self.faults,
            "refusals": {str(status): count for status, count in sorted(self.refusals.items())},
            "cached": 0,
            "redelivered": self.redelivered,
            "retries": self.retries,
            "dead_letters": self.dead_letters,
            "run_time": self.run_time.shown(),
            "queue_time": self.queue_time.shown(),
            "last_failure": self.last_failure,
        }
