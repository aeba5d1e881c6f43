"""Values and their shape on the wire: scalars, lists and maps.

A codec turns a value into what MessagePack and JSON have (`encode`) and back (`decode`).
Both refuse what is not of its type with an `Invalid`, which says where in the value that is.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")

INT64_MIN = -(2**63)
UINT64_MAX = 2**64 - 1
_SINGLE_MAX = 3.4028235677973366e38
_MOST_LEVELS = 127
_KEY = re.compile(r"-?[0-9]+", re.ASCII)


class Invalid(Exception):
    """A value is not of its type."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = ""

    def within(self, part: str | int) -> Invalid:
        """The same, of the value that this one is in."""
        step = f"[{part}]" if isinstance(part, int) else part
        dot = "" if not self.path or self.path.startswith("[") else "."
        self.path = f"{step}{dot}{self.path}"
        return self

    def __str__(self) -> str:
        return f"`{self.path}`: {self.message}" if self.path else self.message


def shown(value: object) -> str:
    """What a value is, in short: it may be large, or somebody's secret."""
    names = {type(None): "nothing", bool: "a boolean", int: "an integer", float: "a float", str: "a text"}
    names |= {bytes: "bytes", list: "a list", tuple: "a tuple", dict: "a map"}
    return names.get(type(value), f"`{type(value).__name__}`")


def wrong(expected: str, value: object) -> Invalid:
    """Of a value that is of another type."""
    return Invalid(f"expected {expected}, not {shown(value)}")


class Codec(ABC, Generic[T]):
    """How values of a type travel."""

    @abstractmethod
    def encode(self, value: T) -> Any:
        """The value as it travels."""

    @abstractmethod
    def decode(self, wire: Any) -> T:
        """What has come, as a value."""

    def accepts(self, value: object) -> bool:
        """Whether a value is one of this type, as far as a union has to know."""
        try:
            self.encode(value)  # type: ignore[arg-type]
        except Invalid:
            return False
        return True


class Anything(Codec[Any]):
    """Of a type that does not describe itself: whatever MessagePack and JSON have."""

    def encode(self, value: Any) -> Any:
        _check_plain(value, 0)
        return value

    def decode(self, wire: Any) -> Any:
        return wire


def _check_plain(value: Any, level: int) -> None:
    if level > _MOST_LEVELS:
        raise Invalid(f"it has more than {_MOST_LEVELS} levels")
    if value is None or type(value) in (bool, float, bytes):
        return
    if type(value) is int:
        if not INT64_MIN <= value <= UINT64_MAX:
            raise Invalid("an integer has at most 64 bits")
    elif type(value) is str:
        _check_text(value)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _within(index, _check_plain, item, level + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise Invalid(f"a key of a map is a text, not {shown(key)}")
            _check_text(key)
            _within(key, _check_plain, item, level + 1)
    else:
        raise wrong("what MessagePack can carry", value)


def _within(part: str | int, do: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return do(*arguments)
    except Invalid as error:
        raise error.within(part) from None


def _check_text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid("the text has half of a surrogate pair, which UTF-8 has not") from None


class Nothing(Codec[Any]):
    """Of a type that has no values."""

    def encode(self, value: Any) -> Any:
        raise wrong("no value at all", value)

    def decode(self, wire: Any) -> Any:
        raise wrong("no value at all", wire)


class Null(Codec[None]):
    """Nothing, which is a value."""

    def encode(self, value: None) -> None:
        return self.decode(value)

    def decode(self, wire: Any) -> None:
        if wire is not None:
            raise wrong("nothing", wire)


class Boolean(Codec[bool]):
    """A truth value."""

    def encode(self, value: bool) -> bool:
        return self.decode(value)

    def decode(self, wire: Any) -> bool:
        if type(wire) is not bool:
            raise wrong("a boolean", wire)
        return wire


class Integer(Codec[int]):
    """An integer of these, both ends included."""

    def __init__(self, least: int = INT64_MIN, most: int = UINT64_MAX) -> None:
        self.least = least
        self.most = most

    def encode(self, value: int) -> int:
        return self.decode(value)

    def decode(self, wire: Any) -> int:
        if isinstance(wire, bool) or not isinstance(wire, int):
            raise wrong("an integer", wire)
        if not self.least <= wire <= self.most:
            raise Invalid(f"{wire} is not from {self.least} to {self.most}")
        return int(wire)


class Number(Codec[float]):
    """A float of 64 or 32 bits."""

    def __init__(self, single: bool = False) -> None:
        self.single = single

    def encode(self, value: float) -> float:
        return self.decode(value)

    def decode(self, wire: Any) -> float:
        if isinstance(wire, bool) or not isinstance(wire, (int, float)):
            raise wrong("a number", wire)
        try:
            number = float(wire)
        except OverflowError:
            raise Invalid("the number is larger than any float") from None
        if self.single and math.isfinite(number) and abs(number) >= _SINGLE_MAX:
            raise Invalid(f"{number} is larger than any float of 32 bits")
        return number


class Text(Codec[str]):
    """A text of so many characters."""

    def __init__(self, least: int = 0, most: int | None = None) -> None:
        self.least = least
        self.most = most

    def encode(self, value: str) -> str:
        return self.decode(value)

    def decode(self, wire: Any) -> str:
        if not isinstance(wire, str):
            raise wrong("a text", wire)
        _check_text(wire)
        _check_length(len(wire), self.least, self.most, "characters")
        return str(wire)


def _check_length(length: int, least: int, most: int | None, what: str) -> None:
    if length < least or (most is not None and length > most):
        wanted = f"{least}" if most == least else f"{least} to {most}" if most is not None else f"at least {least}"
        raise Invalid(f"it has {length} {what}, not {wanted}")


class Literals(Codec[Any]):
    """One of some texts or other scalars."""

    def __init__(self, *values: str | int | bool | None) -> None:
        self.values = values

    def encode(self, value: Any) -> Any:
        return self.decode(value)

    def decode(self, wire: Any) -> Any:
        for value in self.values:
            if type(wire) is type(value) and wire == value:
                return wire
        choices = ", ".join(f"`{value}`" for value in self.values)
        if isinstance(wire, str):
            raise Invalid(f"`{wire[:60]}` is none of {choices}")
        raise wrong(f"one of {choices}", wire)


class Bytes(Codec[bytes]):
    """Bytes: `bin` in MessagePack, a list of numbers in JSON; either is read."""

    def encode(self, value: bytes) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise wrong("bytes", value)
        return bytes(value)

    def decode(self, wire: Any) -> bytes:
        if isinstance(wire, bytes):
            return wire
        if not isinstance(wire, list):
            raise wrong("bytes", wire)
        octet = Integer(0, 255)
        return bytes(_within(index, octet.decode, item) for index, item in enumerate(wire))


class Nullable(Codec["T | None"], Generic[T]):
    """A value, or nothing."""

    def __init__(self, inner: Codec[T]) -> None:
        self.inner = inner

    def encode(self, value: T | None) -> Any:
        return None if value is None else self.inner.encode(value)

    def decode(self, wire: Any) -> T | None:
        return None if wire is None else self.inner.decode(wire)


class Items(Codec["list[T]"], Generic[T]):
    """A list of so many."""

    def __init__(self, inner: Codec[T], least: int = 0, most: int | None = None) -> None:
        self.inner = inner
        self.least = least
        self.most = most

    def encode(self, value: list[T]) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise wrong("a list", value)
        _check_length(len(value), self.least, self.most, "elements")
        return [_within(index, self.inner.encode, item) for index, item in enumerate(value)]

    def decode(self, wire: Any) -> list[T]:
        if isinstance(wire, bytes):
            wire = list(wire)
        if not isinstance(wire, list):
            raise wrong("a list", wire)
        _check_length(len(wire), self.least, self.most, "elements")
        return [_within(index, self.inner.decode, item) for index, item in enumerate(wire)]


class Tuple(Codec[Any]):
    """A list with a type for each place."""

    def __init__(self, *inners: Codec[Any]) -> None:
        self.inners = inners

    def encode(self, value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise wrong("a tuple", value)
        _check_length(len(value), len(self.inners), len(self.inners), "elements")
        pairs = zip(self.inners, value, strict=True)
        return [_within(index, inner.encode, item) for index, (inner, item) in enumerate(pairs)]

    def decode(self, wire: Any) -> Any:
        if isinstance(wire, bytes):
            wire = list(wire)
        if not isinstance(wire, list):
            raise wrong("a list", wire)
        _check_length(len(wire), len(self.inners), len(self.inners), "elements")
        pairs = zip(self.inners, wire, strict=True)
        return tuple(_within(index, inner.decode, item) for index, (inner, item) in enumerate(pairs))


class Entries(Codec["dict[str, T]"], Generic[T]):
    """A map whose keys are texts."""

    def __init__(self, inner: Codec[T]) -> None:
        self.inner = inner

    def encode(self, value: dict[str, T]) -> dict[str, Any]:
        return {key: _within(key, self.inner.encode, item) for key, item in _map(value, str, "a text").items()}

    def decode(self, wire: Any) -> dict[str, T]:
        return {key: _within(key, self.inner.decode, item) for key, item in _map(wire, str, "a text").items()}


class IntegerEntries(Codec["dict[int, T]"], Generic[T]):
    """A map whose keys are integers: their digits on the wire."""

    def __init__(self, inner: Codec[T], signed: bool = False) -> None:
        self.inner = inner
        self.signed = signed

    def encode(self, value: dict[int, T]) -> dict[str, Any]:
        entries = _map(value, int, "an integer").items()
        return {str(self._key(key)): _within(str(key), self.inner.encode, item) for key, item in entries}

    def decode(self, wire: Any) -> dict[int, T]:
        entries = _map(wire, (str, int), "an integer").items()
        return {self._key(key): _within(str(key), self.inner.decode, item) for key, item in entries}

    def _key(self, key: str | int) -> int:
        if isinstance(key, bool) or (isinstance(key, str) and (len(key) > 40 or not _KEY.fullmatch(key))):
            raise Invalid(f"a key of the map is an integer, not `{str(key)[:60]}`")
        number = int(key)
        if number < 0 and not self.signed:
            raise Invalid(f"a key of the map is not negative, as {number} is")
        return number


def _map(value: Any, keys: type | tuple[type, ...], what: str) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise wrong("a map", value)
    for key in value:
        if not isinstance(key, keys):
            raise Invalid(f"a key of the map is {what}, not {shown(key)}")
        if isinstance(key, str):
            _check_text(key)
    return value


class Lazy(Codec[T], Generic[T]):
    """A codec that is defined further down, or refers to itself."""

    def __init__(self, find: Callable[[], Codec[T]]) -> None:
        self.find = find

    def encode(self, value: T) -> Any:
        return self.find().encode(value)

    def decode(self, wire: Any) -> T:
        return self.find().decode(wire)

    def accepts(self, value: object) -> bool:
        return self.find().accepts(value)
