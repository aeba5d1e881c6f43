"""Why a call failed: one class for each kind of failure."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

E = TypeVar("E")

EXPIRED = 408


class CallError(Exception):
    """Why a call failed.

    `may_have_run`: whether the function may have been run, completely or in part; `False` is certain.
    `is_retryable`: whether the very same call may succeed later, and does no harm if it is made again.
    """

    may_have_run: bool = True
    is_retryable: bool = False


class FunctionError(CallError, Generic[E]):
    """The function ran and returned its own error, which is `error`."""

    def __init__(self, error: E) -> None:
        super().__init__(error)
        self.error: E = error

    def __str__(self) -> str:
        return repr(self.error)


class Fault(CallError):
    """The function ran and failed with a status from 400 to 599, or raised something unexpected (500)."""

    def __init__(self, status: int, message: str, details: Any = None) -> None:
        super().__init__(status, message, details)
        self.status = status if 400 <= status < 600 else 500
        self.message = message
        self.details = details

    def __str__(self) -> str:
        return f"fault {self.status}: {self.message}"


class Refused(CallError):
    """The service refused to run the function.

    400 arguments that do not decode, 404 unknown function, 408 expired before it could run, 409 delivered before to a
    function that runs at most once, 413 body too large, 415 content type that the function cannot be called with.
    It may have run only if the request was delivered before.
    """

    def __init__(self, status: int, message: str, may_have_run: bool = False, idempotent: bool = False) -> None:
        super().__init__(status, message, may_have_run, idempotent)
        self.status = status
        self.message = message
        self.may_have_run = may_have_run
        self.is_retryable = status == EXPIRED and (not may_have_run or idempotent)

    def __str__(self) -> str:
        earlier = "; it may have run before, on an earlier delivery" if self.may_have_run else ""
        return f"refused ({self.status}): {self.message}{earlier}"


class Unroutable(CallError):
    """No queue takes calls for this service: it is not served. Nothing ran."""

    may_have_run = False
    is_retryable = True

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service

    def __str__(self) -> str:
        return f"no queue takes calls for service `{self.service}`: is it being served, and spelt right?"


class TimedOut(CallError):
    """No reply came by the deadline. The function may have run, or may be running now."""

    def __init__(self, timeout: float, idempotent: bool = False) -> None:
        super().__init__(timeout, idempotent)
        self.timeout = timeout
        self.is_retryable = idempotent

    def __str__(self) -> str:
        return f"no reply within {self.timeout:g}s"


class Disconnected(CallError):
    """The connection to the broker was lost, or could not be opened in time; `sent` says which."""

    def __init__(self, reason: str, sent: bool, idempotent: bool = False) -> None:
        super().__init__(reason, sent, idempotent)
        self.reason = reason
        self.sent = sent
        self.may_have_run = sent
        self.is_retryable = not sent or idempotent

    def __str__(self) -> str:
        if self.sent:
            return f"the connection was lost before the reply came: {self.reason}"
        return f"not connected to the broker: {self.reason}"


class Blocked(CallError):
    """The broker takes no messages at the moment: a memory or disk alarm. Nothing was sent."""

    may_have_run = False
    is_retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the broker takes no messages at the moment: {self.reason}"


class Overloaded(CallError):
    """The queue of the service did not take the request: it is full and rejects, or it has failed."""

    def __init__(self, service: str, idempotent: bool = False) -> None:
        super().__init__(service, idempotent)
        self.service = service
        self.is_retryable = idempotent

    def __str__(self) -> str:
        return f"the queue of service `{self.service}` did not take the request: it is full, or it has failed"


class Unsendable(CallError):
    """The request cannot be sent as it is, or the broker does not take it. Nothing ran."""

    may_have_run = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidArguments(Unsendable):
    """An argument is not of its type: nothing was sent."""


class TooLarge(Unsendable):
    """The request is larger than this client sends: nothing was sent."""


class Undecodable(CallError):
    """The reply cannot be decoded: caller and service disagree about a type. The function ran."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
