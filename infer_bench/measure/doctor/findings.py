"""What the doctor's facts mean, as a list for the reader: pure rules, in the order in which they are shown."""

from collections.abc import Iterable, Iterator

from infer_bench.measure.bench.notices import LOAD_LIMIT
from infer_bench.report.doctor import Doctor, Finding, Mark, Noise

__all__ = ["list_findings"]

_SLOW_CLOCK_NS = 200
_BAD_CLOCK_NS = 1_000
_COARSE_NS = 1_000
_LEAST_MEMORY = 1_000_000_000
_FINE = 0.05
_COARSE = 0.2
_LONG_PAUSE_NS = 5_000_000
_STEADY = ("performance", "userspace")
_PAIR_HINT = "compare inside one run: bench --against OLD_MODEL"


def list_findings(doctor: Doctor) -> tuple[Finding, ...]:
    """Every line of the list."""
    rules = (
        *(_versions, _engines, _providers, _doubles),
        *(_cpus, _variables, _throttled, _load, _memory),
        *(_governor, _turbo, _virtual, _layouts, _pages),
        *(_timer, _noise),
    )
    return tuple(finding for rule in rules for finding in rule(doctor))


def _versions(doctor: Doctor) -> Iterator[Finding]:
    machine = doctor.environment
    numpy = f", numpy {machine.packages['numpy']}" if "numpy" in machine.packages else ""
    yield Finding("versions", "versions", f"infer-bench {doctor.tool_version}, Python {machine.python}{numpy}")


def _engines(doctor: Doctor) -> Iterator[Finding]:
    libraries = [library for library in doctor.libraries if library.engine != "callable"]
    present = [f"{library.engine} {library.version}" for library in libraries if library.version]
    missing = [library.engine for library in libraries if not library.version and not library.problem]
    absent = f"{'; ' if present else ''}not installed: {', '.join(missing)}" if missing else ""
    hint = "" if present else "pip install 'infer-bench[cpu]'"
    yield Finding("engines", "engines", ", ".join(present) + absent, "ok" if present else "note", hint)
    for library in libraries:
        if library.problem:
            yield Finding("broken-engine", library.engine, library.problem, "problem", library.install)


def _providers(doctor: Doctor) -> Iterator[Finding]:
    if doctor.providers is None:
        return
    if doctor.providers.problem:
        again = "pip install --force-reinstall onnxruntime"
        yield Finding("providers", "providers", doctor.providers.problem, "problem", again)
    else:
        names = ", ".join(name.removesuffix("ExecutionProvider") for name in doctor.providers.names)
        yield Finding("providers", "providers", f"onnxruntime offers {names or 'none'}")


def _doubles(doctor: Doctor) -> Iterator[Finding]:
    for one, other in doctor.double_installs:
        text = f"{one} and {other} are both installed and overwrite each other's files"
        hint = f"pip uninstall {one} {other}, then install the one you mean"
        yield Finding("double-install", "two installs", text, "problem", hint)


def _cpus(doctor: Doctor) -> Iterator[Finding]:
    machine = doctor.environment
    quota = "no quota" if machine.cpus_quota is None else f"a quota of {machine.cpus_quota:g}"
    counts = f"{machine.cpus_logical} logical, {machine.cpus_affinity} by affinity, {quota}"
    text = f"{counts}: {machine.cpus_effective:g} effective; engines get 1 thread unless --threads says more"
    fewer = machine.cpus_effective < machine.cpus_logical
    hint = (
        f"libraries that count CPUs start {machine.cpus_logical} threads: set theirs in your service" if fewer else ""
    )
    yield Finding("cpus", "CPUs", text, "note" if fewer else "ok", hint)


def _variables(doctor: Doctor) -> Iterator[Finding]:
    variables = doctor.tuning.thread_variables
    if not variables:
        yield Finding("thread-variables", "threads", "no thread variable is set")
        return
    text = ", ".join(f"{name}={value}" for name, value in variables.items())
    hint = "workers get their own from --threads; see that your service has the same"
    yield Finding("thread-variables", "threads", text, "note", hint)


def _throttled(doctor: Doctor) -> Iterator[Finding]:
    if doctor.environment.cpus_quota is None and not doctor.tuning.throttled_ns:
        return
    throttled_ns = doctor.tuning.throttled_ns
    text = (
        f"held back for {throttled_ns / 1e9:.1f} s since the container began"
        if throttled_ns
        else "never held back so far"
    )
    hint = "raise the container's CPU limit, or use fewer threads" if throttled_ns else ""
    yield Finding("quota-throttling", "CPU quota", text, "note" if throttled_ns else "ok", hint)


def _load(doctor: Doctor) -> Iterator[Finding]:
    load, cpus = doctor.environment.load_average_1m, doctor.environment.cpus_logical
    if load is None:
        return
    busy = load / max(1, cpus) > LOAD_LIMIT
    hint = (
        "close what else is running: long requests wait for it more than short ones, which bends ratios too"
        if busy
        else ""
    )
    yield Finding("load", "load", f"{load:.2f} on {cpus} CPUs in the last minute", "note" if busy else "ok", hint)


def _memory(doctor: Doctor) -> Iterator[Finding]:
    size = doctor.environment.memory_bytes
    if size:
        little = size < _LEAST_MEMORY
        hint = "several workers hold the model at once: bench fewer candidates at a time" if little else ""
        yield Finding("memory", "memory", f"{size / 1e9:.1f} GB", "note" if little else "ok", hint)


def _governor(doctor: Doctor) -> Iterator[Finding]:
    name, clock = doctor.environment.cpu_governor, doctor.environment.cpu_mhz
    at = f", {clock:,} MHz" if clock else ""
    if name is None:
        yield Finding("governor", "CPU clock", f"the governor cannot be seen{at}")
        return
    steady = name in _STEADY
    hint = "" if steady else "cpupower frequency-set -g performance, while you measure"
    yield Finding("governor", "CPU clock", f"governor {name}{at}", "ok" if steady else "note", hint)


def _turbo(doctor: Doctor) -> Iterator[Finding]:
    if doctor.tuning.turbo is not None:
        on = doctor.tuning.turbo
        hint = "switch it off for absolute times that can be repeated; ratios need no change" if on else ""
        yield Finding("turbo", "turbo", "on: the clock depends on heat" if on else "off", "note" if on else "ok", hint)


def _virtual(doctor: Doctor) -> Iterator[Finding]:
    name = doctor.tuning.hypervisor
    inside = " in a container" if doctor.environment.container else ""
    if name:
        text = f"a virtual machine ({name}){inside}: neighbours may share its cores"
        yield Finding("virtual", "machine", text, "note", _PAIR_HINT)
    elif name is not None or inside:
        yield Finding(
            "virtual", "machine", f"{'bare metal' if name is not None else doctor.environment.machine}{inside}"
        )


def _layouts(doctor: Doctor) -> Iterator[Finding]:
    if doctor.tuning.aslr == 0:
        text = "address randomisation is off: all processes share one memory layout, which may be a lucky one"
        yield Finding("aslr", "layouts", text, "note", "switch it on, or read small differences with care")
    elif doctor.tuning.aslr is not None:
        yield Finding("aslr", "layouts", "address randomisation is on: every process is a sample of one")


def _pages(doctor: Doctor) -> Iterator[Finding]:
    if doctor.tuning.huge_pages:
        yield Finding("huge-pages", "huge pages", f"transparent: {doctor.tuning.huge_pages}")


def _timer(doctor: Doctor) -> Iterator[Finding]:
    step, cost = doctor.timer.step_ns, doctor.timer.cost_ns
    mark: Mark = "problem" if cost > _BAD_CLOCK_NS else "note" if max(cost, step) > _SLOW_CLOCK_NS else "ok"
    mark = "problem" if step > _COARSE_NS else mark
    hint = "" if mark == "ok" else "see which clock source the kernel uses; tsc is the quick one"
    yield Finding("timer", "timer", f"a reading costs {cost:,} ns, the smallest step is {step:,} ns", mark, hint)


def _noise(doctor: Doctor) -> Iterable[Finding]:
    if doctor.noise is None:
        left_out = doctor.noise_problem.startswith("left out")
        mark: Mark = "ok" if left_out else "problem"
        return [
            Finding("noise", "noise", doctor.noise_problem, mark, "" if left_out else "see why a worker fails here")
        ]
    return [_spread(doctor.noise), _pauses(doctor.noise), _resolvable(doctor.noise)]


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _spread(noise: Noise) -> Finding:
    text = (
        f"a fixed {noise.request_ns / 1e3:.0f} µs of work varies by {_percent(noise.between_blocks)} between "
        f"10 ms blocks, by {_percent(noise.between_processes)} between {noise.processes} processes"
    )
    busy = max(noise.between_blocks, noise.between_processes) > _FINE
    return Finding("noise", "noise", text, "note" if busy else "ok", "quieten the machine" if busy else "")


def _pauses(noise: Noise) -> Finding:
    longest = f"the longest is {noise.longest_pause_ns / 1e6:.2f} ms"
    text = f"{longest}; {_percent(noise.paused_share)} of the time went to others"
    long = noise.longest_pause_ns > _LONG_PAUSE_NS
    hint = "they are in every p99 here: read tails with care" if long else ""
    return Finding("pauses", "pauses", text, "note" if long else "ok", hint)


def _resolvable(noise: Noise) -> Finding:
    count, least = noise.resolvable_processes, noise.resolvable
    text = f"slow-downs of p50 from {_percent(least)} on can be told from none, with {count} processes a side"
    mark: Mark = "ok" if least <= _FINE else "note" if least <= _COARSE else "problem"
    hint = "" if mark == "ok" else "quieten the machine, run more processes, or allow a wider limit"
    return Finding("resolvable", "resolves", text, mark, hint)
