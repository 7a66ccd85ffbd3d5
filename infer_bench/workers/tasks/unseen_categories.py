"""Which columns hold only categories that the model has never seen."""

from dataclasses import dataclass
from typing import Any

from infer_bench.engines.base import Session
from infer_bench.typing import Columns
from infer_bench.workers.protocol import SessionRequest


@dataclass(frozen=True, slots=True)
class UnseenColumns:
    """Their names, in the model's order."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FindUnseenColumns(SessionRequest[UnseenColumns]):
    """The columns of a table of which the model knows none of the first categories, and that it does read."""

    title = "unseen"
    columns: Columns


def find_unseen_columns(session: Session, request: FindUnseenColumns) -> UnseenColumns:
    """See `FindUnseenColumns`; none of a model whose session cannot tell."""
    find: Any = getattr(session, "unseen_columns", None)
    return UnseenColumns(() if find is None else tuple(find(request.columns)))
