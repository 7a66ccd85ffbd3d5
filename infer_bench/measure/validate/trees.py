"""A model's trees and the rows that visit them, read by a worker."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import InferBenchError
from infer_bench.libraries import of_engine, of_family
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.column_mapping import share_names
from infer_bench.measure.candidates.jobs import build_task_job
from infer_bench.measure.validate.predictors import Predictor
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import Feature, ModelSpec
from infer_bench.trees.ensemble import Ensemble
from infer_bench.typing import Array, Floats
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.read_trees import ModelTrees, ReadTrees

Read = Callable[[ReadTrees], ModelTrees]

NAMES = {"ordinary": "drawn", "missing": "NaN", "nan": "NaN", "infinity": "infinite"}
"""Where these are called otherwise than other probes of their kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """The trees, and groups of rows that visit them under the columns' names; `other_reading` as in `ModelTrees`."""

    ensemble: Ensemble
    groups: dict[str, Table]
    other_reading: Ensemble | None = None


class Structures:
    """What can be read of each model, read once: by a worker of its own, or `in_place` by the one that predicts.

    In place no rows are drawn.
    """

    def __init__(self, settings: ValidateSettings, *, in_place: bool = False) -> None:
        self._settings, self._in_place = settings, in_place
        self._structures: dict[int, Structure | None] = {}

    def of(self, predictor: Predictor) -> Structure | None:
        """A model's trees; None where they cannot be read."""
        if id(predictor) not in self._structures:
            self._structures[id(predictor)] = self._read(predictor)
        return self._structures[id(predictor)]

    def _read(self, predictor: Predictor) -> Structure | None:
        """In place where that is possible: a worker that was kept from importing a library may lack it."""
        here = predictor.read_trees if self._in_place else None
        structure = None if here is None else structure_of(predictor.candidate, predictor.spec, self._settings, here)
        return structure or structure_of(predictor.candidate, predictor.spec, self._settings)

    def last_step(self, predictor: Predictor) -> ModelTrees | None:
        """The trees of a scikit-learn pipeline's last step; None where there is none, or they cannot be read."""
        candidate = predictor.candidate
        if candidate.spec.engine != "sklearn" or candidate.artefact.family != "sklearn":
            return None
        try:
            return _read_trees(candidate, self._settings, last_step=True)
        except InferBenchError:
            return None


def rename_columns(structure: Structure, spec: ModelSpec, reference: ModelSpec) -> Structure | None:
    """A model's trees as trees of the reference's columns, where it takes the same ones in order; else None.

    The rows that visit them stand under these columns' names.
    """
    ours, names = spec.feature_names, reference.feature_names
    if ours == names:
        return structure
    coded = any(f.categories for f in (*structure.ensemble.features, *reference.features))
    if coded or len(ours) != len(names) or share_names(spec, reference):
        return None
    ensemble = replace(structure.ensemble, features=reference.features)
    tables = structure.groups.items()
    groups = {name: Table(dict(zip(names, table.columns.values(), strict=True))) for name, table in tables}
    return Structure(ensemble, groups, structure.other_reading)


def structure_of(
    candidate: Candidate, spec: ModelSpec, settings: ValidateSettings, read: Read | None = None
) -> Structure | None:
    """What can be read of a model, by `read`; None where nothing can, which only makes probes and causes coarser."""
    model, library = candidate.artefact, of_engine(candidate.spec.engine)
    trained_by = of_family(model.family)
    if library is None or trained_by is None or not (library.trees and trained_by.trees):
        return None
    if (trained_by.family == "onnx") != (library.family == "onnx"):
        return None
    try:
        trees = _read_trees(candidate, settings, read=read)
    except InferBenchError:
        return None
    ensemble = trees.ensemble
    if len(ensemble.features) != len(spec.features):
        return None
    tables = {NAMES.get(n, n): table_of(rows, ensemble, spec) for n, rows in trees.groups.items() if len(rows)}
    return Structure(ensemble, tables, trees.other_reading)


def _read_trees(
    candidate: Candidate, settings: ValidateSettings, *, last_step: bool = False, read: Read | None = None
) -> ModelTrees:
    """What a worker of its own reads, or, without rows, `read`. Raises what it raises."""
    model, trees = candidate.artefact, candidate.options.get("trees", "auto")
    if trees == "auto" and candidate.options.get("api") == "sklearn":  # a wrapper opens a booster's file, too
        trees = "best"
    request = ReadTrees(model, settings.allow_pickle, trees, settings.seed, last_step)
    if read is not None:
        return read(replace(request, draws=False))
    with Worker(build_task_job(model), timeout_s=settings.timeout_s) as worker:
        return worker.ask(request)


def table_of(rows: Floats, ensemble: Ensemble, spec: ModelSpec) -> Table:
    """Rows of codes as the model's columns: a code of a known category becomes the category itself."""
    pairs = zip(ensemble.features, spec.features, strict=True)
    return Table({name.name: _column(rows[:, i], feature) for i, (feature, name) in enumerate(pairs)})


def _column(codes: Floats, feature: Feature) -> Array:
    if not feature.categories:
        return codes
    if not any(isinstance(value, str) for value in feature.categories):
        categories = dict(enumerate(feature.categories))
        beyond = max(float(value) for value in feature.categories) + 1
        return np.array([_number(code, categories, beyond) for code in codes.tolist()])
    column = np.empty(len(codes), dtype=object)
    column[:] = [_text(code, feature.categories) for code in codes.tolist()]
    return column


def _number(code: float, categories: dict[int, Any], beyond: float) -> float:
    if code != code:
        return code
    return float(categories[int(code)]) if code in categories else beyond + code


def _text(code: float, categories: tuple[Any, ...]) -> Any:
    if code != code:
        return None
    return categories[int(code)] if code in range(len(categories)) else f"unseen {code:g}"
