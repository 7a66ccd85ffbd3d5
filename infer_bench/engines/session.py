"""What sessions have in common, and the one place where a library's exception becomes a line."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from infer_bench.engines.base import Domain, Request, argmax_labels, as_columns
from infer_bench.errors import CannotRun, EngineError, InferBenchError, MissingDependency, ModelError, OptionError
from infer_bench.model import ModelSpec
from infer_bench.typing import Array, Floats

Call = Callable[[Any], Any]
_OUT_OF_MEMORY = (
    "failed to allocate memory",
    "bad_alloc",
    "not enough memory",
    "out of memory",
    "can't allocate memory",
)


class FedSession:
    """A session made of a feed, a call into the library, and a way to read its output.

    `predict` is the library's own call where possible, so that nothing of infer-bench stands in the measured path.
    """

    def __init__(self, spec: ModelSpec, feed: Callable[[Request], Any], predict: Call) -> None:
        self.spec = spec
        self.preprocess = feed
        self.predict = predict

    def postprocess(self, outputs: Any) -> Floats:
        """The canonical output, float64 (rows, outputs)."""
        return to_canonical(outputs, self.spec)

    def labels(self, predictions: Floats) -> Array | None:
        """The predicted class labels (rows,); None for a model without classes."""
        return argmax_labels(self.spec, predictions)

    def domain(self) -> Domain:
        """Where the model's inputs are interesting."""
        return Domain()

    def close(self) -> None:
        """Release the library's objects."""
        self.predict = refuse_call


def refuse_call(_: Any) -> Any:
    """The call of a closed session."""
    raise EngineError("the session is closed")


def to_canonical(outputs: Any, spec: ModelSpec) -> Floats:
    """`outputs` as float64 (rows, outputs); of a binary classifier's two columns the second."""
    array = as_columns(outputs)
    if spec.task == "binary" and array.shape[1] == 2:
        array = array[:, 1:]
    if array.shape[1] != len(spec.outputs):
        raise EngineError(f"the answer has {array.shape[1]} columns where the model should give {len(spec.outputs)}")
    return array


@contextlib.contextmanager
def errors_as(kind: type[CannotRun], what: str) -> Iterator[None]:
    """Turn any exception of a library into `kind`, its first line only: native libraries append their stack."""
    try:
        yield
    except (InferBenchError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything on a broken file or a strange row
        raise kind(f"{what}: {first_line(error)}") from None


def guard(call: Call, what: str) -> Call:
    """`call`, with its exceptions as `EngineError`."""

    def guarded_call(inputs: Any) -> Any:
        try:
            return call(inputs)
        except (InferBenchError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - see `errors_as`
            raise EngineError(f"{what}: {first_line(error)}") from None

    return guarded_call


def first_line(error: BaseException, limit: int = 300) -> str:
    """The first line of an exception that says something, at most `limit` characters."""
    lines = [line.strip() for line in _read_text(error).splitlines()]
    message = next((line for line in lines if line and not line.startswith("Stack trace")), "")
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _read_text(error: BaseException) -> str:
    """What an exception says; nothing where that raises itself."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a user's class may raise anything
        return ""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says so: ONNX Runtime and PyTorch raise what they raise for anything else."""
    text = str(error).casefold()
    return isinstance(error, MemoryError) or any(part in text for part in _OUT_OF_MEMORY)


def require(module: str, extra: str) -> Any:
    """The imported module. Raises `MissingDependency` naming the extra that installs it."""
    import importlib

    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] == module.split(".")[0]:
            raise MissingDependency(module.partition(".")[0], extra) from None
        raise EngineError(f"{module} cannot be imported: {first_line(error)}") from None
    except (ImportError, OSError) as error:
        raise EngineError(f"{module} cannot be imported: {first_line(error)}") from None


def require_readable(path: str) -> None:
    """Raise `ModelError` when there is no readable file at `path`."""
    try:
        with open(path, "rb") as file:
            if not file.read(1):
                raise ModelError(f"{path} is empty")
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None


def name_outputs(count: int, classes: Sequence[Any] = ()) -> tuple[str, ...]:
    """Names of the canonical columns: the classes, or `output`, or `output0`, `output1`, …"""
    if len(classes) == count and count > 1:
        return tuple(str(label) for label in classes)
    return ("output",) if count == 1 else tuple(f"output{i}" for i in range(count))


def plain_labels(values: Any) -> tuple[Any, ...]:
    """Class labels as plain Python values."""
    return tuple(np.asarray(values).tolist())


def read_threads(options: Mapping[str, str]) -> int:
    """The option `threads`. Raises `OptionError` for anything but a whole number from 1 on."""
    threads = options["threads"]
    if not threads.isdecimal() or not 1 <= int(threads) <= 1024:
        raise OptionError(f"threads cannot be {threads!r}", "a whole number from 1 to 1024")
    return int(threads)
