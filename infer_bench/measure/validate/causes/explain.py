"""From rows that differ to causes, or to the words that nothing explains them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from infer_bench.data import Table
from infer_bench.errors import InferBenchError
from infer_bench.measure.validate.causes import counterfactual as names
from infer_bench.measure.validate.causes.differing_rows import DifferingRows, gather
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.locate import first_decision
from infer_bench.measure.validate.causes.oracle import EngineOracle, Oracle, StepsOracle, TreeOracle, matrix_of
from infer_bench.measure.validate.causes.search import Search, State, closeness, matches
from infer_bench.measure.validate.group_comparison import Kept
from infer_bench.report.validate import Cause
from infer_bench.trees.ensemble import Ensemble
from infer_bench.typing import Bools, Floats

CELLS = 60_000
"""Rows times trees that one counterfactual is tried on."""
LEAST, MOST = 60, 600
NOTHING = "not explained: no known cause accounts for the rows"
ANOTHER_TEXT = "not explained: the functions answer with another text"
RELIABLE = 0.99
"""The share of rows on which the trees, as read, must answer as the reference does."""
ROUTING = (
    names.PREPARED,
    names.THRESHOLD_CAST,
    names.INPUT_CAST,
    names.COMPARISON,
    names.MISSING,
    names.CATEGORY,
    names.COLUMNS,
)


Ask = Callable[[Table], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A pipeline's last step: `last` reads its trees, `prepare` makes the two matrices of a `StepsOracle`."""

    last: Callable[[], Ensemble | None]
    prepare: Callable[[Table], tuple[Floats, Floats]]


def explain(
    kept: Sequence[Kept],
    ensemble: Ensemble | None,
    ask: Ask | None,
    single: Ask | None = None,
    steps: Steps | None = None,
) -> Explanation:
    """Why the rows that were kept differ.

    `ensemble` are the reference's trees where they can be read; `ask` answers a table as the reference does, `single`
    as it would with its steps in float32; `steps` are looked into where nothing else explains the rows.
    """
    if not any(part.differ.any() for part in kept):
        return Explanation()
    evidence = gather(kept)
    unlike = next((part.unlike for part in kept if part.unlike), "")
    if unlike:
        return Explanation(not_explained=int(evidence.differ.sum()), why=unlike)
    causes = [*_refusals(evidence), *_labels(evidence)]
    values = evidence.differ & ~evidence.refused & ~evidence.relabelled
    rounding = values & matches(
        evidence.reference, evidence.candidate, closeness(evidence.reference, evidence.candidate)
    )
    if rounding.any():
        causes.append(_rounding(evidence, rounding))
    left = values & ~rounding
    if not left.any():
        worded = _worded(evidence)
        return Explanation(tuple(causes), worded, ANOTHER_TEXT if worded else "")
    found = _search(evidence, left, ensemble, ask, single, steps)
    if isinstance(found, str):
        return Explanation(tuple(causes), int(left.sum()), found)
    return Explanation((*found.causes, *causes), found.not_explained, found.why)


def _refusals(evidence: DifferingRows) -> list[Cause]:
    """Rows that one side refuses and the other answers."""
    lone = evidence.differ & evidence.refused
    if not lone.any():
        return []
    holes = _missing(evidence.table)
    name = names.MISSING if holes[lone].all() else names.REFUSED
    said = "rows with missing values" if holes[lone].all() else "rows"
    ours = np.asarray(np.isnan(evidence.reference).all(axis=1))
    who = "the reference refuses" if ours[lone].all() else "one side refuses"
    return [_cause(name, f"{who} {said} that the other answers", evidence, lone, lone)]


def _missing(table: Table) -> Bools:
    found = np.zeros(table.rows, dtype=np.bool_)
    for column in table.columns.values():
        if column.dtype.kind == "f":
            found |= np.isnan(column)
        elif column.dtype == object:
            found |= np.array([value is None for value in column.tolist()], dtype=np.bool_)
    return found


def _worded(evidence: DifferingRows) -> int:
    """Rows in which text differs: labels beside answers without a number are compared only where they are text."""
    numbers = np.isfinite(evidence.reference).all(axis=1)
    return int((evidence.differ & evidence.relabelled & ~evidence.refused & ~numbers).sum())


def _labels(evidence: DifferingRows) -> list[Cause]:
    known = ~evidence.refused & np.isfinite(evidence.reference).all(axis=1)
    changed = evidence.differ & evidence.relabelled & known
    if not changed.any():
        return []
    if bool(np.all(changed[known])) and known.sum() > 1:
        return [_cause(names.CLASSES, "the class labels changed places", evidence, changed, changed)]
    said = "the answers agree, but labels are decided by another rule (a threshold, or how ties fall)"
    return [_cause(names.LABELS, said, evidence, changed, changed)]


def _rounding(evidence: DifferingRows, rows: Bools) -> Cause:
    gap = float(np.nanmax(np.abs(evidence.reference[rows] - evidence.candidate[rows])))
    said = f"sums are rounded otherwise (float32, or another order), up to {gap:.1e}"
    return _cause(names.ACCUMULATION, said, evidence, rows, rows)


def _cause(name: str, detail: str, evidence: DifferingRows, explained: Bools, examined: Bools) -> Cause:
    first = int(np.flatnonzero(explained)[0])
    return Cause(
        name=name,
        rows_explained=int(explained.sum()),
        rows_examined=int(examined.sum()),
        detail=detail,
        group=str(evidence.groups[first]),
        row=int(evidence.numbers[first]),
    )


def _search(
    evidence: DifferingRows,
    left: Bools,
    ensemble: Ensemble | None,
    ask: Ask | None,
    single: Ask | None,
    steps: Steps | None,
) -> Explanation | str:
    """Causes of the rows `left`; or why none is claimed."""
    alike = ~evidence.differ & ~evidence.refused
    rows = _chosen(evidence, left, alike, ensemble.trees if ensemble else 100)
    said = "not explained: neither the reference's structure nor the reference itself can be asked"
    makers: tuple[Callable[[], Oracle | None], ...] = (
        lambda: _oracle(evidence, rows, ensemble, ask, single),
        lambda: _inside(evidence, rows, steps),
    )
    for make in makers:
        try:
            oracle = make()
            if oracle is None:
                continue
            search = Search(oracle, evidence.candidate[rows], left[rows], np.arange(len(rows)))
            best = search.run()
            if best is not None:
                return _told(evidence, rows, left[rows], best, search)
            said = NOTHING
        except InferBenchError as error:
            said = f"not explained: {error.message}"
    return said


def _inside(evidence: DifferingRows, rows: npt.NDArray[np.intp], steps: Steps | None) -> Oracle | None:
    """The last step of a pipeline, where its trees answer the prepared rows as the pipeline does."""
    ensemble = steps.last() if steps else None
    if steps is None or ensemble is None:
        return None
    double, single = steps.prepare(evidence.table.take(rows))
    if double.shape != single.shape or double.shape[1] != len(ensemble.features):
        return None
    oracle = StepsOracle(ensemble, double, single)
    return oracle if _reliable(oracle, evidence.reference[rows]) else None


def _reliable(oracle: TreeOracle, wanted: Floats) -> bool:
    """Whether the trees, as read, answer as the reference does."""
    found = oracle.predictions((), np.arange(len(wanted)))
    return found.shape == wanted.shape and bool(matches(found, wanted, closeness(wanted, found)).mean() >= RELIABLE)


def _chosen(evidence: DifferingRows, left: Bools, alike: Bools, trees: int) -> npt.NDArray[np.intp]:
    """Rows to try on: of each group some that differ and some that do not."""
    most = int(np.clip(CELLS // max(1, trees), LEAST, MOST))
    groups = list(dict.fromkeys(evidence.groups.tolist()))
    share = max(4, most // max(1, len(groups)))
    picked: list[npt.NDArray[np.intp]] = []
    for group in groups:
        inside = evidence.groups == group
        for side, count in ((left, 2 * share // 3), (alike, share // 3)):
            found = np.flatnonzero(inside & side)
            picked.append(found[np.linspace(0, len(found) - 1, min(count, len(found))).astype(np.intp)])
    return np.sort(np.concatenate(picked))


def _oracle(
    evidence: DifferingRows, rows: npt.NDArray[np.intp], ensemble: Ensemble | None, ask: Ask | None, single: Ask | None
) -> Oracle | None:
    table = evidence.table.take(rows)
    if ensemble is not None and len(ensemble.features) == len(table.columns):
        oracle = TreeOracle(ensemble, matrix_of(table, ensemble.features))
        if _reliable(oracle, evidence.reference[rows]):
            return oracle
    if ask is None:
        return None
    return EngineOracle(table, ask, single if single is not None and _answers(single, table) else None)


def _answers(single: Ask, table: Table) -> bool:
    """Whether the reference has steps that can be asked to work in float32."""
    try:
        return len(single(table)) == table.rows
    except InferBenchError:
        return False


def _told(
    evidence: DifferingRows, rows: npt.NDArray[np.intp], differ: Bools, best: State, search: Search
) -> Explanation:
    explained = best.right & differ
    causes = []
    for change in best.changes:
        alone = int((search.state([change]).right & differ).sum()) if len(best.changes) > 1 else int(explained.sum())
        detail = change.detail + (f" (alone {alone:,})" if len(best.changes) > 1 else "")
        cause = _cause(change.cause, detail, evidence, _at(evidence, rows[explained]), _at(evidence, rows[differ]))
        causes.append(_placed(cause, change.cause, evidence, rows, explained, best, search))
    missing = int((differ & ~best.right).sum())
    return Explanation(tuple(causes), missing, "" if not missing else f"{missing:,} rows are not explained")


def _at(evidence: DifferingRows, rows: npt.NDArray[np.intp]) -> Bools:
    found = np.zeros(len(evidence.numbers), dtype=np.bool_)
    found[rows] = True
    return found


def _placed(
    cause: Cause,
    name: str,
    evidence: DifferingRows,
    rows: npt.NDArray[np.intp],
    explained: Bools,
    best: State,
    search: Search,
) -> Cause:
    """The cause with the first decision that comes out otherwise, where it is one of decisions."""
    if name not in ROUTING or not isinstance(search.oracle, TreeOracle):
        return cause
    places = np.flatnonzero(explained)
    found = first_decision(search.oracle, best.changes, places)
    if found is None:
        return cause
    at = rows[places[found.row]]
    return replace(
        cause,
        group=str(evidence.groups[at]),
        row=int(evidence.numbers[at]),
        tree=found.tree,
        feature=found.feature,
        split=found.split,
        value=None if np.isnan(found.value) else found.value,
    )
