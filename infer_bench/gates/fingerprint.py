"""What must be alike for two runs to be compared at different times, and what had better be.

A *hard* field changes what is measured: where one differs, a stored baseline says nothing. A *soft* field disturbs or
shifts it: where one differs, the reader is told. The table with reasons is in `docs/baselines.md`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from infer_bench.libraries import of_engine
from infer_bench.report.bench import BenchReport, BenchResult
from infer_bench.report.common import Environment

NOT_RECORDED = "not recorded"
NO_MORE = "nothing else"
"""Of two lists that differ, the value of the one that lacks something."""
_TEXTS = {"python": "Python", "tool": "infer-bench", "kernel": "kernel", "governor": "CPU governor"}
_NUMBERS = ("batches", "affinity")
_MEMORY_SHARE = 0.05
_CLOCK_SHARE = 0.05
_LOAD = 0.5
"""Of a CPU: the load averages of two quiet machines differ by less."""

Fact = int | float | str | bool | None | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two runs disagree on, with both values in words. `name` is stable, `field` is for the reader."""

    name: str
    field: str
    ours: str
    baseline: str

    def __str__(self) -> str:
        return f"{self.field} {self.ours} here, {self.baseline} in the baseline"


def _hard(words: str) -> Any:
    return field(metadata={"words": words})


@dataclass(frozen=True, slots=True)
class Hard:
    """What changes the thing that is measured. Lists are sorted, so that an order does not count."""

    schema_version: int = _hard("schema version")
    os: str = _hard("operating system")
    machine: str = _hard("instruction set")
    cpu_model: str = _hard("CPU model")
    cpus_effective: float = _hard("effective CPUs")
    affinity: tuple[str, ...] = _hard("CPUs bound to")
    container: bool = _hard("in a container")
    python: str = _hard("Python")
    packages: tuple[str, ...] = _hard("libraries")
    threads: int | None = _hard("threads")
    scenario: str | None = _hard("scenario")
    batches: tuple[str, ...] = _hard("batch sizes")
    rows_mode: str | None = _hard("rows")
    rows_sha256: str | None = _hard("rows' hash")
    candidates: tuple[str, ...] = _hard("candidates")
    models: tuple[str, ...] = _hard("models' hashes")


@dataclass(frozen=True, slots=True)
class Soft:
    """What moves or disturbs the measurement, by less than what `Hard` holds or for a while only."""

    python: str
    tool: str
    kernel: str
    governor: str | None
    clock_mhz: int | None
    load_per_cpu: float | None
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything by which two runs are found comparable or not."""

    hard: Hard
    soft: Soft


def fingerprint(report: BenchReport) -> Fingerprint:
    """The fingerprint of a run, or of a plan: results need neither samples nor figures, only what they are of."""
    machine, settings = report.environment, report.settings
    hard = Hard(
        schema_version=report.schema_version,
        os=machine.os.partition(" ")[0],
        machine=machine.machine,
        cpu_model=machine.cpu_model,
        cpus_effective=machine.cpus_effective,
        affinity=_texts(settings.get("affinity")),
        container=machine.container,
        python=".".join(machine.python.split(".")[:2]),
        packages=_packages(machine.packages, report.results),
        threads=settings.get("threads"),
        scenario=settings.get("scenario"),
        batches=_texts(settings.get("batches") or sorted({result.batch for result in report.results})),
        rows_mode=settings.get("rows_mode"),
        rows_sha256=settings.get("rows_sha256"),
        candidates=_unique(_candidate(result) for result in report.results),
        models=_unique(f"{r.model.family} {r.model.sha256 or r.model.path}" for r in report.results),
    )
    return Fingerprint(hard, _soft(report.tool_version, machine))


def find_differences(ours: Fingerprint, baseline: Fingerprint) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """`(hard, soft)`: every field on which the two disagree. One that neither recorded is taken to be unlike."""
    hard = tuple(
        difference
        for spec in fields(Hard)
        for difference in _compare_fact(
            spec.name, spec.metadata["words"], getattr(ours.hard, spec.name), getattr(baseline.hard, spec.name)
        )
    )
    return hard, tuple(_soft_differences(ours.soft, baseline.soft))


def _soft(tool_version: str, machine: Environment) -> Soft:
    load = machine.load_average_1m
    return Soft(
        python=machine.python,
        tool=tool_version,
        kernel=machine.os.partition(" ")[2],
        governor=machine.cpu_governor,
        clock_mhz=machine.cpu_mhz,
        load_per_cpu=None if load is None else load / max(1, machine.cpus_logical),
        memory_bytes=machine.memory_bytes,
    )


def _packages(versions: Mapping[str, str], results: Iterable[BenchResult]) -> tuple[str, ...]:
    """Those that the candidates use: their engines', numpy always, and pandas where a DataFrame is fed.

    A user's function and an engine from outside may use any.
    """
    names = {"numpy"}
    for result in results:
        library = of_engine(result.engine)
        names.update(library.packages if library is not None and library.packages else versions)
        names.update(("pandas",) if result.options.get("feed") == "dataframe" else ())
    return tuple(f"{name} {versions[name]}" for name in sorted(names & set(versions)))


def _candidate(result: BenchResult) -> str:
    """The label, and the options that its engine ran with: a default may have changed under the same label."""
    options = ",".join(f"{key}={result.options[key]}" for key in sorted(result.options))
    return f"{result.candidate} ({options})" if options else result.candidate


def _texts(values: Any) -> tuple[str, ...]:
    return (
        tuple(sorted(map(str, values), key=lambda text: (len(text), text))) if isinstance(values, list | tuple) else ()
    )


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _compare_fact(name: str, words: str, ours: Fact, theirs: Fact) -> Iterator[Difference]:
    """Of two lists only what the other lacks is named, but of numbers all."""
    if ours == theirs and ours is not None:
        return
    if name == "candidates" and isinstance(ours, tuple) and isinstance(theirs, tuple):
        yield Difference(name, words, _but(_brief(ours, theirs), theirs), _but(_brief(theirs, ours), ours))
    elif isinstance(ours, tuple) and isinstance(theirs, tuple):
        if name in _NUMBERS:
            yield Difference(name, words, _join(ours), _join(theirs))
        else:
            yield Difference(name, words, _but(ours, theirs), _but(theirs, ours))
    else:
        yield Difference(name, words, _word(ours), _word(theirs))


def _join(some: tuple[str, ...]) -> str:
    return ", ".join(some) or "none"


def _but(some: tuple[str, ...], others: tuple[str, ...]) -> str:
    own = [text for text in some if text not in others]
    return ", ".join(_word(text) for text in own) or (NO_MORE if some else "none")


def _brief(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Of candidates that both have under other options: only the options that the other has not."""
    theirs: dict[str, set[str]] = {}
    for label, options in map(_split_label, others):
        theirs.setdefault(label, set()).update(options)
    texts = []
    for text in some:
        label, options = _split_label(text)
        own = [option for option in options if option not in theirs.get(label, ())]
        texts.append(f"{label} ({','.join(own)})" if own and text not in others else text)
    return tuple(texts)


def _split_label(candidate: str) -> tuple[str, list[str]]:
    label, _, options = candidate.partition(" (")
    return label, options.removesuffix(")").split(",")


def _word(value: Fact) -> str:
    if value is None:
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else _short(str(value))


def _short(text: str) -> str:
    """A hash by its first twelve digits."""
    head, _, last = text.rpartition(" ")
    is_hash = len(last) == 64 and all(char in "0123456789abcdef" for char in last)
    return f"{head} {last[:12]}".strip() if is_hash else text


def _soft_differences(ours: Soft, baseline: Soft) -> Iterator[Difference]:
    for name, words in _TEXTS.items():
        mine, theirs = getattr(ours, name), getattr(baseline, name)
        if mine != theirs:
            yield Difference(name, words, mine or "unknown", theirs or "unknown")
    if _apart(ours.clock_mhz, baseline.clock_mhz, _CLOCK_SHARE):
        yield Difference("clock", "CPU clock", _megahertz(ours.clock_mhz), _megahertz(baseline.clock_mhz))
    if abs((ours.load_per_cpu or 0.0) - (baseline.load_per_cpu or 0.0)) > _LOAD:
        yield Difference("load", "load a CPU", _load(ours.load_per_cpu), _load(baseline.load_per_cpu))
    if _apart(ours.memory_bytes, baseline.memory_bytes, _MEMORY_SHARE):
        yield Difference("memory", "memory", _gigabytes(ours.memory_bytes), _gigabytes(baseline.memory_bytes))


def _apart(one: int | None, other: int | None, share: float) -> bool:
    if not one or not other:
        return bool(one) != bool(other)
    return abs(one - other) > share * max(one, other)


def _megahertz(value: int | None) -> str:
    return f"{value:,} MHz" if value else "unknown"


def _load(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"


def _gigabytes(value: int) -> str:
    return f"{value / 1e9:.1f} GB" if value else "unknown"
