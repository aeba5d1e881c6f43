"""From a request to its reply: finds the function, decodes, runs, encodes. No I/O."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from . import names, wire
from .codec import Boolean, Bytes, Codec, Integer, Invalid, Items, Literals, Null, Nullable, Number, Text
from .errors import Fault, FunctionError
from .wire import Function, Service

log = logging.getLogger("guirpc")

PING = "guirpc.ping"
IGNORED = "guirpc-ignored-arguments"
TIME = "guirpc-time"
_LONGEST_MESSAGE = 1000
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Request:
    """A request as it came off a queue; nothing in it is trusted."""

    function: str
    content_type: str | None
    body: bytes
    correlation_id: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    redelivered: bool = False
    # How many deliveries came before this one whose function had, or may have, begun.
    attempts: int = 0

    @property
    def deadline(self) -> float | None:
        """When the caller gives up, in seconds since the Unix epoch."""
        milliseconds = wire.integer_of(self.headers.get(wire.DEADLINE))
        return None if milliseconds is None or milliseconds < 0 else milliseconds / 1000


# The request that a function answers.
current: contextvars.ContextVar[Request] = contextvars.ContextVar("guirpc_request")


@dataclass
class Answer:
    """A reply, encoded."""

    kind: str
    status: int
    content_type: str
    body: bytes
    headers: dict[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """What a fault or a refusal says, for a log."""
        value: Any = None
        try:
            if self.content_type == wire.MESSAGE_PACK:
                value = wire.unpack(self.body)
            elif self.content_type == wire.JSON:
                value = wire.from_json(self.body)
        except Invalid:
            pass
        if isinstance(value, dict) and isinstance(value.get("message"), str):
            return str(value["message"])
        return self.body.decode(errors="replace")


@dataclass(frozen=True)
class Call:
    """A request that can be run."""

    function: Function[Any]
    content_type: str
    arguments: tuple[Any, ...]
    ignored: str


class _Refuse(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Dispatcher:
    """Answers the requests of one service."""

    def __init__(
        self, service: Service, functions: Mapping[str, Callable[..., Any]], max_body: int, clock_tolerance: float
    ) -> None:
        missing = [name for name in service.functions if name not in functions]
        if missing:
            raise ValueError(f"no function for {_listed(missing)}, which service `{service.name}` has")
        for name in functions:
            if name not in service.functions:
                question = names.hint(name, service.functions)
                more = f"; {question}" if question else ""
                raise ValueError(f"service `{service.name}` has no function `{name}`{more}")
        self.service = service
        self.functions = dict(functions)
        self.max_body = max_body
        self.clock_tolerance = clock_tolerance

    def is_expired(self, request: Request, now: float) -> bool:
        """Whether its caller has given up, by more than two clocks may differ."""
        return request.deadline is not None and now - request.deadline > self.clock_tolerance

    def check(self, request: Request, now: float) -> Answer | Call:
        """The reply to what is not run, or what is to be run."""
        content_type = wire.codec_of(request.content_type)
        try:
            return self._checked(request, content_type, now)
        except _Refuse as refusal:
            answer = failure("refusal", content_type or wire.TEXT, refusal.status, shortened(str(refusal)))
            if refusal.status == 408:
                answer.headers[TIME] = int(now * 1000)
            return answer

    def _checked(self, request: Request, content_type: str | None, now: float) -> Answer | Call:
        size = len(request.body)
        if size > self.max_body:
            raise _Refuse(413, f"the request has {size} bytes, this service takes at most {self.max_body}")
        if content_type is None:
            known = f"{wire.MESSAGE_PACK}, {wire.JSON}, {wire.TEXT}, {wire.OCTET_STREAM}"
            raise _Refuse(415, f"content type `{request.content_type}` is unknown here; known are {known}")
        if request.function == PING:
            return self._ping(content_type)
        function = self.service.functions.get(request.function)
        if function is None:
            question = names.hint(request.function, self.service.functions)
            more = f"; {question}" if question else ""
            raise _Refuse(404, f"no function named `{request.function}` in service `{self.service.name}`{more}")
        if self.is_expired(request, now):
            late = f"{now - (request.deadline or now):.3f}s"
            raise _Refuse(408, f"the deadline had passed {late} before `{function.name}` could run")
        try:
            arguments, ignored = _arguments(function, content_type, request.body)
        except Invalid as error:
            raise _Refuse(400, f"`{function.name}` cannot be called so: {error}") from None
        except _Refuse as error:
            raise _Refuse(error.status, f"`{function.name}` cannot be called so: {error}") from None
        return Call(function, content_type, arguments, ignored)

    def _ping(self, content_type: str) -> Answer:
        info = {
            "service": self.service.name,
            "guirpc": self.service.guirpc,
            "functions": sorted(self.service.functions),
        }
        if content_type == wire.MESSAGE_PACK:
            return Answer("output", 200, content_type, wire.pack(info))
        if content_type == wire.JSON:
            return Answer("output", 200, content_type, wire.to_json(info))
        return Answer("output", 200, wire.TEXT, self.service.name.encode())

    async def run(self, request: Request, call: Call, threads: Executor) -> Answer:
        """Runs a function: one that is `async` here, any other on a thread."""
        function, name = self.functions[call.function.name], call.function.name
        token = current.set(request)
        try:
            if inspect.iscoroutinefunction(function):
                value = await function(*call.arguments)
            else:
                context = contextvars.copy_context()
                loop = asyncio.get_running_loop()
                value = await loop.run_in_executor(threads, lambda: context.run(function, *call.arguments))
                if inspect.isawaitable(value):
                    value = await value
            answer = self._output(call, value)
        except FunctionError as error:
            answer = self._error(call, error)
        except Fault as fault:
            answer = failure("fault", call.content_type, fault.status, fault.message, fault.details)
        except (Exception, SystemExit) as error:
            log.exception("`%s` raised %s", name, type(error).__name__)
            text = f"`{name}` raised {type(error).__name__}: {error}"
            answer = failure("fault", call.content_type, 500, text)
        finally:
            current.reset(token)
        if len(answer.body) > self.max_body:
            text = f"what `{name}` returned has {len(answer.body)} bytes, this service sends at most {self.max_body}"
            answer = failure("fault", call.content_type, 500, text)
        if call.ignored:
            answer.headers[IGNORED] = f"`{name}` has no argument {call.ignored}"
        return answer

    def _output(self, call: Call, value: Any) -> Answer:
        try:
            body = _written(call.function.output, call.content_type, call.function.output.encode(value))
            return Answer("output", 200, call.content_type, body)
        except (Invalid, ValueError, OverflowError) as error:
            return _unsendable(call, error)

    def _error(self, call: Call, error: FunctionError[Any]) -> Answer:
        function = call.function
        if function.error is None or function.raises is None or not isinstance(error, function.raises):
            text = f"`{function.name}` raised {type(error).__name__}, which is no error of its own: {error}"
            return failure("fault", call.content_type, 500, text)
        try:
            wired = function.error.encode(error.error)
            if call.content_type in (wire.TEXT, wire.OCTET_STREAM):
                return Answer("error", function.error_status, wire.TEXT, str(error).encode())
            body = _written(function.error, call.content_type, wired)
            return Answer("error", function.error_status, call.content_type, body)
        except (Invalid, ValueError, OverflowError) as invalid:
            return _unsendable(call, invalid)


def _unsendable(call: Call, error: Exception) -> Answer:
    text = f"what `{call.function.name}` returned cannot be sent as {call.content_type}: {error}"
    log.error("%s", text)
    return failure("fault", call.content_type, 500, text)


def failure(kind: str, content_type: str, status: int, message: str, details: Any = None) -> Answer:
    """A fault or a refusal."""
    message = message.encode(errors="replace").decode()
    body: dict[str, Any] = {"message": message}
    if details is not None:
        body["details"] = details
    try:
        if content_type == wire.MESSAGE_PACK:
            return Answer(kind, status, content_type, wire.pack(body))
        if content_type == wire.JSON:
            return Answer(kind, status, content_type, wire.to_json(body))
    except (Invalid, ValueError, OverflowError, TypeError) as error:
        # The message is worth more than the details.
        return failure(kind, content_type, status, f"{message} (its details cannot be sent: {error})")
    return Answer(kind, status, wire.TEXT, message.encode())


def shortened(text: str) -> str:
    """Without its middle if it is too long: a reply must not grow with what it refuses."""
    if len(text) <= _LONGEST_MESSAGE:
        return text
    return f"{text[: _LONGEST_MESSAGE * 2 // 3]} … {text[-_LONGEST_MESSAGE // 3 :]}"


def _listed(items: list[str]) -> str:
    return ", ".join(f"`{item}`" for item in items)


def _arguments(function: Function[Any], content_type: str, body: bytes) -> tuple[tuple[Any, ...], str]:
    """The arguments in order, and those that the function does not take."""
    known = [argument.name for argument in function.arguments]
    if content_type in (wire.TEXT, wire.OCTET_STREAM):
        return _alone(function, content_type, body), ""
    twice = wire.Twice()
    given = wire.unpack(body, twice) if content_type == wire.MESSAGE_PACK else wire.from_json(body, twice)
    ignored = ""
    values: dict[str, Any] = {}
    if isinstance(given, list):
        if len(given) > len(known):
            raise Invalid(f"too many arguments: the function takes {len(known)}")
        values = dict(zip(known, given, strict=False))
    elif isinstance(given, dict):
        if twice.key in known:
            raise Invalid(f"argument `{twice.key}` is there twice")
        values = {name: given[name] for name in known if name in given}
        ignored = names.unknown([str(name) for name in given if name not in values], known)
    else:
        raise Invalid(f"expected a map of the arguments {_listed(known)}, or a list of them")
    found: list[Any] = []
    for argument in function.arguments:
        try:
            if argument.name in values:
                found.append(argument.codec.decode(values[argument.name]))
            elif argument.required:
                more = f"; it has no argument {ignored}" if ignored else ""
                raise Invalid(f"argument `{argument.name}` is missing{more}")
            else:
                found.append(None)
        except Invalid as error:
            if argument.name not in values:
                raise
            raise Invalid(f"argument `{argument.name}`: {error}") from None
    return tuple(found), ignored


def _alone(function: Function[Any], content_type: str, body: bytes) -> tuple[Any, ...]:
    """The only argument, of a content type that carries one value."""
    if len(function.arguments) > 1:
        known = ", ".join(argument.name for argument in function.arguments)
        raise _Refuse(415, f"it carries a single argument, and the function takes {len(function.arguments)}: {known}")
    if not function.arguments:
        if body:
            raise Invalid("the function takes no argument")
        return ()
    codec = function.arguments[0].codec
    if content_type == wire.OCTET_STREAM:
        if isinstance(codec, (Bytes, Items)):
            return (codec.decode(body),)
        raise _Refuse(415, "application/octet-stream carries bytes")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Invalid(str(error)) from None
    return (codec.decode(_from_text(codec, text)),)


def _from_text(codec: Codec[Any], text: str) -> Any:
    if isinstance(codec, Nullable):
        return None if text == "" else _from_text(codec.inner, text)
    if isinstance(codec, (Text, Literals)):
        return text
    if isinstance(codec, Integer):
        if not _INTEGER.fullmatch(text):
            raise Invalid(f"expected an integer, not `{text[:60]}`")
        return int(text)
    if isinstance(codec, Number):
        try:
            return float(text)
        except ValueError:
            raise Invalid(f"expected a number, not `{text[:60]}`") from None
    if isinstance(codec, Boolean) and text in ("true", "false"):
        return text == "true"
    raise _Refuse(415, "text/plain carries one scalar")


def _written(codec: Codec[Any], content_type: str, value: Any) -> bytes:
    if content_type == wire.MESSAGE_PACK:
        return wire.pack(value)
    if content_type == wire.JSON:
        return wire.to_json(value)
    if isinstance(codec, Null):
        return b""
    if content_type == wire.OCTET_STREAM:
        if isinstance(value, bytes):
            return value
        raise Invalid("it carries bytes")
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0").encode()
    if isinstance(value, (int, str)):
        return str(value).encode()
    raise Invalid("it carries one scalar")


def now() -> float:
    """The time, in seconds since the Unix epoch."""
    return time.time()
