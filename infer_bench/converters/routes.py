"""Which model is converted how. The source's own library is imported here, so this runs in a worker."""

import json
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from infer_bench.converters.base import Converted, ConvertOptions, InputDtype
from infer_bench.converters.metadata import SOURCE
from infer_bench.errors import NotConvertible
from infer_bench.model import PICKLED, ModelRef
from infer_bench.trees.ensemble import Ensemble

PROBE_ROWS = 4_000
_WIDTH, _NARROWEST = 120, 40


def convert(model: ModelRef, options: ConvertOptions, metadata: Mapping[str, str], *, allow_pickle: bool) -> Converted:
    """The ONNX file, and rows made to find differences. Raises `NotConvertible` with what stands in the way."""
    if model.family == "lightgbm":
        return _lightgbm(model, options, metadata, allow_pickle)
    if model.family == "xgboost":
        return _xgboost(model, options, metadata, allow_pickle)
    if model.family == "sklearn":
        return _sklearn(model, options, metadata, allow_pickle)
    if model.format == "catboost-cbm":
        return _catboost(model, options, metadata)
    if model.format == "torch-pt2":
        return _torch(model, metadata)
    raise NotConvertible(f"there is no route from {model.family} ({model.format}) to ONNX", "see convert --list")


def _held(model: ModelRef, allow_pickle: bool) -> Any:
    """The object in a pickle, or the path of a native file."""
    from infer_bench.formats import pickles

    if model.format in PICKLED:
        return pickles.load(model.path, allow_pickle)
    return pickles.load_skops(model.path, allow_pickle) if model.format == "skops" else model.path


def _lightgbm(model: ModelRef, options: ConvertOptions, metadata: Mapping[str, str], allow_pickle: bool) -> Converted:
    from infer_bench.trees.readers.lightgbm import read_lightgbm

    text = model.format == "lightgbm-text"
    held = Path(model.path).read_text(encoding="utf-8") if text else _held(model, allow_pickle)
    return _ensemble(read_lightgbm(held, trees="all" if options.trees == "all" else "best"), options, metadata)


def _xgboost(model: ModelRef, options: ConvertOptions, metadata: Mapping[str, str], allow_pickle: bool) -> Converted:
    from infer_bench.trees.readers.xgboost import read_xgboost

    asked = None if options.trees == "auto" else options.trees
    if model.format in PICKLED:
        return _ensemble(read_xgboost(_held(model, allow_pickle), trees=asked), options, metadata)
    if model.format == "xgboost-json":
        return _ensemble(read_xgboost(Path(model.path).read_bytes(), trees=asked), options, metadata)
    import xgboost

    return _ensemble(read_xgboost(xgboost.Booster(model_file=model.path), trees=asked), options, metadata)


def _catboost(model: ModelRef, options: ConvertOptions, metadata: Mapping[str, str]) -> Converted:
    from infer_bench.trees.readers.catboost import read_catboost

    return _ensemble(read_catboost(model.path), options, metadata)


def _torch(model: ModelRef, metadata: Mapping[str, str]) -> Converted:
    from infer_bench.converters.torch import convert_torch, load_program, probe_rows

    program = load_program(model.path)
    groups = {name: {f"f{i}": rows[:, i] for i in range(rows.shape[1])} for name, rows in probe_rows(program).items()}
    return Converted(convert_torch(program, metadata=metadata), "torch.onnx.export", "float32", "float32", groups)


def _ensemble(ensemble: Ensemble, options: ConvertOptions, metadata: Mapping[str, str]) -> Converted:
    from infer_bench.converters.onnx.columns import fits
    from infer_bench.converters.onnx.writer import write_onnx
    from infer_bench.trees.probes import decode_columns, probe_rows

    if options.precision == "exact" and not all(fits(feature, options.input_dtype) for feature in ensemble.features):
        options = replace(options, input_dtype="float64")
        ensemble = replace(ensemble, notes=(*ensemble.notes, "the input is float64: float32 confuses some categories"))
    written = write_onnx(
        ensemble,
        precision=options.precision,
        opset_ml=options.opset_ml,
        input_name=options.input_name,
        input_dtype=options.input_dtype,
        zipmap=options.zipmap,
        metadata={SOURCE.removeprefix("infer_bench."): json.loads(metadata[SOURCE])},
    )
    node = "TreeEnsemble" if options.opset_ml == 5 else "TreeEnsembleRegressor"
    adds_up = "float32" if options.precision == "float32" else ensemble.score_dtype
    drawn = probe_rows(ensemble, seed=0, limit=PROBE_ROWS)
    groups = {name: decode_columns(ensemble, rows, unseen=name == "categories") for name, rows in drawn.items()}
    groups["empty"] = {name: column[:0] for name, column in groups["ordinary"].items()}
    return Converted(
        written, f"{node} (ai.onnx.ml {options.opset_ml})", options.input_dtype, adds_up, groups, ensemble.notes
    )


def _sklearn(model: ModelRef, options: ConvertOptions, metadata: Mapping[str, str], allow_pickle: bool) -> Converted:
    from infer_bench.converters.sklearn.convert import convert_sklearn
    from infer_bench.converters.sklearn.probes import Probes

    # Its preprocessing is in double, so that only rows in double get the same answers.
    double = options.precision == "exact" or options.input_dtype == "float64"
    estimator = _held(model, allow_pickle)
    written = convert_sklearn(
        estimator,
        precision="exact" if double else "float32",
        opset_ml=options.opset_ml,
        input_name=options.input_name,
        zipmap=options.zipmap,
        metadata={key.removeprefix("infer_bench."): json.loads(value) for key, value in metadata.items()},
    )
    dtype: InputDtype = "float64" if double else "float32"
    probes = Probes(estimator, single=not double)
    groups = {group.name: group.table for group in probes.draw_groups()}
    return Converted(written, "scikit-learn in double", dtype, _adds_up(estimator, dtype), groups)


def _adds_up(estimator: Any, dtype: InputDtype) -> InputDtype:
    """XGBoost adds up in float32, wherever it stands in a pipeline."""
    inside = [estimator, *(estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ())]
    return "float32" if any(type(part).__module__.startswith("xgboost") for part in inside) else dtype


def table(width: int | None = None) -> str:
    """The routes as text, for `convert --list`, in lines of at most `width` columns."""
    from infer_bench.converters.catalogue import BOOSTERS, OTHERS, RouteInfo, sklearn_routes

    def lines(route: RouteInfo) -> str:
        text = f"{', '.join(route.estimators)}: {route.note}"
        start = f"{route.family:10}{route.exactness:9}"
        return textwrap.fill(
            text,
            max(_NARROWEST, min(width or _WIDTH, _WIDTH)),
            initial_indent=start,
            subsequent_indent=" " * len(start),
        )

    return "\n".join(lines(route) for route in (*BOOSTERS, *sklearn_routes(), *OTHERS)) + "\n"
