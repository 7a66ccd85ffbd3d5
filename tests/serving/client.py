"""Requests to an application, in this process."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx


def converse(app: Any, talk: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await talk(client)

    return asyncio.run(run())


def ask(app: Any, method: str, path: str, **arguments: Any) -> httpx.Response:
    async def talk(client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(method, path, **arguments)

    response: httpx.Response = converse(app, talk)
    return response


def predict(app: Any, records: Any) -> httpx.Response:
    return ask(app, "POST", "/predict", json=records)


def ask_together(app: Any, bodies: list[Any]) -> list[httpx.Response]:
    async def talk(client: httpx.AsyncClient) -> Any:
        return await asyncio.gather(*(client.post("/predict", json=body) for body in bodies))

    responses: list[httpx.Response] = converse(app, talk)
    return responses


def counters(app: Any) -> dict[str, float]:
    """The numbers of /metrics by their names with labels."""
    lines = ask(app, "GET", "/metrics").text.splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}
