"""`infer-bench serve` for an image that holds nothing but what serving takes: without Typer, which reads its options.

    python -m infer_bench.cli.image MODEL [OPTIONS]

The options, and what they do, are those of the command.
"""

import argparse
import inspect
import sys
from collections.abc import Sequence
from typing import Any

from infer_bench.cli.streams import Interruption, guard_stderr
from infer_bench.errors import InferBenchError

NUMBERS = {"port": int, "workers": int, "threads": int, "max_delta": float}
"""The options that are no text and no switch."""


def make_parser() -> argparse.ArgumentParser:
    """The command's own options, with their defaults."""
    from infer_bench.cli.runs.serve import serve_model

    parser = argparse.ArgumentParser("infer-bench serve", description="Answer requests over HTTP with a model.")
    parser.add_argument("model", metavar="MODEL")
    for name, parameter in inspect.signature(serve_model).parameters.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(parameter.default, bool):
            parser.add_argument(option, action="store_true")
        elif parameter.default is not inspect.Parameter.empty:
            parser.add_argument(option, type=NUMBERS.get(name, str), default=parameter.default)
    return parser


def main(arguments: Sequence[str]) -> int:
    """Serve until asked to end; returns the exit code, as the command does."""
    from infer_bench.cli.runs.serve import serve_model

    options: dict[str, Any] = vars(make_parser().parse_args(arguments))
    end = Interruption()
    try:
        with end.listening():
            return serve_model(**options)
    except InferBenchError as error:
        print(f"error: {error.message}", *([f"hint: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return end.exit_code


if __name__ == "__main__":
    guard_stderr()
    sys.exit(main(sys.argv[1:]))
