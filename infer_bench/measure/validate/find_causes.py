"""Causes for every candidate that differs, looked for in whichever model's trees can be read."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from infer_bench.data import Table
from infer_bench.data.narrowing import takes_integers
from infer_bench.measure.candidates.column_mapping import columns_for, counterparts
from infer_bench.measure.validate.causes.differing_rows import DifferingRows, join
from infer_bench.measure.validate.causes.explain import explain
from infer_bench.measure.validate.causes.explanation import Explanation
from infer_bench.measure.validate.causes.fixes import with_fixes
from infer_bench.measure.validate.causes.reference import LastStep, ReferenceAccess
from infer_bench.measure.validate.fan_out import predict_aligned
from infer_bench.measure.validate.group_comparison import GroupComparison, unlike_widths
from infer_bench.measure.validate.network_causes import explain_by_itself, explain_by_weights
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.trees import Structures, rename_columns
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.model import ModelSpec
from infer_bench.typing import Columns

FEW_ROWS = 3


def explain_candidates(validation: Validation, structures: Structures, until_ns: int | None = None) -> None:
    """Give every candidate whose rows differ its explanation, sought until `until_ns` of the monotonic clock.

    Faults are looked for in the candidate: known ones are applied to the reference. Where only the candidate's trees
    can be read, or there is nothing in the reference that explains, the roles are swapped.
    """
    for candidate in validation.candidates:
        if not _differs(candidate):
            continue
        rows = _examples(list(candidate.groups.values()))
        if candidate.reading is not None:
            candidate.explanation = _locate_labels(rows)
            continue
        unlike = _unlike_widths(candidate)
        itself = None if unlike else explain_by_itself(rows, candidate, validation)
        if itself is not None:
            candidate.explanation = itself
            continue
        explanation = _explain_by_reference(rows, unlike, candidate, validation, structures, until_ns)
        if explanation.not_explained and candidate.error is None:
            explanation = _explain_by_candidate(explanation, rows, unlike, candidate, validation, structures, until_ns)
        if explanation.not_explained and not unlike:
            explanation = explain_by_weights(explanation, rows, candidate.predictor, validation.reference)
        candidate.explanation = with_fixes(explanation, validation.reference, candidate.predictor)


def leave_to_merge(validation: Validation) -> None:
    """Say of candidates whose rows differ that a part of the rows is not what causes are looked for on."""
    for candidate in validation.candidates:
        rows = _examples(list(candidate.groups.values())) if _differs(candidate) else None
        if rows is not None:
            why = "not explained: causes are looked for when the parts are merged"
            candidate.explanation = Explanation(not_explained=int(rows.differ.sum()), why=why)


def _differs(candidate: CandidateState) -> bool:
    return any(group.comparison.failing for group in candidate.groups.values())


def _locate_labels(rows: DifferingRows) -> Explanation:
    """Where labels differ, of which alone no cause can be told."""
    places = np.flatnonzero(rows.differ)[:FEW_ROWS]
    first = ", ".join(f"row {rows.numbers[place]:,} of {rows.groups[place]}" for place in places)
    why = f"not explained: labels alone do not say why they differ, first in {first}"
    return Explanation(not_explained=int(rows.differ.sum()), why=why)


def _examples(groups: list[GroupComparison]) -> DifferingRows:
    """The rows of all groups below each other, the user's first."""
    groups = sorted(groups, key=lambda group: group.group != "data")
    return join([examples for group in groups if (examples := group.examples) is not None])


def _unlike_widths(candidate: CandidateState) -> str:
    sentences = (unlike_widths(group.comparison) for group in candidate.groups.values())
    return next((sentence for sentence in sentences if sentence), "")


def _explain_by_reference(
    rows: DifferingRows,
    unlike: str,
    candidate: CandidateState,
    validation: Validation,
    structures: Structures,
    until_ns: int | None,
) -> Explanation:
    """By changes of the reference: of its trees, or of what it is fed and what it predicts."""
    reference = validation.reference
    if not isinstance(reference, Predictor):
        return explain(rows, ReferenceAccess(), unlike)
    structure = structures.of(reference)
    access = ReferenceAccess(
        ensemble=structure.ensemble if structure else None,
        other_reading=structure.other_reading if structure else None,
        predict=lambda table: reference.predict(dict(table.columns)).values,
        integer_columns=_integer_columns(candidate.predictor.spec, validation.spec),
        until_ns=until_ns,
    )
    if reference.candidate.spec.engine == "sklearn":
        access = replace(
            access,
            predict_in_float32=lambda table: reference.predict_in_float32(dict(table.columns)),
            last_step=_last_step(reference, structures, lambda table: dict(table.columns)),
        )
    return explain(rows, access, unlike)


def _integer_columns(spec: ModelSpec, reference: ModelSpec) -> frozenset[str]:
    """The reference's columns that a model takes as integers."""
    features = counterparts(spec, reference)
    return frozenset(name for name, feature in features if takes_integers(feature) and feature.kind != "boolean")


def _last_step(predictor: Predictor, structures: Structures, columns: Callable[[Table], Columns]) -> LastStep:
    """The last step of a scikit-learn pipeline, read when it is asked for; `columns` are what it is fed of a table."""
    return LastStep(lambda: structures.last_step(predictor), lambda table: predictor.prepare(columns(table)))


def _explain_by_candidate(
    explanation: Explanation,
    rows: DifferingRows,
    unlike: str,
    candidate: CandidateState,
    validation: Validation,
    structures: Structures,
    until_ns: int | None,
) -> Explanation:
    """The explanation with the roles swapped, where the candidate's trees can be read and it explains more."""
    access = replace(_access_to_candidate(candidate.predictor, validation, structures), until_ns=until_ns)
    other = explain(rows.with_roles_swapped, access, unlike)
    if other.not_explained >= explanation.not_explained:
        return explanation
    return replace(other, causes=tuple(replace(c, detail=f"in the reference, {c.detail}") for c in other.causes))


def _access_to_candidate(predictor: Predictor, validation: Validation, structures: Structures) -> ReferenceAccess:
    """A candidate in the reference's place: its trees, or those of a pipeline's last step."""
    spec, structure = validation.spec, structures.of(predictor)
    if structure is not None:
        structure = rename_columns(structure, predictor.spec, spec)
    if structure is not None:
        return ReferenceAccess(
            structure.ensemble,
            lambda table: predict_aligned(predictor, table, spec).values,
            other_reading=structure.other_reading,
        )
    if predictor.candidate.spec.engine != "sklearn":
        return ReferenceAccess()
    step = _last_step(predictor, structures, lambda table: columns_for(table, predictor.spec, spec, predictor.name))
    return ReferenceAccess(last_step=step)
