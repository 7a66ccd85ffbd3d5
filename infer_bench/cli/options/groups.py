"""How an option or argument is declared, and the groups that help lists them in.

A parameter of a command's function is annotated with its type and a `Declaration`: help is drawn from it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from infer_bench.cli.completion import Completion, complete_model

WHAT = "What to run"
RENDER = "What to render"
REQUESTS = "Requests drawn for a network"
HOW = "How to measure"
WRITE = "What to write"
TOLERANCE = "Tolerance"
GATE = "Gate"
SELF_TEST = "Self-test of the gate"
SERVING = "Server"
MACHINE = "Machine"
OUTPUT = "Output"
GENERAL = "General"
"""Of what every command has."""

GROUPS = (WHAT, REQUESTS, RENDER, HOW, WRITE, TOLERANCE, GATE, SELF_TEST, SERVING, MACHINE, OUTPUT, GENERAL)
"""In the order of help."""


class Declaration(NamedTuple):
    """An option, or an argument where it has no names. `autocompletion_of` makes its completion for a command."""

    group: str
    names: tuple[str, ...]
    metavar: str = ""
    help: str = ""
    autocompletion: Completion | None = None
    autocompletion_of: Callable[[str], Completion] | None = None


def find_declaration(annotation: Any) -> tuple[Any, Declaration]:
    """The type of a parameter's value, and its declaration."""
    (declaration,) = annotation.__metadata__
    return annotation.__origin__, declaration


def _declare(group: str, /, *names: str, **texts: Any) -> Declaration:
    return Declaration(group, names, **texts)


model = partial(_declare, WHAT, autocompletion=complete_model)
report = partial(_declare, RENDER)
what = partial(_declare, WHAT)
requests = partial(_declare, REQUESTS)
how = partial(_declare, HOW)
write = partial(_declare, WRITE)
tolerance = partial(_declare, TOLERANCE)
gate = partial(_declare, GATE)
self_test = partial(_declare, SELF_TEST)
serving = partial(_declare, SERVING)
machine = partial(_declare, MACHINE)
output = partial(_declare, OUTPUT)
