"""PyTorch: exported programs (`.pt2`), of one float32 tensor [batch, features] or of any tensors, and TorchScript."""

import dataclasses
import functools
import math
import warnings
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infer_bench.engines import feeds
from infer_bench.engines.base import Option, make_features
from infer_bench.engines.session import (
    Call,
    FedSession,
    errors_as,
    guard,
    name_outputs,
    read_threads,
    require,
    require_readable,
)
from infer_bench.engines.tensor_session import TensorSession, require_arrays
from infer_bench.engines.torch.float64 import widen_module
from infer_bench.engines.torch.loading import load_program
from infer_bench.engines.torch.mutation import describe_program_state, find_changed_inputs
from infer_bench.engines.torch.network import TorchNetworkSession, describe_program
from infer_bench.engines.torch.rows import make_predictor
from infer_bench.engines.torch.script import open_script
from infer_bench.engines.torch.training_mode import find_training_operators
from infer_bench.errors import EngineError, ModelError, OptionError
from infer_bench.formats.signature import MOST_COLUMNS
from infer_bench.model import ModelRef, ModelSpec, Task
from infer_bench.typing import Floats


class Torch:
    """Runs an exported program's module, or a TorchScript module, in inference mode."""

    name = "torch"
    formats: frozenset[str] = frozenset({"torch-pt2", "torchscript"})
    requires: tuple[str, ...] = ("torch",)
    extra = "torch"
    options: Mapping[str, Option] = {
        **feeds.OPTIONS,
        "threads": Option("threads of one prediction", "1"),
        "device": Option("where it computes", "cpu", ("cpu", "cuda")),
        "dtypes": Option(
            "of a TorchScript module's inputs, in their order, such as int64+float32; else told by use", ""
        ),
        "columns": Option(
            "of a TorchScript module of one matrix: how many columns its rows have, which it does not say", ""
        ),
        "compile": Option("compile with torch.compile, at the first request of each shape", "no", ("no", "yes")),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Torch imports no library that could be kept out."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "FedSession | TensorSession":
        """Load the program. Raises `ModelError` for a broken file, `EngineError` for inputs that no array can be."""
        threads = read_threads(options)
        require_readable(model.path)
        if not zipfile.is_zipfile(model.path):
            raise ModelError(f"{model.name} is no PyTorch exported program", "save it with torch.export.save (.pt2)")
        library = require("torch", "torch")
        # Requests that a server has read cannot be written to; what writes to its inputs is handed a copy.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        _require_device(library, options["device"])
        library.set_num_threads(threads)
        if model.format == "torchscript":
            return open_script(library, model, options, options["device"])
        for name in ("dtypes", "columns"):
            if options[name]:
                text = f"{name}: {model.name} keeps its own, as no TorchScript module does"
                raise OptionError(text, "leave them out")
        return _open_program(library, model, options)


def _open_program(library: Any, model: ModelRef, options: Mapping[str, str]) -> "FedSession | TensorSession":
    device = options["device"]
    program = load_program(library, model.path, trusted=options.get("allow_pickle") == "yes")
    with errors_as(ModelError, f"PyTorch cannot run {model.name}"):
        module = program.module() if device == "cpu" else program.module().to(device)
        module = library.compile(module) if options["compile"] == "yes" else module
    remarks = (*find_training_operators(library, program).remarks, *describe_program_state(program))
    if not _takes_rows(library, program):
        require_arrays(options)
        spec = dataclasses.replace(describe_program(program), remarks=remarks)
        return TorchNetworkSession(library, program, spec, module, device)
    spec = dataclasses.replace(_spec(program), remarks=remarks)
    feed = feeds.make_feed(feeds.make_schema(spec.features, options, np.float32), options["feed"])
    writes_inputs = bool(find_changed_inputs(program))
    predict = make_predictor(library, module, np.float32, device, copy=writes_inputs)
    predict = guard(predict, f"PyTorch cannot run {model.name}")
    return TorchSession(spec, feed, predict, library, program)


def _require_device(library: Any, device: str) -> None:
    """Raise `EngineError` where there is no such device: nothing falls back to the CPU."""
    if device == "cuda" and not library.cuda.is_available():
        reason = "this PyTorch was built without CUDA" if library.version.cuda is None else "PyTorch finds no GPU"
        raise EngineError(f"device=cuda: {reason}", "infer-bench doctor shows what is there")


class TorchSession(FedSession):
    """A loaded program."""

    def __init__(self, spec: ModelSpec, feed: Callable[[Any], Any], predict: Call, library: Any, program: Any) -> None:
        super().__init__(spec, feed, predict)
        self._library, self._program = library, program

    @functools.cached_property
    def _in_float64(self) -> Call:
        what = "PyTorch cannot compute the program in float64"
        with errors_as(EngineError, what):
            module = widen_module(self._library, self._program)
        writes_inputs = bool(find_changed_inputs(self._program))
        return guard(make_predictor(self._library, module, np.float64, copy=writes_inputs), what)

    def predict_in_float64(self, inputs: Any) -> Floats:
        """See `engines.float64.Float64Session`."""
        return self.postprocess(self._in_float64(inputs))


def describe_rows(library: Any, program: Any) -> ModelSpec | None:
    """What a program computes whose only input is rows of float32; None for any other."""
    return _spec(program) if _takes_rows(library, program) else None


def _takes_rows(library: Any, program: Any) -> bool:
    """Whether its only input is a matrix of float32 with a fixed number of columns, and its only output rows too."""
    signature = program.graph_signature
    inputs, outputs = list_values(program, signature.user_inputs), list_values(program, signature.user_outputs)
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0] is None or outputs[0] is None:
        return False
    shape, output_shape = inputs[0].shape, outputs[0].shape
    is_matrix = inputs[0].dtype == library.float32 and len(shape) == 2 and isinstance(shape[1], int)
    is_matrix = is_matrix and not outputs[0].dtype.is_complex
    gives_rows = len(output_shape) > 0 and all(isinstance(size, int) for size in output_shape[1:])
    return is_matrix and gives_rows and shape[1] <= MOST_COLUMNS and program.call_spec.out_spec.num_leaves == 1


def _spec(program: Any) -> ModelSpec:
    signature = program.graph_signature
    (rows,), (output,) = list_values(program, signature.user_inputs), list_values(program, signature.user_outputs)
    count = math.prod(output.shape[1:])
    task: Task = "regression" if count == 1 else "raw"
    batch = rows.shape[0] if isinstance(rows.shape[0], int) else None
    return ModelSpec(task, make_features(int(rows.shape[1])), name_outputs(count), batch=batch)


def list_values(program: Any, names: Any) -> list[Any]:
    """What the program says of each of these values: a tensor without data, or None."""
    values_by_name = {node.name: node.meta.get("val") for node in program.graph.nodes}
    values = [values_by_name.get(name) for name in names]
    return [value if hasattr(value, "shape") and hasattr(value, "dtype") else None for value in values]
