"""A handler: the function that answers the requests of one type, and where it finds what it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from infer_bench.engines.base import Session
from infer_bench.workers.host import Host
from infer_bench.workers.protocol import Request, SessionRequest
from infer_bench.workers.timing.hosted_session import HostedSession

if TYPE_CHECKING:
    from infer_bench.workers.profiling.runs import Profiling

Q = TypeVar("Q", bound=Request[Any])
S = TypeVar("S", bound=SessionRequest[Any])
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Handler:
    """What answers the requests of one type; `function` is the one that does the work, `call` finds what it needs."""

    request: type[Request[Any]]
    function: Callable[..., Any]
    call: Callable[[Host, Any], Any]


def of_host(kind: type[Q], function: Callable[[Host, Q], R]) -> Handler:
    """A function of the worker's state."""
    return Handler(kind, function, function)


def of_session(kind: type[S], function: Callable[[HostedSession, S], R]) -> Handler:
    """A function of the session that the request names."""
    return Handler(kind, function, lambda host, request: function(host.session(request.session), request))


def of_model(kind: type[S], function: Callable[[Session, S], R]) -> Handler:
    """A function of the engine's own session."""
    return Handler(kind, function, lambda host, request: function(host.session(request.session).model, request))


def of_profile(kind: type[Q], function: "Callable[[Profiling, Q], R]") -> Handler:
    """A function of the profile under way."""
    return Handler(kind, function, lambda host, request: function(host.profiling, request))


def of_request(kind: type[Q], function: Callable[[Q], R]) -> Handler:
    """A function of the request alone."""
    return Handler(kind, function, lambda _, request: function(request))
