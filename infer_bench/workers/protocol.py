"""What coordinator and worker say to each other: a frozen request for each task, and the response that it names.

`Worker.ask(request)` gives the response of the type that the request is generic in; what a worker raised comes as a
`Failure`. See `codec` for what may stand in either.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, get_args

from infer_bench import errors
from infer_bench.workers.codec import pack, unpack
from infer_bench.workers.wire import Frame

R = TypeVar("R")

RESPONSE, FAILURE, CLOSE = "response", "failure", "close"
"""Kinds of frames; of a request's see `kind_of`."""


class Request(Generic[R]):
    """What a worker can be asked, to be answered by an `R`. `title` is what messages to the user call it."""

    __slots__ = ()
    title: ClassVar[str]

    def check(self, response: R) -> None:
        """Raise ValueError for a response of the right types that does not answer this request."""


@dataclass(frozen=True, slots=True)
class SessionRequest(Request[R]):
    """A request of one of the worker's sessions, of which most workers have one, number 0."""

    session: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a worker raised: a class of `errors`, and the words."""

    type: str
    message: str
    hint: str = ""
    frames: tuple[str, ...] = ()

    @staticmethod
    def of(error: BaseException) -> "Failure":
        """Anything that a stranger's model or library may raise, in one line."""
        if isinstance(error, errors.InferBenchError):
            return Failure(type(error).__name__, error.message, error.hint, tuple(error.frames))
        if isinstance(error, KeyboardInterrupt | SystemExit):
            return Failure("EngineError", f"the model's code raised {type(error).__name__}")
        if isinstance(error, MemoryError):
            return Failure("EngineError", "the worker is out of memory")
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return Failure("EngineError", text[:500])

    def error(self) -> errors.InferBenchError:
        """The error to raise in the coordinator."""
        kind = getattr(errors, self.type) if self.type in errors.__all__ else errors.EngineError
        # Made without __init__: some of these take other arguments, and the worker has already worded the message.
        error: errors.InferBenchError = kind.__new__(kind)
        errors.InferBenchError.__init__(error, self.message, self.hint)
        error.frames = self.frames
        return error


def kind_of(request: type[Request[Any]]) -> str:
    """The kind of a request's frame: its class, with the module below `infer_bench.workers`."""
    return f"{request.__module__.removeprefix('infer_bench.workers.')}.{request.__name__}"


def request_frame(number: int, request: Request[Any]) -> Frame:
    """A request on its way. Raises ValueError for what may not cross."""
    return Frame(kind_of(type(request)), number, *pack(request))


def response_of(request: Request[R], frame: Frame) -> R:
    """The response to `request` in a frame. Raises what the worker raised, ValueError for anything not understood."""
    if frame.kind == FAILURE:
        raise unpack(Failure, frame.body, frame.arrays).error()
    if frame.kind != RESPONSE:
        raise ValueError("it is no response")
    response: R = unpack(response_type(request), frame.body, frame.arrays)
    request.check(response)
    return response


def response_type(request: Request[Any]) -> Any:
    """The `R` of a `Request[R]`."""
    (base,) = type(request).__orig_bases__  # type: ignore[attr-defined]
    return get_args(base)[0]
