"""What stands in for the objects of a pickle that is not really loaded."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class Global:
    """A name that the pickle imports."""

    name: str


@dataclass(slots=True, eq=False)
class Instance:
    """What a call would have returned, or an object that would have been made."""

    maker: Global | None
    args: tuple[Any, ...] = ()
    states: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The class of the object where it can be told, else the function that made it."""
        if self.maker is None:
            return "?"
        first = self.args[0] if self.args else None
        if isinstance(first, Global) and self.maker.name.rsplit(".", 1)[-1].startswith(
            ("_reconstruct", "__pyx_unpickle")
        ):
            return first.name
        return self.maker.name
