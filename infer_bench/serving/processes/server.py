"""uvicorn, told what it needs: its own loop and parser, no log of requests, an end that drains."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from typing import Any

from uvicorn import Config, Server

from infer_bench.serving.app import Application
from infer_bench.serving.processes.protocol import KEEP_ALIVE_S, make_protocol

BACKLOG = 2048


class DrainingServer(Server):
    """A server that leaves signals to `serve`, and tells when it accepts requests."""

    def __init__(self, config: Config, tell_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_ready = tell_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Not here: uvicorn raises them again at the end, and the process would end by one."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self._tell_ready()


def serve(
    app: Application, listener: socket.socket, *, drain_s: float, tell_ready: Callable[[], None], parent: int
) -> None:
    """Serve until SIGTERM, or until the descriptor `parent` can be read: then whoever watches is gone."""
    config = Config(
        app,
        http=make_protocol(app),  # type: ignore[arg-type]
        loop="none",
        lifespan="off",
        ws="none",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=int(KEEP_ALIVE_S),
        timeout_graceful_shutdown=max(1, round(drain_s)),
    )
    server = DrainingServer(config, tell_ready)
    with asyncio.Runner(loop_factory=_find_loop()) as runner:
        runner.run(_serve(server, app, listener, parent))


async def _serve(server: Server, app: Application, listener: socket.socket, parent: int) -> None:
    loop = asyncio.get_running_loop()

    def drain() -> None:
        app.service.draining = True
        server.should_exit = True

    def leave() -> None:
        loop.remove_reader(parent)
        drain()

    loop.add_signal_handler(signal.SIGTERM, drain)
    loop.add_reader(parent, leave)
    await server.serve([listener])


def _find_loop() -> Callable[[], Any] | None:
    """uvloop's loop where it is installed; it is for POSIX only."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
