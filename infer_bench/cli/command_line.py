"""What was typed, as a report keeps it: without passwords; and when."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from infer_bench.report.common import Report

R = TypeVar("R", bound="Report[Any]")
_ARGUMENTS: ContextVar[tuple[str, ...]] = ContextVar("_ARGUMENTS", default=())
_BEGIN_NS: ContextVar[int | None] = ContextVar("_BEGIN_NS", default=None)
_USER = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET = re.compile(r"(?i)([?&](?:[\w-]*(?:key|token|secret|password|signature))=)[^&\s]+")


@contextmanager
def keep_arguments(arguments: Sequence[str], begin_ns: int | None = None) -> Iterator[None]:
    """Have reports made within tell what was asked for. Users and passwords in addresses are left out."""
    begin_token = _BEGIN_NS.set(begin_ns)
    token = _ARGUMENTS.set(tuple(_SECRET.sub(r"\1***", _USER.sub("***@", text)) for text in arguments))
    try:
        yield
    finally:
        _ARGUMENTS.reset(token)
        _BEGIN_NS.reset(begin_token)


def find_begin_ns() -> int | None:
    """The reading of `time.perf_counter_ns` when the command's process began; None in a process that began before."""
    return _BEGIN_NS.get()


def add_command_line(report: R) -> R:
    """The report with the command that makes it.

    A comparison keeps none: in parts that are merged it is the same report as in one run, but for times.
    """
    from dataclasses import replace  # takes as long to import as Python to start, and help waits for this module

    arguments = _ARGUMENTS.get()
    return replace(report, command_line=arguments) if arguments and report.command != "validate" else report
