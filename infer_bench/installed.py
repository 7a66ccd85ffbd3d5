"""Tells a library that infer-bench itself needs and that is missing or broken from a bug. Imports none of them."""

import traceback

from infer_bench.errors import CannotRun

CORE = ("typer", "rich", "msgspec", "numpy")
"""What pyproject.toml requires, and what imports under the same name."""
_MOST = 200


def core_fault(error: BaseException) -> CannotRun | None:
    """The one line for an error that one of them raised while it was imported, or for its absence; else None."""
    if isinstance(error, ModuleNotFoundError) and error.name in CORE:
        return CannotRun(f"{error.name} is not installed: pip install {error.name}")
    importing = (
        str(frame.f_globals.get("__name__")).partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_name == "<module>"
    )
    name = next((name for name in importing if name in CORE), None)
    if name is None and isinstance(error, ImportError):  # it was imported, and lacks what is asked of it
        name = next((core for core in CORE if str(error.name).partition(".")[0] == core), None)
    return (
        None
        if name is None
        else CannotRun(f"{name} is broken: pip install --force-reinstall {name}: {_describe(error)}")
    )


def import_fault(error: BaseException) -> CannotRun:
    """The one line for what kept the command line from being imported."""
    again = "pip install --force-reinstall infer-bench"
    return core_fault(error) or CannotRun(f"infer-bench cannot be imported: {again}: {_describe(error)}")


def _describe(error: BaseException) -> str:
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
