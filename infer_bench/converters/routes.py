"""Which model is converted how. The source's own library is imported here, so this runs in a worker."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from infer_bench.converters.base import ConvertedModel, ConvertOptions, InputDtype
from infer_bench.converters.metadata import SOURCE
from infer_bench.errors import NotConvertible
from infer_bench.formats.archives import SCRIPT
from infer_bench.model import ModelRef
from infer_bench.trees.ensemble import Ensemble
from infer_bench.trees.readers.files import open_model, read_file
from infer_bench.typing import Array

PROBE_ROWS = 4_000


def convert(
    model: ModelRef, options: ConvertOptions, metadata: Mapping[str, str], *, allow_pickle: bool
) -> ConvertedModel:
    """The ONNX file, and rows made to find differences. Raises `NotConvertible` with what stands in the way."""
    if model.family in ("lightgbm", "xgboost") or model.format == "catboost-cbm":
        trees = None if options.trees == "auto" else options.trees
        return _convert_ensemble(read_file(model, allow_pickle, trees), options, metadata)
    if model.family == "sklearn":
        estimator = open_model(model, allow_pickle)
        if options.trees == "all":
            _refuse_all_trees(estimator)
        return _convert_estimator(estimator, options, metadata)
    if model.format == "torch-pt2":
        return _convert_program(model, metadata, allow_pickle)
    raise NotConvertible(f"there is no route from {model.family} ({model.format}) to ONNX", "see convert --list")


def _convert_program(model: ModelRef, metadata: Mapping[str, str], allow_pickle: bool) -> ConvertedModel:
    from infer_bench.converters.torch.export import convert_torch
    from infer_bench.converters.torch.probes import probe_rows
    from infer_bench.converters.torch.programs import load_program, refuse_training_mode

    program = load_program(model.path, trusted=allow_pickle)
    refuse_training_mode(program)
    groups = {name: {f"f{i}": rows[:, i] for i in range(rows.shape[1])} for name, rows in probe_rows(program).items()}
    return ConvertedModel(convert_torch(program, metadata=metadata), "torch.onnx.export", "float32", "float32", groups)


def write_network(
    model: ModelRef,
    path: Path,
    metadata: Mapping[str, str],
    request: Mapping[str, Array],
    axes: Mapping[str, Sequence[str]],
    *,
    external: bool,
    allow_pickle: bool = False,
) -> str:
    """Write a network that is fed by tensors, its weights beside the file where `external`; the route in words.

    A module that keeps no shapes is written for a `request`, whose `axes` with a name are free.
    Raises `NotConvertible` with what stands in the way, `UnsafePickle` for a program with code of its maker's unless
    `allow_pickle`.
    """
    if model.format == SCRIPT:
        from infer_bench.converters.torch.script import write_script

        if external:
            raise NotConvertible("TorchScript is written into one file, which ends at 2 GB", "export it as .pt2")

        write_script(model, path, metadata, request, axes)
        return "torch.onnx.export (TorchScript)"
    if model.format != "torch-pt2":
        raise NotConvertible(f"there is no route from {model.family} ({model.format}) to ONNX", "see convert --list")
    from infer_bench.converters.torch import export
    from infer_bench.converters.torch.programs import load_program, refuse_training_mode

    program = load_program(model.path, trusted=allow_pickle)
    refuse_training_mode(program)
    export.write_network(program, path, metadata, external=external)
    return "torch.onnx.export"


def _convert_ensemble(ensemble: Ensemble, options: ConvertOptions, metadata: Mapping[str, str]) -> ConvertedModel:
    from infer_bench.converters.onnx.columns import fits
    from infer_bench.converters.onnx.writer import write_onnx
    from infer_bench.trees.probes import decode_columns, probe_rows

    if options.precision == "exact" and not all(fits(feature, options.input_dtype) for feature in ensemble.features):
        options = replace(options, input_dtype="float64")
        ensemble = replace(ensemble, notes=(*ensemble.notes, "the input is float64: float32 confuses some categories"))
    onnx = write_onnx(
        ensemble,
        precision=options.precision,
        opset_ml=options.opset_ml,
        input_name=options.input_name,
        input_dtype=options.input_dtype,
        zipmap=options.zipmap,
        metadata={SOURCE.removeprefix("infer_bench."): json.loads(metadata[SOURCE])},
    )
    operator = "TreeEnsemble" if options.opset_ml == 5 else "TreeEnsembleRegressor"
    route, score_dtype = f"{operator} (ai.onnx.ml {options.opset_ml})", ensemble.score_dtype
    probes = probe_rows(ensemble, seed=0, limit=PROBE_ROWS)
    groups = {name: decode_columns(ensemble, rows, unseen=name == "categories") for name, rows in probes.items()}
    groups["empty"] = {name: column[:0] for name, column in groups["ordinary"].items()}
    computes_in = "float32" if options.precision == "float32" else score_dtype
    return ConvertedModel(onnx, route, options.input_dtype, computes_in, groups, ensemble.notes)


def _convert_estimator(estimator: Any, options: ConvertOptions, metadata: Mapping[str, str]) -> ConvertedModel:
    from infer_bench.converters.sklearn.convert import convert_sklearn
    from infer_bench.converters.sklearn.notes.empty_texts import note_empty_texts
    from infer_bench.converters.sklearn.notes.function_dtypes import note_dtypes
    from infer_bench.converters.sklearn.probes import Probes

    # Its preprocessing is in double, so that only rows in double get the same predictions.
    is_double = options.precision == "exact" or options.input_dtype == "float64"
    onnx = convert_sklearn(
        estimator,
        precision="exact" if is_double else "float32",
        opset_ml=options.opset_ml,
        input_name=options.input_name,
        zipmap=options.zipmap,
        metadata={key.removeprefix("infer_bench."): json.loads(value) for key, value in metadata.items()},
    )
    dtype: InputDtype = "float64" if is_double else "float32"
    probes = Probes(estimator, single=not is_double)
    groups = {group.name: group.table for group in probes.draw_groups()}
    notes = (*note_empty_texts(estimator, probes), *note_dtypes(estimator))
    return ConvertedModel(onnx, "scikit-learn in double", dtype, _find_least_dtype(estimator, dtype), groups, notes)


def _refuse_all_trees(estimator: Any) -> None:
    """Raises `NotConvertible` where a booster stands among others: it predicts there up to its best iteration."""
    if _holds(estimator, "lightgbm") or _holds(estimator, "xgboost"):
        raise NotConvertible(
            "--trees all is for a booster alone: within another estimator it predicts as its scikit-learn wrapper does",
            "leave --trees out, or save the booster by itself",
        )


def _find_least_dtype(estimator: Any, dtype: InputDtype) -> InputDtype:
    """XGBoost adds up in float32, wherever it stands in a pipeline."""
    return "float32" if _holds(estimator, "xgboost") else dtype


def _holds(estimator: Any, package: str) -> bool:
    """Whether the estimator, or one of those that it is made of, is the package's."""
    parts = [estimator, *(estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ())]
    return any(type(part).__module__.partition(".")[0] == package for part in parts)
