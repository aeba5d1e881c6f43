"""The client that blocks, against the service in Rust: one case, named on the command line."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cases
import shop
from cases import Step, judge
from shop.blocking import Shop


def every_function() -> None:
    """Every function, and every way in which a call ends."""
    with Shop(cases.uri()) as client:
        for step in cases.steps():
            judge(step, *take(client, step))
        for make, place in cases.invalid_orders():
            try:
                output: Any = client.place(make())
            except Exception as error:  # noqa: BLE001
                assert type(error).__name__ in ("InvalidArguments", "ValidationError"), (place, error)
                assert place in str(error), (place, error)
            else:
                raise AssertionError((place, output))
        with ThreadPoolExecutor(16) as threads:
            assert list(threads.map(lambda n: client.add(n, 1), range(500))) == list(range(1, 501))


def take(client: Shop, step: Step) -> tuple[Any, BaseException | None]:
    """What becomes of a step."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(client, step.function)(*step.arguments, **step.keywords), None
    except Exception as error:  # noqa: BLE001
        return None, error


def nobody_serves() -> None:
    """Nothing ran, and it may work later."""
    client = Shop(cases.uri())
    step = cases.failing("add", (1, 2), shop.Unroutable, False, True, lambda e: "`shop`" in str(e))
    for _ in range(2):
        judge(step, *take(client, step))
    try:
        client.send_reset()
    except shop.Unroutable:
        client.close()
        return
    raise AssertionError("a send that no queue takes is accepted")


def no_broker() -> None:
    """Nothing was sent."""
    client = Shop("amqp://guest:guest@127.0.0.1:1/")
    step = cases.late("add", (1, 2), shop.Disconnected, False, True, 0.5)
    judge(step, *take(client, step))
    client.close()


def lost_connection() -> None:
    """A call in flight fails, or is made again if its function is idempotent."""
    with Shop(cases.uri(), timeout=20) as client:
        client.add(1, 1)
        ended: list[BaseException | None] = []
        slow = threading.Thread(target=lambda: ended.append(take(client, Step("fail", ("slow",)))[1]))
        slow.start()
        time.sleep(0.5)
        cases.emit(ready=True)
        slow.join()
        [error] = ended
        assert isinstance(error, shop.Disconnected), error
        assert error.sent and error.may_have_run and not error.is_retryable, error
        assert client.add(40, 2) == 42


def calls_an_idempotent_function_again() -> None:
    """The connection is lost while it is in flight; it comes again under the same id."""
    with Shop(cases.uri(), timeout=20) as client:
        assert client.add(1, 2) == 3


def one_request() -> None:
    """One call, whose message the test looks at."""
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tenant": "acme"}
    client = Shop(cases.uri())
    try:
        client.add(1, 2, timeout=5.0, headers=headers)
    except shop.TimedOut as error:
        assert error.is_retryable and error.may_have_run, error
    client.send_place(cases.order(3), expires=30.0)
    client.close()


def sends() -> None:
    """Done when the broker has confirmed it."""
    with Shop(cases.uri()) as client:
        client.send_place(cases.order(0))
        client.send_fail("fault")
        client.send_reset()


def too_large() -> None:
    """Refused here, or by the service."""
    with Shop(cases.uri(), max_body=1000) as client:
        step = cases.failing("checksum", (bytes(1000),), shop.TooLarge, False, False, lambda _: True)
        judge(step, *take(client, step))
    with Shop(cases.uri(), max_body=1 << 30) as client:
        step = cases.failing("checksum", (bytes(17 << 20),), shop.Refused, False, False, lambda e: e.status == 413)
        judge(step, *take(client, step))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("passed")
