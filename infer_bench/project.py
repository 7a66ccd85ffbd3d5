"""What a project keeps for infer-bench: the table `[tool.infer-bench]` of its `pyproject.toml`."""

import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from infer_bench.errors import UsageError

LIMITS = ("atol", "rtol", "threshold", "max-regression", "limits", "max-delta")
OPTIONS = (
    *("alpha", "budget", "data", "inconclusive", "labels", "notes", "percentiles", "phases", "price", "scenario"),
    *("seed", "slo", "threads", "timeout", "wide"),
)
"""What holds for every command that has an option of this name."""
COMMANDS = ("bench", "convert", "load", "profile", "quantize", "serve", "show", "validate")
"""Each may have a table of its own, `[tool.infer-bench.bench]`, with options of that command."""
KEYS = (*LIMITS, *OPTIONS, *COMMANDS)


def project_table(start: Path | None = None) -> dict[str, Any]:
    """The table in the nearest `pyproject.toml` at or above `start`; empty without one.

    Raises `UsageError` when the file is broken or the table is none.
    """
    file = find_project(start)
    return {} if file is None else _read_table(file)


def find_project(start: Path | None = None) -> Path | None:
    """The nearest `pyproject.toml` at or above `start`."""
    folder = (start or Path.cwd()).resolve()
    return next((file for place in (folder, *folder.parents) if (file := place / "pyproject.toml").is_file()), None)


def _read_table(file: Path) -> dict[str, Any]:
    try:
        document: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    tools = document.get("tool", {})
    table = tools.get("infer-bench", {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"tool.infer-bench in {file} is no table", "write [tool.infer-bench]")
    unknown = [key for key in table if key.replace("_", "-") not in KEYS]
    if unknown:  # a limit that is misspelt would hold nothing, and nobody would notice
        raise UsageError(f"{file}: [tool.infer-bench] has no key {unknown[0]!r}", suggest(unknown[0], KEYS))
    return table


def suggest(key: str, known: Sequence[str]) -> str:
    """What a misspelt key may have meant, and what is known."""
    close = get_close_matches(key.replace("_", "-"), known, n=1)
    guess = f"did you mean {close[0]!r}? " if close else ""
    return f"{guess}known: {', '.join(known)}"
