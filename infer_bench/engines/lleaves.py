"""lleaves: LightGBM's files compiled by LLVM."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from infer_bench.engines import feeds
from infer_bench.engines.base import Option
from infer_bench.engines.session import errors_as, read_threads, require
from infer_bench.engines.tree_files import read as files
from infer_bench.engines.tree_files.near_zero import file_for_others
from infer_bench.engines.tree_files.session import TreeFileSession
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef

NEWEST_LLVMLITE = (0, 44)


class Lleaves:
    """Runs the machine code of `lleaves.Model.compile`."""

    name = "lleaves"
    formats: frozenset[str] = frozenset({"lightgbm-text"})
    requires: tuple[str, ...] = ("lleaves",)
    extra = "lleaves"
    options: Mapping[str, Option] = {**feeds.OPTIONS, "threads": Option("threads of one prediction", "1")}

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """lleaves imports pandas itself where it is there."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> TreeFileSession:
        """Compile the model. Raises `ModelError` for a broken file, `EngineError` for what is computed otherwise."""
        threads = read_threads(options)
        library = _require_lleaves(self.extra)
        file = files.read_tree_file(model)
        files.refuse_foreign(file, model)
        if file.lightgbm is not None and file.lightgbm.header.average and len(file.spec.outputs) > 1:
            raise EngineError(f"{model.name} is a random forest of several classes, which lleaves does not average")
        with errors_as(ModelError, f"lleaves cannot compile {model.name}"), file_for_others(file, model) as path:
            trees = library.Model(model_file=path)
            trees.compile()
        return TreeFileSession(file, options, _predictor(trees, threads), "lleaves cannot predict")


def _require_lleaves(extra: str) -> Any:
    """The library. Raises `EngineError` beside an llvmlite that is newer than it knows."""
    library = require("lleaves", extra)
    installed = version("llvmlite")
    if tuple(int(part) for part in installed.split(".")[:2]) > NEWEST_LLVMLITE:
        hint = "pip install 'llvmlite<0.45', which there is up to Python 3.13"
        raise EngineError(f"lleaves breaks with llvmlite {installed}", hint)
    return library


def _predictor(trees: Any, threads: int) -> Callable[[Any], Any]:
    predict = trees.predict
    return lambda rows: predict(rows, n_jobs=threads)
