"""Calls of a PyTorch module whose only input is rows of numbers."""

from typing import Any

import numpy as np

from infer_bench.engines.session import Call
from infer_bench.engines.torch.network import as_array


def make_predictor(library: Any, module: Any, dtype: Any, device: str = "cpu", *, copy: bool = False) -> Call:
    """What computes the module's only output of rows, shape (rows, columns), in `dtype`.

    With `copy` the module writes to its input.
    """

    def predict(rows: Any) -> Any:
        with library.inference_mode():
            array = np.array(rows, dtype=dtype, order="C") if copy else np.ascontiguousarray(rows, dtype=dtype)
            tensor = library.from_numpy(array)
            output = module(tensor if device == "cpu" else tensor.to(device))
        output = output[0] if isinstance(output, tuple | list) else output
        return as_array(output if device == "cpu" else output.cpu())

    return predict
