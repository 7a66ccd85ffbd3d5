"""What is wrong with a request, in one sentence, with the HTTP status that says whose fault it is."""

from collections.abc import Sequence
from typing import Literal, get_args

Kind = Literal["malformed", "columns", "refused", "too-large", "slow", "unauthorized", "not-found", "busy", "failed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""What errors are counted by:

- `malformed`: the body is not what the endpoint takes; `columns`: a column, its type or a tensor is wrong;
- `refused`: the model refuses the values; `too-large`, `slow`: the body; `unauthorized`: the token;
- `not-found`: the path or the method; `busy`: too many requests wait; `failed`: the server is at fault.
"""

MESSAGES = {
    400: "The body is no JSON, or not what the path takes.",
    401: "The bearer token is missing or another one.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is of another type, or compressed in an unknown way.",
    422: "A column, its type or its value is wrong, or the model refuses it.",
    500: "The server is at fault.",
    503: "Too many requests wait.",
}
"""What is wrong, by status."""


class RequestFault(Exception):
    """A request that is not answered; `columns` are those that the model expects, where that helps."""

    def __init__(
        self,
        status: int,
        kind: Kind,
        message: str,
        *,
        columns: Sequence[str] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind: Kind = kind
        self.message = " ".join(message.split())
        self.columns = tuple(columns)
        self.headers = tuple(headers)
