"""The service `shop` in Python, which does what `service.rs` does."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import shop
from shop import server, types


def add(a: int, b: int) -> int:
    """With as many bits as the other has, around."""
    return (a + b + 2**63) % 2**64 - 2**63


def checksum(data: bytes) -> int:
    """The sum of all bytes."""
    return sum(data)


async def find(name: str, limit: int | None) -> list[types.ArticleOutput]:
    """Finds articles by their name."""
    count = 3 if limit is None else limit
    return [types.ArticleOutput(id=n, name=f"{name} {n}", tags=["found"]) for n in range(1, count + 1)]


def opaque(thing: Any) -> Any:
    """As it came; it is a map with a `value`."""
    if not isinstance(thing, dict) or "value" not in thing:
        raise shop.Fault(500, "the thing has no value")
    return {"value": thing["value"]}


async def place(order: types.Order) -> types.Receipt:
    """Places an order."""
    await asyncio.sleep(0)
    if order.count == 0:
        raise shop.PlaceError("SoldOut")
    if order.count > 10:
        raise shop.PlaceError(types.PlaceErrorTooMany(left=10))
    total = order.prices.get("unit", 1.0) * order.count
    return types.Receipt(number=(1 << 60) + order.article.id, total=total, stock={7: 10 - order.count})


def reset() -> None:
    """Does nothing."""


def fail(how: str) -> None:
    """Fails as it says."""
    if how == "panic":
        raise RuntimeError("on purpose")
    if how == "slow":
        time.sleep(5)
        return
    raise shop.Fault(409, "there already", {"how": how})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    server.serve(
        {
            "add": add,
            "checksum": checksum,
            "fail": fail,
            "find": find,
            "opaque": opaque,
            "place": place,
            "reset": reset,
        }
    )
