"""What each worker of a cluster does: get ready, tell the time, send its share. All in one worker process."""

from infer_bench.errors import CannotRun
from infer_bench.measure.load.shares.clocks import name_machine
from infer_bench.measure.load.shares.generator import Generator, Share, ShareRecord

_GENERATORS: dict[str, Generator] = {}
"""By the load's number: those that wait for their start."""


def prepare_share(load: str, share: Share, machine: str | None) -> None:
    """Start the generator of a share. `machine` is the one on whose loopback the service is, None for another address.

    Raises what keeps it from sending.
    """
    if machine not in (None, name_machine()):
        message = f"{share.service.target.host} is another machine for this worker than for the command"
        raise CannotRun(message, "name the service by an address that all workers reach")
    _GENERATORS[load] = Generator(share)


def send_share(load: str, start_ns: int, limit_s: float) -> ShareRecord:
    """Send it from a time of this machine's clock on. Raises `CannotRun`."""
    generator = _GENERATORS.pop(load, None)
    if generator is None:
        raise CannotRun("the worker was started anew meanwhile")
    return generator.send_from(start_ns, limit_s)


def end_share(load: str) -> None:
    """End a generator that is not needed any more."""
    generator = _GENERATORS.pop(load, None)
    if generator is not None:
        generator.end()
