"""What a gate compares with, and what it allows. From the command line, over what the project's file has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from infer_bench.errors import UsageError
from infer_bench.gates.limits import (
    LEAST_MARGIN,
    MARGINS,
    PER_PROCESS,
    Bound,
    Choice,
    GateLimits,
    find_unnamed,
    parse_bound,
    parse_regressions,
    share_of,
)
from infer_bench.measure.settings import Settings
from infer_bench.report.common import Notice
from infer_bench.report.gate import GateMode
from infer_bench.stats.decisions.error_rates import Errors

if TYPE_CHECKING:
    from infer_bench.measure.candidates.candidates import Candidate, PlannedCandidate

DEFAULT_BUDGET_S, PROCESSES_BUDGET_S = 30.0, 120.0
"""Of all that a gate takes; where each layout starts processes most of it goes into these."""
STORED_PROCESSES = 9
"""Processes of a run that becomes a baseline, or is compared with one: three could never reach a verdict."""
LEAST_ACROSS = 0.05
"""Two environments differ by 1 to 2.6 % though nothing changed (measured): less than this cannot be told there."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """`against`: a model, a candidate or a function; `python`: another interpreter for the baseline; `limits`.

    `own_bounds` are the absolute limits of this run, which do not come from the project.
    """

    against: str | None = None
    python: str | None = None
    baseline: str | None = None
    limits: GateLimits = field(default_factory=GateLimits)
    own_bounds: tuple[Bound, ...] = ()

    @property
    def is_paired(self) -> bool:
        """Whether something runs beside the candidates."""
        return self.against is not None or self.python is not None

    @property
    def is_live(self) -> bool:
        """Whether what is judged is measured now, until it is decided."""
        return self.has_criteria and self.baseline is None

    @property
    def has_criteria(self) -> bool:
        """Whether there is anything to judge."""
        limits = self.limits
        return self.is_paired or self.baseline is not None or bool(limits.bounds) or limits.max_delta is not None

    @property
    def judges_starts(self) -> bool:
        """Whether anything is judged of how processes start, or of what they hold."""
        metrics = {*self.limits.shares, *(bound.metric for bound in self.limits.bounds)}
        return bool(metrics & {*PER_PROCESS, "load"})

    def drop_unused(self, candidates: "Sequence[Candidate | PlannedCandidate]") -> tuple["GateSettings", list[Notice]]:
        """Without the project's limits that concern nobody who runs, and notices on those.

        Raises `UsageError` for one of this run's own.
        """
        unused = [bound for bound in self.limits.bounds if not _concerns_any(bound, candidates)]
        labels = ", ".join(dict.fromkeys(candidate.label for candidate in candidates))
        for bound in unused:
            if bound in self.own_bounds:
                raise UsageError(f"{bound.text!r} concerns none of the candidates", f"they are: {labels}")
        notices = [
            Notice("limit-unused", f"the limit {bound.text!r} concerns none of the candidates") for bound in unused
        ]
        bounds = tuple(bound for bound in self.limits.bounds if bound not in unused)
        return replace(self, limits=replace(self.limits, bounds=bounds)), notices

    def with_budget(self, settings: Settings, mode: GateMode = "sessions") -> Settings:
        """The settings with the usual budget where one is needed. Raises `UsageError` for a gate's number of rounds."""
        if not self.is_live:
            return settings
        if settings.rounds is not None:
            raise UsageError("a gate takes as many rounds as it needs", "bound it with --budget")
        usual_s = DEFAULT_BUDGET_S if mode in ("sessions", "forks") else PROCESSES_BUDGET_S
        return settings if settings.budget_s is not None else replace(settings, budget_s=usual_s)

    def describe(self) -> dict[str, Any]:
        """The settings of this gate, as JSON has them."""
        return {
            "against": self.against,
            "against_python": self.python,
            "max_regression": dict(self.limits.shares),
            "max_regression_unnamed": sorted(self.limits.unnamed),
            "limits": [bound.text for bound in self.limits.bounds],
            "max_delta": self.limits.max_delta,
            "inconclusive": self.limits.inconclusive,
        }

    def complete(self) -> "GateSettings":
        """With the usual margins where there are none. Raises `UsageError` for what cannot be judged."""
        shares, compares = self.limits.shares, self.is_paired or self.baseline is not None
        if self.baseline is not None and self.is_paired:
            raise UsageError("give --baseline or --against, not both", "a baseline that runs now is the sharper one")
        if shares and not compares:
            raise UsageError("--max-regression needs something to compare with", "--against OLD_MODEL")
        others = {metric: share for metric, share in shares.items() if share_of(metric) is None}
        if self.baseline is not None and others:
            from infer_bench.gates.stored import check_limits  # statistics, for which numpy is imported

            check_limits(others)
        least = LEAST_ACROSS if self.python is not None or self.baseline is not None else LEAST_MARGIN
        unnamed = self.limits.unnamed
        if not shares and compares:
            shares = {metric: max(least, share) for metric, share in MARGINS.items()}
            unnamed = find_unnamed(None)
        _check_margins(shares, least)
        return replace(self, limits=replace(self.limits, shares=shares, unnamed=unnamed))


def _concerns_any(bound: Bound, candidates: "Sequence[Candidate | PlannedCandidate]") -> bool:
    return any(bound.concerns(e.label, e.engine.name, e.model.path) for e in candidates)


def _check_margins(shares: Mapping[str, float], least: float) -> None:
    for metric, share in shares.items():
        if metric != "size" and share < least:
            raise UsageError(
                f"{metric}={share * 100:g}%: less than {LEAST_ACROSS * 100:g} % cannot be told between environments",
                f"--max-regression {LEAST_ACROSS * 100:g}% or more",
            )


def build_gate_settings(
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
    _check_names({"--against": against, "--against-python": python, "--baseline": baseline})
    compares = against is not None or python is not None or baseline is not None
    text = (_read_text(project, "max-regression") or None) if max_regression is None and compares else max_regression
    shares = {} if text is None else parse_regressions(text)
    if max_regression is None:
        across = python is not None or baseline is not None
        shares = _fit_shares(shares, across=across, stored_baseline=baseline is not None)
    if max_delta is None and (against is not None or python is not None):
        max_delta = _read_number(project, "max-delta")
    _check_max_delta(max_delta, compares)
    if not 0 < alpha <= 0.2:
        raise UsageError("--alpha lies between 0 and 0.2", "0.01 is one false alarm in a hundred runs")
    own_bounds = tuple(map(parse_bound, bounds))
    limits = GateLimits(
        shares=shares,
        unnamed=find_unnamed(text) & shares.keys(),
        bounds=own_bounds or (() if plain or baseline is not None else _read_bounds(project)),
        max_delta=max_delta,
        errors=Errors(alpha=alpha),
        inconclusive=inconclusive,
    )
    return GateSettings(against, python, baseline, limits, own_bounds).complete()


def _check_names(options: Mapping[str, str | None]) -> None:
    for option, name in options.items():
        if name == "":
            raise UsageError(f"{option} names nothing", "is the variable set that it is taken from?")


def _check_max_delta(max_delta: float | None, compares: bool) -> None:
    if max_delta is not None and not compares:
        raise UsageError("--max-delta needs something to compare with", "--against OLD_MODEL")
    if max_delta is not None and not 0 <= max_delta < float("inf"):
        raise UsageError("--max-delta is zero or more")


def _fit_shares(shares: Mapping[str, float], *, across: bool, stored_baseline: bool) -> dict[str, float]:
    """The project's limits on regressions: between environments as narrow as can be told there, and no narrower.

    A stored run carries no other metric than percentiles.
    """
    if stored_baseline:
        shares = {metric: share for metric, share in shares.items() if share_of(metric) is not None}
    least = LEAST_ACROSS if across else 0.0
    return {metric: share if metric == "size" else max(least, share) for metric, share in shares.items()}


def _read_value(project: Mapping[str, Any], name: str) -> Any:
    return project.get(name, project.get(name.replace("-", "_")))


def _read_text(project: Mapping[str, Any], name: str) -> str | None:
    value = _read_value(project, name)
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"{name} of [tool.infer-bench] in pyproject.toml is no text: {value!r}", f'{name} = "5%"')


def _read_texts(project: Mapping[str, Any], name: str) -> Sequence[str]:
    value = _read_value(project, name)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        return value
    raise UsageError(f"{name} of [tool.infer-bench] in pyproject.toml is no list of texts", f'{name} = ["p99<5ms"]')


def _read_bounds(project: Mapping[str, Any]) -> tuple[Bound, ...]:
    return tuple(map(parse_bound, _read_texts(project, "limits")))


def _read_number(project: Mapping[str, Any], name: str) -> float | None:
    value = _read_value(project, name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise UsageError(f"{name} of [tool.infer-bench] in pyproject.toml is no number: {value!r}", f"{name} = 1e-5")
