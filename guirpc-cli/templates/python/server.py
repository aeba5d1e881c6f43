"""A server of service `{{service}}`: its functions in Python, called as those of a server in Rust are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
{{imports}}

class {{class}}Service(Protocol):
    """The functions of service `{{service}}`, as methods; each may be `async`, and runs on a thread if it is not.

    One raises its own error out of `errors`, or a `Fault`; any other exception is a fault of status 500.
    """
{{methods}}

{{functions}}
{{names}}

def server(
    functions: {{class}}Service | {{class}}Functions,
    *,
    uri: str | None = None,
    workers: int = 8,
    prefetch: int | None = None,
    drain: float = 20.0,
    max_body: int = 16 << 20,
    max_deliveries: int = 5,
    clock_tolerance: float = 1.0,
) -> Server:
    """A server, to be started with `async with`, or to serve with `await server.serve()`.

    `workers` functions run at once in each lane. A shutdown waits for what runs, for at most `drain` seconds.
    """
    found: dict[str, Any]
    if isinstance(functions, dict):
        found = dict(functions)
    else:
        found = {name: getattr(functions, method) for name, method in _NAMES.items()}
    return Server(
        _functions.SERVICE,
        found,
        uri=uri,
        workers=workers,
        prefetch=prefetch,
        drain=drain,
        max_body=max_body,
        max_deliveries=max_deliveries,
        clock_tolerance=clock_tolerance,
    )


def serve(functions: {{class}}Service | {{class}}Functions, *, uri: str | None = None, workers: int = 8) -> None:
    """Serves until SIGTERM or SIGINT."""
    asyncio.run(_serve(functions, uri, workers))


async def _serve(functions: {{class}}Service | {{class}}Functions, uri: str | None, workers: int) -> None:
    await server(functions, uri=uri, workers=workers).serve()


def request() -> Request:
    """The request that the function answers in which this is called: its headers, its deadline."""
    return current.get()
