"""A worker's share is sent by a process of its own, which nothing else of the worker delays."""

import contextlib
import subprocess
import sys
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from infer_bench.engines.http.target import resolve
from infer_bench.errors import CannotRun, InferBenchError
from infer_bench.measure.load.generator.open_loop import Sender
from infer_bench.measure.load.generator.schedule import Schedule, plan_schedule, take_share
from infer_bench.measure.load.probe import find_service
from infer_bench.measure.load.recording import Recording
from infer_bench.measure.load.service import Service
from infer_bench.measure.load.settings import LoadSettings
from infer_bench.workers.server import die_with_parent

START_S = 120.0
"""Within which a generator has imported its libraries and was answered once."""
_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Share:
    """Share `index`, from 0, of the `of` that a load is split into. `settings` are those of the whole."""

    service: Service
    settings: LoadSettings
    index: int
    of: int
    keeps_answers: bool

    @property
    def connections(self) -> int:
        """Its part of the connections, which are as good as equal."""
        return len(range(self.index, self.settings.connections, self.of))

    @property
    def schedule(self) -> Schedule:
        """Its requests, with their places in the whole."""
        return take_share(plan_schedule(self.settings), self.settings, self.index, self.of)

    def make_sender(self, service: Service) -> Sender:
        """What sends it to a service."""
        schedule = self.schedule
        rate = (self.settings.rate or 0.0) / self.of
        settings = replace(self.settings, rate=rate, connections=self.connections)
        payloads = replace(service.payloads, order=schedule.places.tolist())
        return Sender(replace(service, payloads=payloads), settings, schedule)


@dataclass(frozen=True, slots=True)
class ShareRecord:
    """What became of a share, in times of the worker's clock."""

    recording: Recording
    busy_share: float | None


class Generator:
    """A process that has asked the service once, and sends its share when it is told the time of the start."""

    def __init__(self, share: Share) -> None:
        ours, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-P", "-m", __name__, str(theirs.fileno())]
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        self._connection = ours
        try:
            self._connection.send(share)
            self._receive(START_S)
        except BaseException:
            self.end()
            raise

    def send_from(self, start_ns: int, limit_s: float) -> ShareRecord:
        """Send the share from that time of the clock on. Raises `CannotRun` for a process that does not report."""
        try:
            self._connection.send(start_ns)
            record = self._receive(limit_s)
        finally:
            self.end()
        assert isinstance(record, ShareRecord)
        return record

    def _receive(self, limit_s: float) -> Any:
        try:
            if not self._connection.poll(limit_s):
                raise CannotRun(f"the generator did not answer in {limit_s:g} s")
            message = self._connection.recv()
        except (EOFError, OSError):
            raise CannotRun("the generator's process has ended") from None
        if isinstance(message, InferBenchError):
            raise message
        return message

    def end(self) -> None:
        """End the process, whatever it does."""
        self._connection.close()
        self._process.kill()
        self._process.wait(_GRACE_S)


def main(descriptor: int) -> None:
    """The process: a share comes, then the time of its start; what became of it goes back."""
    die_with_parent()
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        share: Share = connection.recv()
        try:
            sender = _prepare(share)
            connection.send(None)
            sender.run(connection.recv(), keeps_answers=share.keeps_answers)
            assert sender.recording is not None
            connection.send(ShareRecord(sender.recording, sender.busy_share))
        except InferBenchError as error:
            connection.send(CannotRun(error.message, error.hint))


def _prepare(share: Share) -> Sender:
    """The service as it is reached from here. Raises `CannotRun` where it is not."""
    settings, service = share.settings, share.service
    addresses = resolve(service.target, is_mine=settings.target_is_mine)
    own = find_service(service.target, addresses, service.codec, service.payloads, settings.timeout_s)
    return share.make_sender(own)


if __name__ == "__main__":
    # The classes that are sent are those of the module, not of the script.
    from infer_bench.measure.load.shares.generator import main as send_share

    send_share(int(sys.argv[1]))
