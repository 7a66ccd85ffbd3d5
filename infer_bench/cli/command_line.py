"""What was typed, as a report keeps it: without passwords."""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from infer_bench.report.common import Report

R = TypeVar("R", bound="Report[Any]")
_ARGUMENTS: ContextVar[tuple[str, ...]] = ContextVar("_ARGUMENTS", default=())
_USER = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET = re.compile(r"(?i)([?&](?:[\w-]*(?:key|token|secret|password|signature))=)[^&\s]+")


def keep_arguments(arguments: Sequence[str]) -> None:
    """Remember what this process was asked to do. Users and passwords in addresses are left out."""
    _ARGUMENTS.set(tuple(_SECRET.sub(r"\1***", _USER.sub("***@", text)) for text in arguments))


def add_command_line(report: R) -> R:
    """The report with the command that makes it."""
    from dataclasses import replace  # takes as long to import as Python to start, and help waits for this module

    arguments = _ARGUMENTS.get()
    return replace(report, command_line=arguments) if arguments else report
