"""What a gate is told: against what, and what is allowed. From the command line, over what the project keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from infer_bench.errors import UsageError
from infer_bench.gates import limits
from infer_bench.gates.rules import Allowed, Choice
from infer_bench.gates.stored import check_limits
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.settings import Settings
from infer_bench.report.common import Notice
from infer_bench.stats.decisions.ratio_limit import Errors

DEFAULT_BUDGET_S = 30.0
STORED_PROCESSES = 9
"""Processes of a run that is kept, or compared with one: three could never reach a verdict."""
LEAST_ACROSS = 0.05
"""Two environments differ by 1 to 2.6 % though nothing changed (measured): less than this cannot be told there."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """`against`: a model, a candidate or a function; `python`: another interpreter for the baseline; `allowed`.

    `asked_bounds` are the absolute limits that were asked for in this run and do not come from the project.
    """

    against: str | None = None
    python: str | None = None
    baseline: str | None = None
    allowed: Allowed = field(default_factory=Allowed)
    asked_bounds: tuple[limits.Bound, ...] = ()

    @property
    def paired(self) -> bool:
        """Whether something runs beside the candidates."""
        return self.against is not None or self.python is not None

    @property
    def live(self) -> bool:
        """Whether what is judged is measured now, until it is decided."""
        return self.asked and self.baseline is None

    @property
    def asked(self) -> bool:
        """Whether there is anything to judge."""
        given = self.allowed
        return self.paired or self.baseline is not None or bool(given.bounds) or given.max_delta is not None

    def used(self, candidates: Sequence[Candidate]) -> tuple["GateSettings", list[Notice]]:
        """Without the project's limits that concern nobody who runs, which are noted.

        Raises `UsageError` for one that was asked for now.
        """
        bounds = self.allowed.bounds
        kept = tuple(b for b in bounds if any(b.concerns(e.label, e.engine.name, e.model.path) for e in candidates))
        unused = [bound for bound in bounds if bound not in kept]
        names = ", ".join(dict.fromkeys(e.label for e in candidates))
        for bound in unused:
            if bound in self.asked_bounds:
                raise UsageError(f"{bound.text!r} concerns none of the candidates", f"they are: {names}")
        told = [Notice("limit-unused", f"the limit {bound.text!r} concerns none of the candidates") for bound in unused]
        return replace(self, allowed=replace(self.allowed, bounds=kept)), told

    def with_budget(self, settings: Settings) -> Settings:
        """The settings with the usual budget where one is needed. Raises `UsageError` for a gate's number of rounds."""
        if not self.live:
            return settings
        if settings.rounds is not None:
            raise UsageError("a gate takes as many rounds as it needs", "bound it with --budget")
        return settings if settings.budget_s is not None else replace(settings, budget_s=DEFAULT_BUDGET_S)

    def described(self) -> dict[str, Any]:
        """What was asked for, as JSON has it."""
        given = self.allowed
        return {
            "against": self.against,
            "against_python": self.python,
            "max_regression": dict(given.shares),
            "limits": [bound.text for bound in given.bounds],
            "max_delta": given.max_delta,
            "inconclusive": given.inconclusive,
        }

    def completed(self) -> "GateSettings":
        """With the usual margins where none were given. Raises `UsageError` for what cannot be judged."""
        shares = self.allowed.shares
        if self.baseline is not None and self.paired:
            raise UsageError("give --baseline or --against, not both", "a baseline that runs now is the sharper one")
        if shares and not self.paired and self.baseline is None:
            raise UsageError("--max-regression needs something to compare with", "--against OLD_MODEL")
        if self.baseline is not None:
            check_limits({metric: share for metric, share in shares.items() if limits.share_of(metric) is None})
        across = self.python is not None or self.baseline is not None
        least = LEAST_ACROSS if across else limits.LEAST_MARGIN
        if not shares and (self.paired or self.baseline is not None):
            shares = {metric: max(least, share) for metric, share in limits.MARGINS.items()}
        low = {metric: share for metric, share in shares.items() if metric != "size" and share < least}
        if low:
            metric, share = next(iter(low.items()))
            raise UsageError(
                f"{metric}={share * 100:g}%: less than {LEAST_ACROSS * 100:g} % cannot be told between environments",
                f"--max-regression {LEAST_ACROSS * 100:g}% or more",
            )
        return replace(self, allowed=replace(self.allowed, shares=shares))


def gate_settings(
    project: Mapping[str, Any],
    *,
    against: str | None = None,
    python: str | None = None,
    baseline: str | None = None,
    max_regression: str | None = None,
    bounds: Sequence[str] = (),
    max_delta: float | None = None,
    inconclusive: Choice = "",
    alpha: float = 0.01,
    plain: bool = False,
) -> GateSettings:
    """The settings of a gate; what is not given comes from `project`, the table `[tool.infer-bench]`.

    The project's `max-regression` and `max-delta` hold only where there is a baseline, its `limits` where that is no
    stored one, which carries none, and the run is not to be a `plain` one. Raises `UsageError`.
    """
    for option, given in (("--against", against), ("--against-python", python), ("--baseline", baseline)):
        if given == "":
            raise UsageError(f"{option} names nothing", "is the variable set that it is taken from?")
    compared = against is not None or python is not None or baseline is not None
    shares = {} if max_regression is None else limits.regressions(max_regression)
    if max_regression is None and compared:
        shares = _projected(project, across=python is not None or baseline is not None, stored=baseline is not None)
    if max_delta is None and (against is not None or python is not None):
        max_delta = _number(project, "max-delta")
    if max_delta is not None and not compared:
        raise UsageError("--max-delta needs something to compare with", "--against OLD_MODEL")
    if max_delta is not None and not 0 <= max_delta < float("inf"):
        raise UsageError("--max-delta is zero or more")
    if not 0 < alpha <= 0.2:
        raise UsageError("--alpha lies between 0 and 0.2", "0.01 is one false alarm in a hundred runs")
    asked_bounds = tuple(limits.bound(text) for text in bounds)
    allowed = Allowed(
        shares=shares,
        bounds=asked_bounds or (() if plain or baseline is not None else _bounds(project)),
        max_delta=max_delta,
        errors=Errors(alpha=alpha),
        inconclusive=inconclusive,
    )
    return GateSettings(against, python, baseline, allowed, asked_bounds).completed()


def _projected(project: Mapping[str, Any], *, across: bool, stored: bool) -> dict[str, float]:
    """The project's limits on regressions: between environments as narrow as can be told there, and no narrower.

    A stored run carries no other metric than percentiles.
    """
    text = _text(project, "max-regression")
    shares = limits.regressions(text) if text else {}
    if stored:
        shares = {metric: share for metric, share in shares.items() if limits.share_of(metric) is not None}
    least = LEAST_ACROSS if across else 0.0
    return {metric: share if metric == "size" else max(least, share) for metric, share in shares.items()}


def _held(project: Mapping[str, Any], name: str) -> Any:
    return project.get(name, project.get(name.replace("-", "_")))


def _text(project: Mapping[str, Any], name: str) -> str | None:
    held = _held(project, name)
    if held is None or isinstance(held, str):
        return held
    raise UsageError(f"{name} of [tool.infer-bench] in pyproject.toml is no text: {held!r}", f'{name} = "5%"')


def _texts(project: Mapping[str, Any], name: str) -> Sequence[str]:
    held = _held(project, name)
    if held is None:
        return ()
    if isinstance(held, str):
        return (held,)
    if isinstance(held, list) and all(isinstance(text, str) for text in held):
        return held
    raise UsageError(f"{name} of [tool.infer-bench] in pyproject.toml is no list of texts", f'{name} = ["p99<5ms"]')


def _bounds(project: Mapping[str, Any]) -> tuple[limits.Bound, ...]:
    return tuple(map(limits.bound, _texts(project, "limits")))


def _number(project: Mapping[str, Any], name: str) -> float | None:
    held = _held(project, name)
    if held is None or (isinstance(held, int | float) and not isinstance(held, bool)):
        return None if held is None else float(held)
    raise UsageError(f"{name} of [tool.infer-bench] in pyproject.toml is no number: {held!r}", f"{name} = 1e-5")
