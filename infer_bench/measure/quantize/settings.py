"""What a quantisation may cost, and how it is judged."""

import re
from dataclasses import dataclass, field

from infer_bench.errors import UsageError
from infer_bench.request_choices import RequestChoices

AUTO = "auto"
"""In place of a layer: find those that have to stay float32."""
ALPHA = 0.05
"""The chance of a wrong verdict, over all forms that are tried together."""
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class QuantizeLimits:
    """What a form may lose: a share of accuracy, a share of the rows' classes, a difference of any output."""

    max_drop: float | None = None
    max_flips: float | None = None
    max_delta: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return any(limit is not None for limit in (self.max_drop, self.max_flips, self.max_delta))


@dataclass(frozen=True, slots=True)
class QuantizeSettings:
    """`exclude` names layers that stay float32; `exclude_auto` finds the fewest that have to.

    `batch` is the second batch size that is timed, beside 1. `blame` says whether layers are left out one at a time.
    `requests` are the choices of drawn rows, which `allow_drawn` asks for. After `budget_s` seconds
    nothing new is tried.
    """

    limits: QuantizeLimits = QuantizeLimits()
    exclude: tuple[str, ...] = ()
    exclude_auto: bool = False
    allow_drawn: bool = False
    batch: int = 64
    seed: int = 0
    timeout_s: float = 300.0
    time_forms: bool = True
    budget_s: float = 600.0
    requests: RequestChoices = field(default_factory=RequestChoices)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UsageError("the seed is a whole number from 0 on")
        if self.batch < 1:
            raise UsageError(f"--batch {self.batch} is no batch", "a number from 1 on")
        if not self.timeout_s > 0:
            raise UsageError(f"--timeout {self.timeout_s:g} is no time", "seconds above 0")
        if not self.budget_s > 0:
            raise UsageError(f"--budget {self.budget_s:g}s is no time", "seconds above 0")
        if any(len(shapes) > 1 for shapes in self.requests.shapes.values()):
            raise UsageError("quantize draws rows of one shape", "give each input one --shape")


def read_limits(max_drop: str | None, max_flips: str | None, max_delta: float | None) -> QuantizeLimits:
    """The limits as they are written: `accuracy=0.5%`, `1%`, `0.05`. Raises `UsageError`."""
    drop = None
    if max_drop is not None:
        metric, equals, share = max_drop.rpartition("=")
        if equals and metric.strip() != "accuracy":
            raise UsageError(f"{metric} has no exact interval to judge by", "write --max-drop accuracy=0.5%")
        drop = _read_share(share, "max-drop", "accuracy=0.5%")
    flips = None if max_flips is None else _read_share(max_flips, "max-flips", "1%")
    if max_delta is not None and not 0 <= max_delta < float("inf"):
        raise UsageError(f"--max-delta {max_delta:g} is no limit", "a number from 0 on")
    return QuantizeLimits(drop, flips, max_delta)


def _read_share(text: str, option: str, example: str) -> float:
    match = _SHARE.fullmatch(text.strip())
    if not match or float(match[1]) > 100:
        raise UsageError(f"--{option} {text!r} is no share", f"for example --{option} {example}")
    return float(match[1]) / 100
