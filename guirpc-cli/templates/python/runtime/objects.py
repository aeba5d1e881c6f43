"""Values and their shape on the wire: classes, and unions of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .codec import Codec, Invalid, Nullable, wrong

T = TypeVar("T")


@dataclass(frozen=True)
class Field:
    """A member of an object."""

    name: str
    wire: str
    codec: Codec[Any]
    required: bool = True
    # Of one that is not there; without it, that is `None`.
    default: Callable[[], Any] | None = None


class Object(Codec[T], Generic[T]):
    """A class whose fields are the members of a map, some of which may always be the same text."""

    def __init__(
        self,
        cls: Callable[..., T],
        *fields: Field,
        constants: Mapping[str, str] | None = None,
        rest: tuple[str, Codec[Any]] | None = None,
        closed: bool = False,
    ) -> None:
        self.cls: Any = cls
        self.fields = fields
        self.constants = dict(constants or {})
        self.rest = rest
        self.closed = closed
        self.known = {field.wire for field in fields} | set(self.constants)

    def accepts(self, value: object) -> bool:
        return isinstance(value, self.cls)

    def encode(self, value: T) -> dict[str, Any]:
        if not isinstance(value, self.cls):
            raise wrong(f"`{self.cls.__name__}`", value)
        wire: dict[str, Any] = dict(self.constants)
        if self.rest is not None:
            name, codec = self.rest
            for key, item in codec.encode(getattr(value, name)).items():
                if key in self.known:
                    raise Invalid(f"`{key}` is a field of its own").within(name)
                wire[key] = item
        for field in self.fields:
            item = getattr(value, field.name)
            if item is None and not field.required and not isinstance(field.codec, Nullable):
                continue
            try:
                wire[field.wire] = field.codec.encode(item)
            except Invalid as error:
                raise error.within(field.wire) from None
        return wire

    def decode(self, wire: Any) -> T:
        if not isinstance(wire, dict):
            raise wrong("a map", wire)
        values: dict[str, Any] = {}
        for field in self.fields:
            if field.wire in wire:
                try:
                    values[field.name] = field.codec.decode(wire[field.wire])
                except Invalid as error:
                    raise error.within(field.wire) from None
            elif field.required:
                raise Invalid(f"field `{field.wire}` is missing")
            else:
                values[field.name] = field.default() if field.default is not None else None
        for key, text in self.constants.items():
            if wire.get(key) != text:
                raise Invalid(f"it is not `{text}`").within(key)
        others = {key: item for key, item in wire.items() if key not in self.known}
        if self.rest is not None:
            name, codec = self.rest
            values[name] = codec.decode(others)
        elif self.closed and others:
            raise Invalid(f"unknown field `{str(next(iter(others)))[:60]}`")
        made: T = self.cls(**values)
        return made


class Wrapped(Codec[T], Generic[T]):
    """A class with one field, `value`, that travels as this value."""

    def __init__(self, cls: Callable[..., T], inner: Codec[Any]) -> None:
        self.cls: Any = cls
        self.inner = inner

    def accepts(self, value: object) -> bool:
        return isinstance(value, self.cls)

    def encode(self, value: T) -> Any:
        if not isinstance(value, self.cls):
            raise wrong(f"`{self.cls.__name__}`", value)
        return self.inner.encode(getattr(value, "value"))  # noqa: B009

    def decode(self, wire: Any) -> T:
        made: T = self.cls(value=self.inner.decode(wire))
        return made


class Keyed(Codec[Any]):
    """Externally tagged: a text for a variant without data, else a map of one, from the variant to its data."""

    def __init__(self, units: tuple[str, ...], variants: Mapping[str, Codec[Any]]) -> None:
        self.units = units
        self.variants = dict(variants)

    def accepts(self, value: object) -> bool:
        return value in self.units or any(codec.accepts(value) for codec in self.variants.values())

    def encode(self, value: Any) -> Any:
        if isinstance(value, str) and value in self.units:
            return value
        for key, codec in self.variants.items():
            if codec.accepts(value):
                try:
                    return {key: codec.encode(value)}
                except Invalid as error:
                    raise error.within(key) from None
        raise self._unknown(value)

    def decode(self, wire: Any) -> Any:
        if isinstance(wire, str) and wire in self.units:
            return wire
        if isinstance(wire, dict) and len(wire) == 1:
            [(key, item)] = wire.items()
            codec = self.variants.get(key)
            if codec is not None:
                try:
                    return codec.decode(item)
                except Invalid as error:
                    raise error.within(key) from None
            raise self._unknown(key)
        raise self._unknown(wire)

    def _unknown(self, value: Any) -> Invalid:
        choices = ", ".join(f"`{name}`" for name in [*self.units, *self.variants])
        if isinstance(value, str):
            return Invalid(f"`{value[:60]}` is none of {choices}")
        return wrong(f"one of {choices}", value)


class Tagged(Codec[Any]):
    """Internally or adjacently tagged: a member of the map says which variant it is."""

    def __init__(self, tag: str, variants: Mapping[str, Codec[Any]]) -> None:
        self.tag = tag
        self.variants = dict(variants)

    def accepts(self, value: object) -> bool:
        return any(codec.accepts(value) for codec in self.variants.values())

    def encode(self, value: Any) -> Any:
        for codec in self.variants.values():
            if codec.accepts(value):
                return codec.encode(value)
        raise wrong(f"one of {self._choices()}", value)

    def decode(self, wire: Any) -> Any:
        if not isinstance(wire, dict):
            raise wrong("a map", wire)
        if self.tag not in wire:
            raise Invalid(f"field `{self.tag}` is missing")
        name = wire[self.tag]
        codec = self.variants.get(name) if isinstance(name, str) else None
        if codec is None:
            raise Invalid(f"`{str(name)[:60]}` is none of {self._choices()}").within(self.tag)
        return codec.decode(wire)

    def _choices(self) -> str:
        return ", ".join(f"`{name}`" for name in self.variants)


class OneOf(Codec[Any]):
    """Untagged: the first variant that fits."""

    def __init__(self, *variants: Codec[Any]) -> None:
        self.variants = variants

    def accepts(self, value: object) -> bool:
        return any(codec.accepts(value) for codec in self.variants)

    def encode(self, value: Any) -> Any:
        return self._first("encode", value)

    def decode(self, wire: Any) -> Any:
        return self._first("decode", wire)

    def _first(self, do: str, value: Any) -> Any:
        reasons: list[str] = []
        for codec in self.variants:
            try:
                return getattr(codec, do)(value)
            except Invalid as error:
                if str(error) not in reasons:
                    reasons.append(str(error))
        raise Invalid(f"it is none of what it may be: {'; '.join(reasons)}")
