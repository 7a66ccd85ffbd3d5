"""Causes for every candidate that differs, found on whichever side's trees can be read."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from infer_bench.data import Table
from infer_bench.measure.validate.causes.explain import Steps, explain
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.fan_out import Duel, Saved, ask
from infer_bench.measure.validate.fixes import with_fixes
from infer_bench.measure.validate.group_comparison import Kept
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.trees import Structures, renamed
from infer_bench.model import ModelSpec

Ask = Callable[[Table], npt.NDArray[np.float64]]


def find(duels: Sequence[Duel], reference: Predictor | Saved, structures: Structures, spec: ModelSpec) -> None:
    """Give every duel whose rows differ its explanation.

    Faults are looked for in the candidate: known ones are applied to the reference. Where only the candidate's trees
    can be read, or there is nothing on the reference's side that explains, the roles are changed.
    """
    for duel in duels:
        if not any(pairing.failing for pairing in duel.groups.values()):
            continue
        kept = [held for pairing in duel.groups.values() if (held := pairing.kept_rows) is not None]
        structure = structures.of(reference) if isinstance(reference, Predictor) else None
        single = _in_float32(reference)
        steps = _steps(reference, structures)
        found = explain(kept, structure.ensemble if structure else None, _asking(reference), single, steps)
        if found.not_explained and duel.failed is None:
            found = _reversed(found, kept, duel, spec, structures)
        duel.explanation = with_fixes(found, reference, duel.side)


def _asking(reference: Predictor | Saved) -> Ask | None:
    """Asks the reference itself, for counterfactuals on rows."""
    return None if isinstance(reference, Saved) else lambda table: reference.answer(dict(table.columns)).values


def _in_float32(reference: Predictor | Saved) -> Ask | None:
    """Asks the reference with its steps in float32, where it may have steps."""
    if isinstance(reference, Saved) or reference.candidate.spec.engine != "sklearn":
        return None
    return lambda table: reference.in_float32(dict(table.columns))


def _steps(reference: Predictor | Saved, structures: Structures) -> Steps | None:
    """The last step of a scikit-learn pipeline, read when it is asked for."""
    if isinstance(reference, Saved) or reference.candidate.spec.engine != "sklearn":
        return None
    return Steps(lambda: structures.last_step(reference), lambda table: reference.prepared(dict(table.columns)))


def _reversed(
    found: Explanation, kept: Sequence[Kept], duel: Duel, spec: ModelSpec, structures: Structures
) -> Explanation:
    """The explanation with the roles changed, where the candidate's trees can be read and it explains more."""
    side = duel.side
    held = structures.of(side)
    structure = None if held is None else renamed(held, side.spec, spec)
    if structure is None:
        return found
    turned = [replace(part, reference=part.candidate, candidate=part.reference) for part in kept]
    other = explain(turned, structure.ensemble, lambda table: ask(side, table, spec).values)
    if other.not_explained >= found.not_explained:
        return found
    return replace(other, causes=tuple(replace(c, detail=f"in the reference, {c.detail}") for c in other.causes))
