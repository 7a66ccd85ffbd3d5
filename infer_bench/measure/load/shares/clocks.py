"""How far the clocks of workers are from this process's. Pure but for reading them."""

import os
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The time of a worker's clock in ns, and the machine whose it is."""

    now_ns: int
    machine: str


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """A worker's time less ours, in ns, and how far from that it may be."""

    offset_ns: int
    within_ns: int


Round = tuple[int, Mapping[str, ClockReading], int]
"""Our time before, what each worker read meanwhile, and our time after."""


def read_clock() -> ClockReading:
    """The clock by which requests are sent."""
    return ClockReading(time.perf_counter_ns(), name_machine())


def name_machine() -> str:
    """What processes share that have one clock and one loopback: the boot of a kernel, and its network."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/net')}"
    except OSError:
        return f"{socket.gethostname()} {uuid.getnode():x}"


def find_offsets(rounds: Sequence[Round], machine: str) -> dict[str, ClockOffset]:
    """Each worker's offset: a clock was read after the question was sent and before the answer came, in every round.

    Processes of one `machine` have one clock, unless what they read shows another.
    """
    return {worker: _find_offset(worker, rounds, machine) for worker in rounds[0][1]}


def _find_offset(worker: str, rounds: Sequence[Round], machine: str) -> ClockOffset:
    readings = [(before, own[worker], after) for before, own, after in rounds]
    low = max(reading.now_ns - after for _, reading, after in readings)
    high = min(reading.now_ns - before for before, reading, _ in readings)
    if low <= 0 <= high and readings[0][1].machine == machine:
        return ClockOffset(0, 0)
    middle = (low + high) // 2
    return ClockOffset(middle, abs(high - low) // 2 + 1)
