"""The frozen types of what `doctor` found out. See `common` for the conventions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from infer_bench.report.common import Environment

DOCTOR_SCHEMA_VERSION = 1

Mark = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Tuning:
    """Settings of the kernel and the CPU that a measurement feels; None where they cannot be read.

    `aslr`: 0 off, 1 and 2 on. `huge_pages`: always, madvise or never. `hypervisor`: the virtual machine's name, "" on
    bare metal. `throttled_ns`: since the control group was made. `thread_variables`: those that are set, by name.
    """

    turbo: bool | None = None
    huge_pages: str | None = None
    aslr: int | None = None
    hypervisor: str | None = None
    throttled_ns: int = 0
    thread_variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Library:
    """An engine and the library it needs. `version` is None when that is missing, `problem` says what is wrong."""

    engine: str
    version: str | None
    install: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Providers:
    """The execution providers that ONNX Runtime offers; `problem` says why it could not be asked."""

    names: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Timer:
    """The clock: the smallest step that was seen, and what a reading costs (the median)."""

    step_ns: int
    cost_ns: int


@dataclass(frozen=True, slots=True)
class Noise:
    """What the machine does to one fixed piece of work, in blocks, by turns in several fresh processes.

    `between_blocks` and `between_processes` are standard deviations on the log scale (0.01 is 1 %), the first a robust
    one. `longest_pause_ns` and `paused_share` are what a loop that does nothing but read the clock lost to others.
    `resolvable` is the smallest slow-down of the median (a share) that a gate would tell from none here, with
    `resolvable_processes` processes a side: see `stats.resolution`.
    """

    processes: int
    blocks: int
    request_ns: int
    between_blocks: float
    between_processes: float
    longest_pause_ns: int
    paused_share: float
    resolvable: float
    resolvable_processes: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's list. `code` is stable, `hint` says what to do."""

    code: str
    topic: str
    text: str
    mark: Mark = "ok"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Doctor:
    """All that was found out: one JSON document. `noise` is None when it was not measured, `noise_problem` says why."""

    tool_version: str
    created_at: str
    environment: Environment
    tuning: Tuning
    libraries: tuple[Library, ...]
    providers: Providers | None
    double_installs: tuple[tuple[str, str], ...]
    timer: Timer
    noise: Noise | None = None
    noise_problem: str = ""
    findings: tuple[Finding, ...] = ()
    command: str = "doctor"
    schema_version: int = DOCTOR_SCHEMA_VERSION
