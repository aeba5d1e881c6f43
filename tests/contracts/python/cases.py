"""What the two forms of the client have in common: each case, as steps that either of them takes.

A step is (how it is shown, the call, what is expected: a value, or an exception with what it has to be).
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from typing import Any

import shop
from shop import types

Check = Callable[[BaseException], bool]


@dataclasses.dataclass
class Step:
    """A call, and how it has to end."""

    function: str
    arguments: tuple[Any, ...]
    output: Any = None
    raises: type[BaseException] | None = None
    may_have_run: bool | None = None
    is_retryable: bool | None = None
    check: Check = lambda _: True
    keywords: dict[str, Any] = dataclasses.field(default_factory=dict)


def order(count: int, **more: Any) -> types.Order:
    """An order of so many."""
    article = types.ArticleInput(id=5, name="tea", tags=["hot"])
    delivery: types.Delivery = types.DeliveryParcel(street="Mill Lane", weight=1.5)
    size: types.Size = types.SizeCustom(value=(3, 4))
    values: dict[str, Any] = {"article": article, "delivery": delivery, "size": size}
    values |= {"prices": {"unit": 2.5}, "note": None}
    return types.Order(count=count, **(values | more))


def article(number: int) -> types.ArticleOutput:
    """What `find` gives."""
    return types.ArticleOutput(id=number, name=f"tea {number}", tags=["found"])


RECEIPT = types.Receipt(number=(1 << 60) + 5, total=10.0, stock={7: 6})


def steps() -> list[Step]:
    """Every function, and every way in which a call ends."""
    sold_out, too_many = "SoldOut", types.PlaceErrorTooMany(left=10)
    return [
        Step("add", (-(2**63), 2**63 - 1), -1),
        Step("checksum", (bytes(range(256)),), 32640),
        Step("find", ("tea", 2), [article(1), article(2)]),
        Step("find", ("tea",), [article(1), article(2), article(3)]),
        Step("opaque", ({"value": [1, None, {"a": -1.5}]},), {"value": [1, None, {"a": -1.5}]}),
        Step("place", (order(4),), RECEIPT),
        Step("place", (order(4, delivery=types.DeliveryPickup(), size="Small", note="x"),), RECEIPT),
        Step("reset", (), None),
        failing("place", (order(0),), shop.PlaceError, True, False, lambda e: e.error == sold_out),
        failing("place", (order(11),), shop.PlaceError, True, False, lambda e: e.error == too_many),
        failing("fail", ("fault",), shop.Fault, True, False, is_fault),
        failing("fail", ("panic",), shop.Fault, True, False, lambda e: e.status == 500 and "on purpose" in str(e)),
        late("fail", ("slow",), shop.TimedOut, True, False, 0.3),
        refused("add", (2**63, 1), "argument `a`: 9223372036854775808 is not from"),
        refused("add", ("1", 1), "argument `a`: expected an integer, not a text"),
        refused("add", (True, 1), "argument `a`: expected an integer, not a boolean"),
        refused("add", (None, 1), "argument `a`: expected an integer, not nothing"),
        refused("checksum", ("text",), "argument `data`: expected bytes, not a text"),
        refused("opaque", ({"value": {1, 2}},), "argument `thing`: `value`: expected what MessagePack can carry"),
        refused("opaque", (2**64,), "argument `thing`: an integer has at most 64 bits"),
    ]


def failing(
    function: str, arguments: tuple[Any, ...], raises: type[BaseException], ran: bool, again: bool, check: Any
) -> Step:
    """A call that ends so."""
    return Step(function, arguments, None, raises, ran, again, check)


def late(
    function: str, arguments: tuple[Any, ...], raises: type[BaseException], ran: bool, again: bool, timeout: float
) -> Step:
    """A call that ends so after this time."""
    return Step(function, arguments, None, raises, ran, again, keywords={"timeout": timeout})


def refused(function: str, arguments: tuple[Any, ...], text: str) -> Step:
    """A call that is refused before it is sent."""
    return Step(function, arguments, None, shop.InvalidArguments, False, False, lambda e: text in str(e))


def invalid_orders() -> list[tuple[Callable[[], types.Order], str]]:
    """Orders that dataclasses let through, and the client does not; pydantic refuses them when they are made."""
    return [
        (lambda: order(65536), "count"),
        (lambda: order(-1), "count"),
        (lambda: order(1, prices={"unit": "2"}), "prices"),
        (lambda: order(1, size=types.SizeCustom(value=(1, -1))), "-1"),
        (lambda: order(1, size=types.SizeCustom(value=(1, 2, 3))), "2"),  # type: ignore[arg-type]
        (lambda: order(1, size="Medium"), "size"),
        (lambda: order(1, delivery={"kind": "pickup"}), "delivery"),
        (lambda: order(1, note=7), "note"),
        (lambda: order(1, article=types.ArticleInput(id=-1, name="x")), "id"),
        (lambda: order(1, article=types.ArticleInput(id=1, name=2)), "name"),  # type: ignore[arg-type]
    ]


def is_fault(error: Any) -> bool:
    """That of `fail`, whole."""
    return (error.status, error.message, error.details) == (409, "there already", {"how": "fault"})


def judge(step: Step, output: Any, error: BaseException | None) -> None:
    """Fails unless a step has ended as it should."""
    shown = f"{step.function}{step.arguments}: {output!r}, {error!r}"
    if step.raises is None:
        assert error is None and output == step.output and type(output) is type(step.output), shown
        return
    assert type(error) is step.raises, shown
    assert step.check(error), shown
    if isinstance(error, shop.CallError):
        assert (error.may_have_run, error.is_retryable) == (step.may_have_run, step.is_retryable), shown


def uri() -> str:
    """Where the broker is."""
    return os.environ["AMQP_URI"]


def emit(**values: Any) -> None:
    """Says something to the test."""
    print(json.dumps(values), flush=True)
