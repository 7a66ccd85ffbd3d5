"""Who is compared with whom in a gate: candidates, and the baseline that `--against` names."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from infer_bench.engines import registry
from infer_bench.errors import UsageError
from infer_bench.measure.candidates.candidates import (
    Candidate,
    Key,
    PlannedCandidate,
    ToOnnx,
    can_open,
    choose_candidates,
    plan_candidates,
    usual_candidate,
)
from infer_bench.measure.candidates.feed_choice import choose_feeds
from infer_bench.measure.candidates.spec import parse
from infer_bench.measure.gate.interpreters import check_interpreter, find_folder
from infer_bench.measure.schedule.sequential import Pair
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.report.common import Notice
from infer_bench.typing import Columns

Identify = Callable[[str], ModelRef]


def make_pairs(
    models: Sequence[ModelRef],
    texts: Sequence[str],
    against: str | None,
    python: str | None,
    *,
    identify: Identify,
    to_onnx: ToOnnx,
    threads: int,
) -> list[Pair]:
    """A pair for each candidate that `texts` write. Without `against` and `python` they have no baseline.

    `against` is a model (opened by the same candidate where its family can), another candidate for the same model, or
    a function; `python` is the interpreter that the baseline runs in, the same candidate unless `against` says
    otherwise. Raises `UsageError` when `against` is none of these or names the candidate itself.
    """
    maker = _PairMaker(against, python, identify, to_onnx, threads)
    plans = plan_candidates(models, texts, threads) if texts else []
    entries = [(plan.model, plan.text) for plan in plans] if texts else [(model, None) for model in models]
    pairs = [maker.make(model, text) for model, text in entries]
    unique = list({pair.candidate.key: pair for pair in pairs}.values())
    same = [pair for pair in unique if pair.baseline is not None and pair.baseline.key == pair.candidate.key]
    if same and len(same) == len(unique):
        raise UsageError(f"{same[0].candidate.label} would be compared with itself", "name another model or candidate")
    return [pair for pair in unique if pair not in same]


def plan_pairs(
    models: Sequence[ModelRef], texts: Sequence[str], against: str | None, threads: int
) -> list[PlannedCandidate]:
    """The candidates that `make_pairs` would make. Raises `UsageError` where one, or the baseline, makes no sense."""
    if against is not None and _is_candidate(against):
        plan_candidates(models, [against], threads)
    if texts:
        return plan_candidates(models, texts, threads)
    return [plan for model in models for plan in plan_candidates([model], [usual_candidate(model)], threads)]


def choose_pair_feeds(
    pairs: Sequence[Pair], columns: Mapping[Key, Columns], settings: Settings
) -> tuple[list[Pair], list[Notice]]:
    """The pairs with feeds that their models take (see `choose_feeds`)."""
    candidates = list({candidate.key: candidate for pair in pairs for candidate in pair.candidates}.values())
    fed, notices = choose_feeds(candidates, columns, settings)
    by_key = {candidate.key: candidate for candidate in fed}
    return [Pair(by_key[p.candidate.key], p.baseline and by_key[p.baseline.key]) for p in pairs], notices


@dataclass(frozen=True, slots=True)
class _PairMaker:
    """What `make_pairs` is to compare with."""

    against: str | None
    python: str | None
    identify: Identify
    to_onnx: ToOnnx
    threads: int

    def make(self, model: ModelRef, text: str | None) -> Pair:
        """The pair of one candidate; the usual one where the user wrote none."""
        candidate = self._candidate(model, text or usual_candidate(model))
        baseline = self._baseline(candidate, text)
        if baseline is None or self.python is None:
            return Pair(candidate, baseline)
        interpreter, folder = check_interpreter(self.python), find_folder(self.python, baseline)
        return Pair(candidate, replace(baseline, interpreter=interpreter, folder=folder))

    def _candidate(self, model: ModelRef, text: str) -> Candidate:
        return choose_candidates([model], [text], self.to_onnx, self.threads)[0][0]

    def _baseline(self, candidate: Candidate, text: str | None) -> Candidate | None:
        if self.against is None:
            return candidate if self.python else None
        if _is_candidate(self.against):
            return self._candidate(candidate.model, self.against)
        model = self.identify(self.against)
        return self._candidate(model, text if text and _opens(candidate, model) else usual_candidate(model))


def _opens(candidate: Candidate, model: ModelRef) -> bool:
    """Whether the candidate can be used on another model: by its own engine, or converted for ONNX Runtime."""
    return candidate.spec.target is None and model.family != "callable" and can_open(candidate.engine, model)


def _is_candidate(text: str) -> bool:
    """`engine` or `engine:key=value`; a file of that name and a function are models."""
    if os.path.lexists(text):
        return False
    head = text.partition(":")[0]
    return head in registry.names() and parse(text).target is None
