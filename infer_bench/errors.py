"""Every error that infer-bench raises on purpose.

    InferBenchError                     exit code 70 (a bug, when nothing below fits)
    ├── UsageError                  2   the command line or a setting is wrong
    │   └── OptionError                 a candidate's option is unknown or has a bad value
    ├── NotComparable               5   a stored baseline belongs to another machine or model
    ├── PredictionsDiffer           4   two artefacts answer differently
    └── CannotRun                   6   model, engine, data or machine
        ├── ModelError                  a model file is missing, broken or not understood
        │   ├── UnsafePickle            a pickle holds a global that is not on the list
        │   └── NotConvertible          no exact ONNX form exists or is known
        ├── EngineError                 a library refused the model or the rows
        │   └── MissingDependency       a library is not installed
        ├── DataError                   a data file is missing, broken or does not fit the model
        ├── OutputError                 a report or a file cannot be written
        └── WorkerError                 a worker process failed
            ├── WorkerCrashed           it died (signal or exit)
            └── WorkerHung              it did not answer in time

Infrastructure faults are never 1 (a limit was broken) nor 4 (predictions differ).
"""

__all__ = [
    "CannotRun",
    "DataError",
    "EngineError",
    "InferBenchError",
    "MissingDependency",
    "ModelError",
    "NotComparable",
    "NotConvertible",
    "OptionError",
    "OutputError",
    "PredictionsDiffer",
    "UnsafePickle",
    "UsageError",
    "WorkerCrashed",
    "WorkerError",
    "WorkerHung",
]


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_BIDI = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def make_line(text: str) -> str:
    """One line without control characters: a message that quotes a file or a library cannot steer the terminal."""
    return " ".join(text.split()).translate(_CONTROLS | _BIDI)


class InferBenchError(Exception):
    """Base of all: `message` says what is wrong, `hint` what mends it. Both are single lines.

    `frames` are lines of a traceback through the user's own code, the innermost last, or other lines that say more.
    """

    exit_code = 70
    frames: tuple[str, ...] = ()

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = make_line(message)
        self.hint = make_line(hint)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(InferBenchError):
    """The command line or a setting is wrong."""

    exit_code = 2


class OptionError(UsageError):
    """A candidate's option is unknown or has a bad value."""


class NotComparable(InferBenchError):
    """A stored baseline belongs to another machine or model. `fields` are the lines on what differs."""

    exit_code = 5
    fields: tuple[str, ...] = ()


class PredictionsDiffer(InferBenchError):
    """Two artefacts answer differently."""

    exit_code = 4


class CannotRun(InferBenchError):
    """The model, the engine, the data or the machine stands in the way."""

    exit_code = 6


class ModelError(CannotRun):
    """A model file is missing, broken or not understood."""


class UnsafePickle(ModelError):
    """A pickle holds a global that is not on the list of known ML classes."""


class NotConvertible(ModelError):
    """No exact ONNX form of the model exists or is known."""


class EngineError(CannotRun):
    """A library refused the model or the rows."""


class MissingDependency(EngineError):
    """A library is not installed; the hint names the `pip install`."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is not installed", f"pip install 'infer-bench[{extra}]'")


class DataError(CannotRun):
    """A data file is missing, broken or does not fit the model."""


class OutputError(CannotRun):
    """A report or a file cannot be written."""


class WorkerError(CannotRun):
    """A worker process failed."""


class WorkerCrashed(WorkerError):
    """A worker process died."""


class WorkerHung(WorkerError):
    """A worker process did not answer in time."""
