"""TL2cgen: XGBoost's files (and with `allow=unsafe` LightGBM's) as C, compiled by the system's C compiler."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infer_bench.engines import feeds
from infer_bench.engines.base import Option
from infer_bench.engines.session import errors_as, read_threads, require
from infer_bench.engines.tree_files import read as files
from infer_bench.engines.tree_files.session import TreeFileSession
from infer_bench.engines.treelite import load_trees, refuse_categories
from infer_bench.engines.unsafe import ALLOW, require_allowed
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef

_COMPILERS = ("gcc", "clang", "cc")


class TL2cgen:
    """Runs `Predictor.predict` of a library that was compiled for the model."""

    name = "tl2cgen"
    formats = files.FORMATS
    requires: tuple[str, ...] = ("tl2cgen", "treelite")
    extra = "tl2cgen"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "threads": Option("threads of one prediction", "1"),
        "allow": ALLOW,
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Only the DataFrame feed needs pandas."""
        return () if options["feed"] == "dataframe" else ("pandas", "sklearn")

    def open(self, model: ModelRef, options: Mapping[str, str]) -> TreeFileSession:
        """Compile the model. Raises `EngineError` without a compiler, and for what is computed otherwise."""
        threads = read_threads(options)
        library, trees = require("tl2cgen", self.extra), require("treelite", self.extra)
        file = files.read_tree_file(model)
        files.refuse_foreign(file, model)
        refuse_categories(file, model, "TL2cgen")
        if file.xgboost is not None and file.xgboost.outline.targets > 1:
            raise EngineError(f"{model.name} has several targets, which TL2cgen computes otherwise")
        if file.lightgbm is not None:
            reason = "TL2cgen 1.0 takes a double whose lower 32 bits are all ones for a missing value"
            require_allowed(f"{reason}, so that LightGBM models answer otherwise there", options)
        predictor = _compile(library, load_trees(trees, file, model), model, threads)
        call = _make_call(library, predictor, file.dtype)
        return TreeFileSession(file, options, call, "TL2cgen cannot predict")


def _compile(library: Any, trees: Any, model: ModelRef, threads: int) -> Any:
    """The library's predictor; its shared object is loaded, so that the file may go."""
    compiler = next((name for name in _COMPILERS if shutil.which(name)), None)
    if compiler is None:
        raise EngineError("TL2cgen needs a C compiler, and none is on the path", "install gcc or clang")
    toolchain = "clang" if compiler == "clang" else "gcc"
    with (
        tempfile.TemporaryDirectory(prefix="infer-bench-") as folder,
        errors_as(ModelError, f"TL2cgen cannot compile {model.name}"),
    ):
        path = Path(folder) / "model.so"
        library.export_lib(trees, toolchain=toolchain, libpath=path, params={"parallel_comp": 1})
        return library.Predictor(path, nthread=threads)


def _make_call(library: Any, predictor: Any, dtype: Any) -> Callable[[Any], Any]:
    matrix, predict = library.DMatrix, predictor.predict

    def call(rows: Any) -> Any:
        return predict(matrix(rows)).reshape(len(rows), -1)

    return call
