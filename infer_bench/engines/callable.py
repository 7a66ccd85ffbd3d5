"""A user's own predict function, called with records as their service calls it."""

import asyncio
import copy
import importlib
import inspect
import os
import sys
import sysconfig
import traceback
from collections.abc import Callable as Function
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from infer_bench.engines.base import Domain, Option, Request, as_columns
from infer_bench.engines.body import find_body
from infer_bench.engines.feeds.schema import is_table
from infer_bench.engines.function_outputs import AnswerEach, holds_plain_data, name_arrays
from infer_bench.engines.session import first_line
from infer_bench.errors import EngineError, ModelError
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.typing import ABSENT, Array, Floats, TensorRequest

Records = list[dict[str, Any]]

MOST_FRAMES = 10

__all__ = ["Callable", "CallableSession", "is_foreign"]


class Callable:
    """Calls `package.module:function` with a dict, as a service would; the module is found in the working directory."""

    name = "callable"
    formats: frozenset[str] = frozenset({"python"})
    requires: tuple[str, ...] = ()
    extra = ""
    options: Mapping[str, Option] = {
        "function": Option("package.module:function; empty: the model itself names it", ""),
        "call": Option(
            "how a batch is handed over: one call a record, or one call with the list", "record", ("record", "list")
        ),
    }

    def lean(self, model: ModelRef, options: Mapping[str, str]) -> tuple[str, ...]:
        """Nothing: what a user's module imports is not known."""
        return ()

    def open(self, model: ModelRef, options: Mapping[str, str]) -> "CallableSession":
        """Import the function. Raises `ModelError` when there is none, `EngineError` when its module fails."""
        target = options.get("function") or model.path
        return CallableSession(find(target), target, as_list=options["call"] == "list")


class CallableSession:
    """A user's function. It returns numbers, or containers of numbers, whose leaves become columns in order."""

    def __init__(self, function: Function[..., Any], target: str, *, as_list: bool) -> None:
        self.spec = ModelSpec("raw", (), ("output",))
        self._target = target
        self._as_list = as_list
        self._is_nested: bool | None = None
        self._body = None if as_list else find_body(function)
        self.loop = asyncio.new_event_loop() if _is_async(function) else None
        self._function = function if self.loop is None else self._awaited(function, self.loop)
        self._answer_each: Function[[list[Any]], list[Any]] = AnswerEach(self._function)

    def _awaited(self, function: Function[..., Any], loop: asyncio.AbstractEventLoop) -> Function[..., Any]:
        async def call(argument: Any) -> Any:
            return await function(argument)

        return lambda argument: loop.run_until_complete(call(argument))

    def preprocess(self, request: Request) -> list[Any]:
        """The request as fresh dicts, which the function may change, or as the bodies that it takes."""
        records = self._records(request)
        return records if self._body is None else [self._body.build(record) for record in records]

    def _records(self, request: Request) -> Records:
        if isinstance(request, TensorRequest):
            return [dict(request)]
        if not is_table(request):
            return [self._copy(request)]
        lists = {name: column.tolist() for name, column in request.items()}
        rows = len(next(iter(lists.values())))
        records = [{name: values[i] for name, values in lists.items()} for i in range(rows)]
        if any(column.dtype == object for column in request.values()):  # of JSON records
            lean = ({name: value for name, value in one.items() if value is not ABSENT} for one in records)
            return [self._copy(record) for record in lean]
        return records

    def _copy(self, record: Request) -> dict[str, Any]:
        """As deep as the first record is: a flat one takes a tenth of the time."""
        if self._is_nested is None:
            self._is_nested = any(isinstance(value, dict | list) for value in record.values())
        return copy.deepcopy(dict(record)) if self._is_nested else dict(record)

    def predict(self, inputs: list[Any]) -> list[Any]:
        """Call the function; one output a record. Whatever it raises is an `EngineError` that names its last line."""
        try:
            if self._as_list:
                return self._outputs_of_list(self._function(inputs), len(inputs))
            return [self._function(inputs[0])] if len(inputs) == 1 else self._answer_each(inputs)
        except (EngineError, MemoryError, KeyboardInterrupt):
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's code may raise anything
            raise _user_error(f"{self._target} raised", error) from None

    def _outputs_of_list(self, predictions: Any, count: int) -> list[Any]:
        """One output for each record of a list, a tuple, an array, a Series or the rows of a DataFrame."""
        if hasattr(predictions, "to_numpy"):
            predictions = predictions.to_numpy()
        outputs = list(predictions) if isinstance(predictions, list | tuple | np.ndarray) else [predictions]
        if len(outputs) != count:
            raise EngineError(f"{self._target} answers {len(outputs)} records where {count} were asked")
        return outputs

    def end_with(self, convert: Function[[list[Any]], Any]) -> Function[[list[Any]], Any]:
        """How a request ends: with what was returned, but the first, and what (on a GPU, or lazy) is yet to be read."""
        is_plain = False

        def end(outputs: list[Any]) -> Any:
            nonlocal is_plain
            if is_plain and outputs[0] is not None:
                return outputs
            answer = convert(outputs)
            is_plain = all(map(holds_plain_data, outputs))
            return answer

        return end

    def postprocess(self, outputs: list[Any]) -> Floats:
        """The numbers of each output, in order; text counts as NaN. Raises `EngineError` when there is none at all."""
        if all(type(output) is float for output in outputs):
            return as_columns(outputs)
        rows = [list(_leaves(output)) for output in outputs]
        widths = {len(row) for row in rows}
        if widths == {0}:
            content = "nothing" if outputs and outputs[0] is None else f"a {type(outputs[0]).__name__} without values"
            raise EngineError(f"{self._target} returned {content}", "it must return its prediction")
        if len(widths) > 1:
            raise EngineError(
                f"{self._target} returns {min(widths)} values for one record and {max(widths)} for another"
            )
        return as_columns(rows)

    def named_outputs(self, outputs: list[Any]) -> dict[str, Array]:
        """What the function makes of a request of arrays: by the names of a mapping, else `output` or `output0`, ….

        Raises `EngineError` for what is no array.
        """
        (value,) = outputs
        return name_arrays(value)

    def texts(self, outputs: list[Any]) -> list[str]:
        """The text in each output (rows,), which its numbers do not hold; empty where there is none."""
        return ["\n".join(_texts(output)) for output in outputs]

    def labels(self, predictions: Floats) -> Array | None:
        """None: a function does not tell its classes."""
        return None

    def domain(self) -> Domain:
        """Empty: a function does not tell its inputs."""
        return Domain()

    def close(self) -> None:
        """End the event loop."""
        self._function = self._answer_each = self._refuse_call
        if self.loop is not None and not self.loop.is_closed():
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    def _refuse_call(self, _: Any) -> Any:
        raise EngineError("the session is closed")


def find(target: str) -> Function[..., Any]:
    """The function at `package.module:name`, the module found as Python run in this directory finds it.

    Raises `ModelError` when the module or name does not exist or cannot be called, `EngineError` when its import fails.
    """
    module, _, name = target.partition(":")
    if not module or not name:
        raise ModelError(f"{target!r} names no function", "write package.module:function")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    place: Any = _imported(module)
    for part in name.split("."):
        if not hasattr(place, part):
            public = ", ".join(sorted(key for key in vars(place) if not key.startswith("_"))[:8])
            raise ModelError(f"{module} has no {name!r}", f"it has: {public}" if public else "")
        place = getattr(place, part)
    if not callable(place):
        raise ModelError(f"{target} is a {type(place).__name__}, which cannot be called")
    function: Function[..., Any] = place
    return function


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise ModelError(f"there is no module {module!r}", f"it is looked for in {os.getcwd()} first") from None
        raise _user_error(f"{module} cannot be imported:", error) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - importing runs a user's code
        raise _user_error(f"{module} cannot be imported:", error) from None


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _user_error(what: str, error: BaseException) -> EngineError:
    """The exception and where the user's code raised it, with the way there through their own files."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not is_foreign(f.filename)]
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    user_error = EngineError(f"{what} {first_line(error)}{where}")
    user_error.frames = tuple(_frame_line(frame) for frame in frames[-MOST_FRAMES:])
    return user_error


def _frame_line(frame: traceback.FrameSummary) -> str:
    folder = os.getcwd() + os.sep
    return f"{frame.filename.removeprefix(folder)}:{frame.lineno} in {frame.name}: {frame.line or ''}".rstrip(": ")


def is_foreign(path: str) -> bool:
    """Whether a file belongs to Python, to an installed library or to this package."""
    inside = os.path.dirname(os.path.dirname(__file__))
    own = (inside, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    return path.startswith("<") or "site-packages" in path or any(path.startswith(place + os.sep) for place in own)


def _leaves(value: Any) -> Iterator[float]:
    """The numbers in an output, depth first; text and None inside a container are NaN."""
    if value is None:
        return
    yield from _inner(value)


def _inner(value: Any) -> Iterator[float]:
    if isinstance(value, bool | int | float | np.number | np.bool_):
        yield float(value)
    elif isinstance(value, str | bytes) or value is None:
        yield float("nan")
    elif isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        yield from value.astype(np.float64).ravel().tolist()
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _inner(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inner(item)
    else:
        yield from _unwrapped(value)


def _texts(value: Any) -> Iterator[str]:
    """The text in an output, depth first: where `_inner` finds NaN in place of it."""
    if isinstance(value, str | bytes):
        yield value if isinstance(value, str) else value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif not isinstance(value, bool | int | float | np.number | np.bool_) and value is not None:
        yield from _texts(_plain(value))


def _plain(value: Any) -> Any:
    """An array, a pandas object, a pydantic model or a dataclass as lists and dicts; None for anything else."""
    for method in ("model_dump", "to_numpy", "tolist", "_asdict"):
        if callable(getattr(value, method, None)):
            content = getattr(value, method)()
            return content.tolist() if isinstance(content, np.ndarray) else content
    fields = getattr(value, "__dataclass_fields__", None)
    return None if fields is None else {name: getattr(value, name) for name in fields}


def _unwrapped(value: Any) -> Iterator[float]:
    """What is none of Python's own containers; what holds no number is NaN."""
    if inspect.isgenerator(value) or inspect.isawaitable(value):
        raise EngineError(f"the function returned a {type(value).__name__}, which was never run", "return its value")
    content = _plain(value)
    if content is not None:
        yield from _inner(content)
    elif hasattr(value, "__float__"):
        yield float(value)
    else:
        yield float("nan")
