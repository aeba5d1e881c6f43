"""The client for asyncio, against the service in Rust: one case, named on the command line."""

from __future__ import annotations

import asyncio
import sys
import warnings
from typing import Any

import cases
import shop
from cases import Step, judge


async def every_function() -> None:
    """Every function, and every way in which a call ends."""
    async with shop.Shop(cases.uri()) as client:
        for step in cases.steps():
            output, error = await take(client, step)
            judge(step, output, error)
        for make, place in cases.invalid_orders():
            output, error = await take_order(client, make)
            assert type(error).__name__ in ("InvalidArguments", "ValidationError"), (place, output, error)
            assert place in str(error), (place, error)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            await client.find("tea", 1)
        assert any("use `search`" in str(one.message) for one in caught), caught
        # Many at once, each with its own reply.
        assert await asyncio.gather(*[client.add(n, 1) for n in range(500)]) == list(range(1, 501))


async def take(client: shop.Shop, step: Step) -> tuple[Any, BaseException | None]:
    """What becomes of a step."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return await getattr(client, step.function)(*step.arguments, **step.keywords), None
    except Exception as error:  # noqa: BLE001
        return None, error


async def take_order(client: shop.Shop, make: Any) -> tuple[Any, BaseException | None]:
    """What becomes of an order that is none."""
    try:
        return await client.place(make()), None
    except Exception as error:  # noqa: BLE001
        return None, error


async def nobody_serves() -> None:
    """Nothing ran, and it may work later."""
    async with shop.Shop(cases.uri()) as client:
        step = cases.failing("add", (1, 2), shop.Unroutable, False, True, lambda e: "`shop`" in str(e))
        for _ in range(2):
            judge(step, *await take(client, step))
        try:
            await client.send_reset()
        except shop.Unroutable:
            return
    raise AssertionError("a send that no queue takes is accepted")


async def no_broker() -> None:
    """Nothing was sent."""
    client = shop.Shop("amqp://guest:guest@127.0.0.1:1/")
    step = cases.late("add", (1, 2), shop.Disconnected, False, True, 0.5)
    judge(step, *await take(client, step))
    await client.close()


async def lost_connection() -> None:
    """A call in flight fails, or is made again if its function is idempotent."""
    async with shop.Shop(cases.uri(), timeout=20) as client:
        await client.add(1, 1)
        slow = asyncio.create_task(take(client, cases.failing("fail", ("slow",), shop.Disconnected, True, False, None)))
        await asyncio.sleep(0.5)
        cases.emit(ready=True)
        _, error = await slow
        assert isinstance(error, shop.Disconnected), error
        assert error.sent and error.may_have_run and not error.is_retryable, error
        # It connects again by itself.
        assert await client.add(40, 2) == 42


async def calls_an_idempotent_function_again() -> None:
    """The connection is lost while it is in flight; it comes again under the same id."""
    async with shop.Shop(cases.uri(), timeout=20) as client:
        assert await client.add(1, 2) == 3


async def one_request() -> None:
    """One call, whose message the test looks at."""
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tenant": "acme"}
    client = shop.Shop(cases.uri())
    try:
        await client.add(1, 2, timeout=5.0, headers=headers)
    except shop.TimedOut as error:
        assert error.is_retryable and error.may_have_run, error
    await client.send_place(cases.order(3), expires=30.0)
    await client.close()


async def sends() -> None:
    """Done when the broker has confirmed it."""
    async with shop.Shop(cases.uri()) as client:
        await client.send_place(cases.order(0))
        await client.send_fail("fault")
        await client.send_reset()


async def too_large() -> None:
    """Refused here, or by the service."""
    async with shop.Shop(cases.uri(), max_body=1000) as client:
        step = cases.failing("checksum", (bytes(1000),), shop.TooLarge, False, False, lambda _: True)
        judge(step, *await take(client, step))
    async with shop.Shop(cases.uri(), max_body=1 << 30) as client:
        step = cases.failing("checksum", (bytes(17 << 20),), shop.Refused, False, False, lambda e: e.status == 413)
        judge(step, *await take(client, step))


if __name__ == "__main__":
    asyncio.run(globals()[sys.argv[1]]())
    print("passed")
