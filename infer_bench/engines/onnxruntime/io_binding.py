"""A run of ONNX Runtime with its input and output buffers bound."""

from typing import Any

import numpy as np

from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError, InferBenchError


class BoundRun:
    """A run with bound buffers; they are bound anew only when the request is another array than before."""

    def __init__(self, session: Any, output: str, name: str) -> None:
        self._session, self._output, self._name = session, output, name
        self._binding = session.io_binding()
        self._rows: Any = None
        self._buffer: Any = None

    def __call__(self, rows: Any) -> Any:
        """The output, in a buffer that the next call overwrites."""
        try:
            if rows is not self._rows:
                self._bind(rows)
            self._session.run_with_iobinding(self._binding)
        except InferBenchError:
            raise
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            raise EngineError(f"ONNX Runtime cannot predict: {first_line(error)}") from None
        return self._buffer

    def _bind(self, rows: Any) -> None:
        self._rows = None
        if self._buffer is None or len(self._buffer) != len(rows):
            output = np.asarray(self._session.run([self._output], {self._name: rows})[0])
            self._buffer = np.ascontiguousarray(np.empty_like(output))
        self._binding.clear_binding_inputs()
        self._binding.clear_binding_outputs()
        self._binding.bind_input(self._name, "cpu", 0, rows.dtype, rows.shape, rows.ctypes.data)
        self._binding.bind_output(
            self._output, "cpu", 0, self._buffer.dtype, self._buffer.shape, self._buffer.ctypes.data
        )
        self._rows = rows
