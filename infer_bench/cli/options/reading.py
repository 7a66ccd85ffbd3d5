"""How the texts of options are read."""

import math
import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from infer_bench.errors import UsageError

if TYPE_CHECKING:
    from infer_bench.gates.limits import Choice
    from infer_bench.request_choices import RequestChoices

T = TypeVar("T")


def read_numbers(text: str, of: Callable[[str], T], option: str) -> tuple[T, ...]:
    """`1,64,1000` as numbers; raises `UsageError` naming the part that is none."""
    parts = [part.strip().replace("_", "") for part in text.split(",")]
    try:
        return tuple(of(part) for part in parts)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is not a list of numbers", f"for example --{option} 1,64") from None


def read_threads(text: str) -> dict[str, Any]:
    """The settings that `1`, or a sweep as in `1,2,4`, stands for."""
    counts = read_numbers(text, int, "threads")
    return {"threads": counts[0], "thread_sweep": counts if len(counts) > 1 else ()}


def read_requests(
    shapes: Sequence[str] | None, sizes: Sequence[str] | None, fills: Sequence[str] | None
) -> "RequestChoices":
    """What `--shape`, `--dim` and `--fill` say of requests that are to be drawn. Raises `UsageError`."""
    from infer_bench.request_choices import parse_choices

    return parse_choices(shapes or (), sizes or (), fills or ())


def pick(value: object, option: str, choices: tuple[T, ...]) -> T:
    """The choice that equals `value`; raises `UsageError` listing them."""
    for choice in choices:
        if choice == value:
            return choice
    names = ", ".join(str(choice) for choice in choices if choice is not None)
    raise UsageError(f"{option} cannot be {value!r}", f"one of: {names}")


def read_inconclusive(text: str) -> "Choice":
    """What an inconclusive gate exits with, from `3`, `pass` or `fail`."""
    choices: dict[str, Choice] = {"3": "", "pass": "pass", "fail": "fail"}
    return choices[pick(text, "inconclusive", tuple(choices))]


def read_affinity(text: str | None) -> tuple[int, ...]:
    """The CPUs to bind to; raises `UsageError` for one that this process may not use."""
    if not text:
        return ()
    cpus = read_numbers(text, int, "affinity")
    if hasattr(os, "sched_getaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        strange = [cpu for cpu in cpus if cpu not in usable]
        if strange:
            raise UsageError(f"there is no CPU {strange[0]} to bind to", f"usable: {','.join(map(str, usable))}")
    return cpus


def read_duration(text: str | None) -> float | None:
    """Seconds, from `10s`, `500ms` or `2m`; None for none."""
    from infer_bench.gates.limits import parse_duration

    return None if text is None else parse_duration(text)


def read_span(text: str) -> float:
    """Seconds, from `10s`, `500ms` or `0`."""
    from infer_bench.gates.limits import parse_duration

    return 0.0 if re.fullmatch(r"\s*0+(?:\.0+)?\s*(?:ms|s|m|min|h)?\s*", text) else parse_duration(text)


def read_rate(text: str) -> float:
    """Requests a second, from `1000/s`, `600/min` or a bare number. Raises `UsageError` for anything else."""
    number = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d[\d_]*(?:\.\d+)?|\.\d+)"
    rate = re.fullmatch(rf"\s*{number}\s*(k?)\s*(?:/\s*(s|m|min|h))?\s*", text)
    if rate is None:
        raise UsageError(f"{text!r} is no rate", "write it as in 1000/s")
    digits, thousand, unit = rate.groups()
    seconds = {"m": 60.0, "min": 60.0, "h": 3600.0}.get(unit or "s", 1.0)
    return float(digits.replace("_", "").replace(",", "")) * (1000 if thousand else 1) / seconds


def read_token(path: str | None) -> str:
    """The token in a file, without the blanks around it; empty without a file. Raises `UsageError`."""
    if path is None:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            token = file.read(65_536).strip()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the token's file {path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    if not token or not token.isascii() or any(letter.isspace() for letter in token):
        raise UsageError(
            f"{path} holds no token", "one line of ASCII without blanks, such as `openssl rand -hex 32` gives"
        )
    return token


QUICK_BUDGET_S = 10.0


def read_sampling(
    budget: str | None, rounds: int | None, processes: int | None, baseline: str | None, *, quick: bool
) -> dict[str, Any]:
    """The budget and the processes, of a `quick` look its own. Raises `UsageError` where they are given as well.

    A run that becomes a `baseline`, or is compared with one, takes as many processes as that needs.
    """
    if not quick:
        return {"budget_s": read_duration(budget), "processes": count_processes(processes, baseline)}
    if budget is not None or rounds is not None or processes is not None:
        raise UsageError("--quick is a budget and a number of processes of its own", "leave it out to give others")
    return {"budget_s": QUICK_BUDGET_S, "processes": count_processes(None, baseline) if baseline else 1}


def count_processes(processes: int | None, baseline: str | None) -> int:
    """How many fresh processes a candidate is measured in; more where the run is kept or compared with one that was."""
    from infer_bench.measure.gate.settings import STORED_PROCESSES
    from infer_bench.measure.settings import DEFAULT_PROCESSES

    if processes is not None:
        return processes
    return DEFAULT_PROCESSES if baseline is None else STORED_PROCESSES


def read_size(text: str, option: str) -> int:
    """Bytes, from `8MiB`, `500kB` or a bare number; raises `UsageError`."""
    size = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]i?b|b)?\s*", text, re.IGNORECASE)
    if size is None or not 0 < float(size[1]) < math.inf:
        raise UsageError(f"{option}: {text!r} is no size", f"for example --{option} 8MiB")
    unit = (size[2] or "b").lower()
    base = 1024 if "i" in unit else 1000
    return math.ceil(float(size[1]) * float(base) ** "bkmg".index(unit[0]))


def read_share(text: str, option: str) -> float:
    """A share from 0 to 1, from `1%` or `0.01`; raises `UsageError`."""
    share = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*", text)
    value = float(share[1]) / (100 if share[2] else 1) if share else math.inf
    if value > 1:
        raise UsageError(f"{option}: {text!r} is no share", f"for example --{option} 1%")
    return value
