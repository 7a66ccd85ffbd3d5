"""The connections to a target, and the requests that wait for one."""

import asyncio
import ssl
from collections import deque

from infer_bench.engines.http.messages import require_plain
from infer_bench.measure.load.generator.clock import SpinningClock
from infer_bench.measure.load.generator.connection import IDLE, Connection
from infer_bench.measure.load.recorded_answers import flatten_answer, record_outputs
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service

_SWEEP_S = 0.01
"""How often requests whose time is over are looked for."""


class Pool:
    """At most `size` connections to a service. A request that is due while all are busy waits for the next free one.

    Connections take turns, so that the processes of a server all get some. Whatever becomes of a request stands in the
    recording, at the latest `timeout_ns` after it was due.
    """

    def __init__(
        self,
        service: Service,
        size: int,
        recording: Recording,
        clock: SpinningClock,
        timeout_ns: int,
    ) -> None:
        self._target, self._address, self._size = service.target, service.address, size
        self._codec, self._payloads, self._recording = service.codec, service.payloads, recording
        self._clock, self._timeout_ns = clock, timeout_ns
        self._loop = asyncio.get_running_loop()
        self._tls = ssl.create_default_context() if service.target.tls else None
        self._idle: deque[Connection] = deque()
        self._queue: deque[int] = deque()
        self._in_flight: dict[int, Connection | None] = {}
        self._unsettled: deque[int] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self._open: set[Connection] = set()
        self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def stamp(self) -> int:
        """The time at which something happened."""
        self._clock.events += 1
        return self._clock.now_ns()

    async def open(self, count: int) -> None:
        """Open so many connections beforehand; those that fail are tried again when they are needed."""
        for _ in range(min(count, self._size)):
            self._connect(IDLE)
        while self._opening:
            await asyncio.wait(self._opening)

    def submit(self, place: int) -> None:
        """Send a request, now or when a connection is free."""
        self._unsettled.append(place)
        if self._dispatch(place):
            return
        self._recording.waits[place] = 1
        self._queue.append(place)

    def _dispatch(self, place: int) -> bool:
        """Hand a request to a connection that is idle, or to a new one."""
        while self._idle:
            connection = self._idle.popleft()
            if connection.is_usable:
                self._recording.sent[place] = self._clock.now_ns()
                self._send(connection, place)
                return True
        if len(self._open) + len(self._opening) >= self._size:
            return False
        self._recording.sent[place] = self._clock.now_ns()
        self._in_flight[place] = None
        self._connect(place)
        return True

    def _send(self, connection: Connection, place: int) -> None:
        self._in_flight[place] = connection
        connection.send(place, self._payloads.at(place))

    def _connect(self, place: int) -> None:
        task = self._loop.create_task(self._open_connection(place))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open_connection(self, place: int) -> None:
        self._recording.connects += 1
        connection = Connection(self, place)
        try:
            async with asyncio.timeout(self._timeout_ns / 1e9):
                await self._loop.create_connection(
                    lambda: connection,
                    self._address,
                    self._target.port,
                    ssl=self._tls,
                    server_hostname=self._target.host if self._tls else None,
                )
        except (TimeoutError, OSError) as error:
            connection.is_lost = True  # it may have been made just before the time was over
            self._open.discard(connection)
            self._settle_failure(place, _name_failure(error), str(error))
            self._loop.call_soon(self._serve_queue)

    def take_in(self, connection: Connection) -> None:
        """A connection is open: send what it was opened for, or what waits."""
        self._open.add(connection)
        place, connection.place = connection.place, IDLE
        if place in self._in_flight:
            self._send(connection, place)
        else:
            self._make_available(connection)

    def _make_available(self, connection: Connection) -> None:
        place = self._next_in_queue()
        if place == IDLE:
            self._idle.append(connection)
            return
        self._recording.sent[place] = self._clock.now_ns()
        self._send(connection, place)

    def _next_in_queue(self) -> int:
        while self._queue:
            place = self._queue.popleft()
            if not self._recording.is_settled(place):
                return place
        return IDLE

    def _serve_queue(self) -> None:
        """Open connections for what waits."""
        while (place := self._next_in_queue()) != IDLE:
            if not self._dispatch(place):
                self._queue.appendleft(place)
                return

    def finish(self, connection: Connection, now_ns: int) -> None:
        """An answer is whole: judge it, and let the next request have the connection."""
        place, connection.place = connection.place, IDLE
        del self._in_flight[place]
        connection.answers += 1
        self._judge(connection, place, now_ns)
        if connection.is_lost:
            return
        if connection.keeps_alive and connection.is_usable:
            self._make_available(connection)
        else:
            connection.answers = 0  # its end was announced: the next request pays for a new one
            self._open.discard(connection)
            connection.transport.close()

    def _judge(self, connection: Connection, place: int, now_ns: int) -> None:
        recording, content, status = self._recording, b"".join(connection.body), connection.status
        recording.received[place] = connection.received_bytes
        if not 200 <= status < 300:
            location = connection.headers.get(b"location", b"")
            recording.fail(place, f"status-{status}", (location or content).decode("utf-8", "replace"))
            return
        try:
            require_plain(connection.headers)
            answer = self._codec.decode(content, connection.headers, self._payloads.rows)
            if recording.answers is not None:
                outputs, turn = answer.outputs, self._payloads.turn(place)
                recording.keep(turn, flatten_answer(answer.predictions) if outputs is None else record_outputs(outputs))
        except (ValueError, TypeError) as error:
            recording.fail(place, "wrong-answer", str(error))
            return
        recording.answer(place, now_ns)
        if answer.phases or answer.path:
            recording.describe(place, answer.phases, answer.path)

    def give_up(self, connection: Connection, kind: str, reason: str = "") -> None:
        """A request gets no answer from its connection, which is of no more use."""
        self._settle_failure(connection.place, kind, reason)
        connection.abort()

    def _settle_failure(self, place: int, kind: str, reason: str) -> None:
        if self._in_flight.pop(place, self) is not self:
            self._recording.fail(place, kind, reason)

    def drop(self, connection: Connection) -> None:
        """A connection is gone. One that the server closed while it was idle is opened again at once."""
        self._open.discard(connection)
        was_idle = connection in self._idle
        if was_idle:
            self._idle.remove(connection)
        if self._queue:
            self._serve_queue()
        elif was_idle and connection.answers:
            self._connect(IDLE)

    def _sweep(self) -> None:
        """Give up what was due too long ago."""
        before_ns = self._clock.now_ns() - self._timeout_ns
        recording, unsettled = self._recording, self._unsettled
        while unsettled and (recording.is_settled(unsettled[0]) or recording.due[unsettled[0]] < before_ns):
            place = unsettled.popleft()
            if recording.is_settled(place):
                continue
            connection = self._in_flight.pop(place, None)
            recording.fail(place, "timeout")
            if connection is not None:
                connection.abort()
        self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    async def drain(self) -> None:
        """Wait until every request has ended."""
        while self._unsettled:
            await asyncio.sleep(_SWEEP_S)

    async def close(self) -> None:
        """Close every connection."""
        self._sweeper.cancel()
        for task in self._opening:
            task.cancel()
        for connection in self._open:
            connection.place = IDLE
            connection.answers = 0
            connection.transport.abort()
        await asyncio.sleep(0)


def _name_failure(error: BaseException) -> str:
    """The kind of a connection that could not be opened."""
    kinds: tuple[tuple[type[BaseException], str], ...] = (
        (ssl.SSLError, "tls"),
        (ConnectionRefusedError, "refused"),
        (ConnectionResetError, "reset"),
        (TimeoutError, "timeout"),
    )
    return next((kind for error_type, kind in kinds if isinstance(error, error_type)), "unreachable")
