"""Requests and replies as messages, whatever carries them."""

from __future__ import annotations

import importlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .codec import Codec, Invalid
from .errors import CallError, Fault, FunctionError, InvalidArguments, Refused, TooLarge, Undecodable, Unsendable

# It comes without type hints.
_msgpack: Any = importlib.import_module("msgpack")

T = TypeVar("T")
Header = str | int | float | bool | bytes | None
Headers = Mapping[str, Header]

EXCHANGE = "guirpc"
DIRECT_REPLY_TO = "amq.rabbitmq.reply-to"
DEADLINE = "guirpc-deadline"
TIMEOUT = "guirpc-timeout"
ATTEMPTS = "guirpc-attempts"
CONTRACT = "guirpc-contract"
RESPONSE_STATUS = "Response-Status"
REPLIES = "guirpc.replies"
MESSAGE_PACK = "application/msgpack"
JSON = "application/json"
TEXT = "text/plain"
OCTET_STREAM = "application/octet-stream"
DEFAULT_TIMEOUT = 10.0
DEFAULT_MAX_BODY = 16 << 20
_MOST_EXPIRATION = 2**32 - 1
_SHORT = 255


@dataclass(frozen=True)
class Argument:
    """An argument of a function."""

    name: str
    codec: Codec[Any]
    type_name: str
    required: bool = True


@dataclass(frozen=True)
class Function(Generic[T]):
    """A function, as the contract has it."""

    name: str
    arguments: tuple[Argument, ...]
    output: Codec[T]
    output_type: str
    signature: str
    docs: str = ""
    lane: str | None = None
    timeout_ms: int | None = None
    idempotent: bool = False
    early: bool = False
    error: Codec[Any] | None = None
    error_status: int = 422
    raises: type[FunctionError[Any]] | None = None


@dataclass(frozen=True)
class Service:
    """A service, as the contract has it."""

    name: str
    hash: str
    guirpc: str
    functions: Mapping[str, Function[Any]]


@dataclass(frozen=True)
class Message:
    """A request on its way out."""

    routing_key: str
    function: str
    body: bytes
    headers: dict[str, Header]


@dataclass(frozen=True)
class Reply:
    """A reply as it came."""

    kind: str | None
    status: int
    content_type: str
    headers: Mapping[str, Any]
    body: bytes


def uris(uri: str | None) -> list[str]:
    """Where the broker is, or several with commas between them: `AMQP_URI`, or this machine."""
    text = uri or os.environ.get("AMQP_URI") or "amqp://localhost"
    found: list[str] = []
    for part in text.split(","):
        if part.startswith(("amqp://", "amqps://")) or not found:
            found.append(part)
        else:
            # A comma of a password's.
            found[-1] += "," + part
    return found


def correlation_id() -> str:
    """An id that nobody can guess, whoever has seen others."""
    return secrets.token_urlsafe(24)


def pack(value: Any) -> bytes:
    """As MessagePack."""
    packed: bytes = _msgpack.packb(value, use_bin_type=True)
    return packed


class Twice:
    """The key that was there twice in the outermost map, if there is one."""

    def __init__(self) -> None:
        self.key: Any = None

    def read(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        """The map of these; the outermost is read last."""
        entries = dict(pairs)
        keys = [key for key, _ in pairs]
        self.key = next((key for key in entries if keys.count(key) > 1), None) if len(entries) < len(pairs) else None
        return entries


def unpack(body: bytes, twice: Twice | None = None) -> Any:
    """Out of MessagePack; raises `Invalid`."""
    hook = None if twice is None else twice.read
    try:
        return _msgpack.unpackb(body, raw=False, strict_map_key=False, object_pairs_hook=hook)
    except (ValueError, TypeError, RecursionError, _msgpack.UnpackException) as error:
        raise Invalid(f"this is no MessagePack: {error or type(error).__name__}") from None


def to_json(value: Any) -> bytes:
    """As JSON; raises `Invalid`."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_json_default)
        return text.encode()
    except ValueError:
        raise Invalid("JSON has no number for NaN and infinities") from None


def _json_default(value: Any) -> Any:
    if isinstance(value, bytes):
        return list(value)
    raise Invalid(f"JSON has no `{type(value).__name__}`")


def from_json(body: bytes, twice: Twice | None = None) -> Any:
    """Out of JSON; raises `Invalid`."""

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is no number of JSON")

    try:
        hook = None if twice is None else twice.read
        return json.loads(body.decode(), parse_constant=constant, object_pairs_hook=hook)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"this is no JSON: {error}") from None


def codec_of(content_type: str | None) -> str | None:
    """The content type in its own form; MessagePack if there is none, `None` if it is unknown."""
    if not content_type:
        return MESSAGE_PACK
    essence = content_type.split(";")[0].strip().lower()
    return essence if essence in (MESSAGE_PACK, JSON, TEXT, OCTET_STREAM) else None


def current_trace() -> dict[str, str]:
    """The trace of opentelemetry's current context, if that package is there."""
    try:
        propagate: Any = importlib.import_module("opentelemetry.propagate")
    except ImportError:
        return {}
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return {name: carrier[name] for name in ("traceparent", "tracestate", "baggage") if name in carrier}


def message(
    service: Service,
    function: Function[Any],
    values: tuple[Any, ...],
    headers: Headers | None,
    max_body: int,
) -> Message:
    """A request, checked: nothing is sent that the function could not take."""
    arguments: dict[str, Any] = {}
    for argument, value in zip(function.arguments, values, strict=True):
        if value is None and not argument.required:
            continue
        try:
            arguments[argument.name] = argument.codec.encode(value)
        except Invalid as error:
            raise InvalidArguments(f"argument `{argument.name}`: {error}") from None
    try:
        body = pack(arguments)
    except (ValueError, OverflowError, TypeError) as error:
        raise InvalidArguments(f"the arguments of `{function.name}` cannot be sent: {error}") from None
    if len(body) > max_body:
        raise TooLarge(f"the request has {len(body)} bytes, this client sends at most {max_body} (`max_body`)")
    own: dict[str, Header] = {**current_trace(), **(headers or {}), CONTRACT: service.hash}
    for name in own:
        if len(name.encode()) > _SHORT:
            raise Unsendable(f"the name of header `{name[:20]}…` is longer than {_SHORT} bytes")
    routing_key = service.name if function.lane is None else f"{service.name}.{function.lane}"
    return Message(routing_key, function.name, body, own)


def deadline_headers(left: float) -> dict[str, Header]:
    """When whoever publishes now stops to wait, in milliseconds."""
    timeout = max(int(left * 1000), 0)
    return {DEADLINE: int(time.time() * 1000) + timeout, TIMEOUT: timeout}


def expiration(left: float) -> int | None:
    """After how many milliseconds the broker drops the request; RabbitMQ takes no more than 32 bits."""
    milliseconds = max(int(left * 1000), 1)
    return milliseconds if milliseconds <= _MOST_EXPIRATION else None


def timeout_of(function: Function[Any], own: float | None, client: float | None) -> float:
    """How long a call is waited for: as it says itself, the client, the contract, or 10 seconds."""
    of_function = None if function.timeout_ms is None else function.timeout_ms / 1000
    return next(timeout for timeout in (own, client, of_function, DEFAULT_TIMEOUT) if timeout is not None)


def text_of(value: Any) -> str | None:
    """A property or a header that is a text."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else None


def integer_of(value: Any) -> int | None:
    """A header that is an integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def replies(kind: str | None, correlation: str | None, reply: Reply) -> list[tuple[str, Reply]]:
    """The replies in a message, with the ids of their calls: one, or several that travel together."""
    if kind != REPLIES:
        return [] if correlation is None else [(correlation, reply)]
    try:
        several = unpack(reply.body)
    except Invalid:
        return []
    found: list[tuple[str, Reply]] = []
    for one in several if isinstance(several, list) else []:
        if isinstance(one, list) and len(one) >= 6 and isinstance(one[0], str) and isinstance(one[5], bytes):
            headers = one[4] if isinstance(one[4], dict) else {}
            content_type = one[3] or MESSAGE_PACK
            found.append((one[0], Reply(one[1], integer_of(one[2]) or 0, content_type, headers, one[5])))
    return found


def outcome(function: Function[T], reply: Reply, repeated: bool, max_body: int) -> T:
    """The output that a reply carries; raises what it carries else."""
    if len(reply.body) > max_body:
        raise Undecodable(f"the reply has {len(reply.body)} bytes, this client takes at most {max_body} (`max_body`)")
    if reply.kind == "error":
        if function.error is None or function.raises is None:
            raise Undecodable("the function's error cannot be decoded: the contract has none")
        raise function.raises(_decode(function.error, reply, "function's error"))
    if reply.kind in ("fault", "refusal") or (reply.kind is None and 400 <= reply.status < 600):
        raise _failure(function, reply, repeated)
    if reply.kind is None and reply.status == 0:
        raise Undecodable("the reply has no status, so that it means nothing")
    return _decode(function.output, reply, "output")


def _decode(codec: Codec[T], reply: Reply, what: str) -> T:
    try:
        return codec.decode(_value(reply))
    except Invalid as error:
        raise Undecodable(
            f"the {what} cannot be decoded, caller and service disagree about its type: {error}"
        ) from None


def _value(reply: Reply) -> Any:
    content_type = codec_of(reply.content_type)
    if content_type == MESSAGE_PACK:
        return unpack(reply.body)
    if content_type == JSON:
        return from_json(reply.body)
    raise Invalid(f"the reply has the content type `{reply.content_type}`")


def _failure(function: Function[Any], reply: Reply, repeated: bool) -> CallError:
    text, details = reply.body.decode(errors="replace"), None
    if codec_of(reply.content_type) in (MESSAGE_PACK, JSON):
        try:
            value = _value(reply)
            if isinstance(value, dict) and isinstance(value.get("message"), str):
                text, details = value["message"], value.get("details")
        except Invalid:
            pass
    if reply.kind == "refusal":
        may_have_run = repeated or integer_of(reply.headers.get(ATTEMPTS)) is not None
        return Refused(reply.status, text, may_have_run, function.idempotent)
    return Fault(reply.status, text, details)
