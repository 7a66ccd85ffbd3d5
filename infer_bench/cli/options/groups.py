"""The groups that help lists options in. A group is the option's `rich_help_panel`, which Typer keeps for us."""

from functools import partial

import typer

from infer_bench.cli.completion import complete_model

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
"""Of what Typer adds itself."""

GROUPS = (WHAT, REQUESTS, RENDER, HOW, WRITE, TOLERANCE, GATE, SELF_TEST, SERVING, MACHINE, OUTPUT, GENERAL)
"""In the order of help."""

model = partial(typer.Argument, rich_help_panel=WHAT, autocompletion=complete_model)
report = partial(typer.Argument, rich_help_panel=RENDER)
what = partial(typer.Option, rich_help_panel=WHAT)
requests = partial(typer.Option, rich_help_panel=REQUESTS)
how = partial(typer.Option, rich_help_panel=HOW)
write = partial(typer.Option, rich_help_panel=WRITE)
tolerance = partial(typer.Option, rich_help_panel=TOLERANCE)
gate = partial(typer.Option, rich_help_panel=GATE)
self_test = partial(typer.Option, rich_help_panel=SELF_TEST)
serving = partial(typer.Option, rich_help_panel=SERVING)
machine = partial(typer.Option, rich_help_panel=MACHINE)
output = partial(typer.Option, rich_help_panel=OUTPUT)
