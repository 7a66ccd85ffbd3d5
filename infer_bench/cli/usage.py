"""What is said of a wrong command line: one line, and a hint.

What is misspelt is told before Typer is imported, which takes five times as long as Python's own start; of all else
Typer is the judge, and what it says is translated.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infer_bench.cli.entries import ENTRIES, load_command
from infer_bench.cli.help import list_parameters
from infer_bench.errors import UsageError

_KINDS = (
    *(("integer", "a whole number"), ("valid int.", "a whole number")),
    *(("float", "a number"), ("number", "a number")),
)
_SEVERAL = "to compare several: -e onnxruntime:threads=1 -e onnxruntime:threads=2"
_SUGGESTION = re.compile(r"Did you mean (.*)\?")


def find_misspelling(arguments: Sequence[str]) -> UsageError | None:
    """The error of an unknown command, or of the first option that the command lacks; None where Typer is to judge."""
    if not arguments or arguments[0].startswith("-"):
        return None
    command = arguments[0]
    if command not in ENTRIES:
        similar = _suggest(_list_similar(command, ENTRIES))
        return UsageError(f"there is no command {command!r}", similar or "infer-bench --help")
    options = _list_options(command)
    name = _find_unknown(arguments[1:], options)
    if name is None:
        return None
    similar = _suggest(_list_similar(name, [option for option in options if option.startswith("--")]))
    return UsageError(f"{command} has no option {name}", similar or f"infer-bench {command} --help")


def _list_options(command: str) -> dict[str, bool]:
    """The command's options, and whether each takes a value."""
    parameters = list_parameters(load_command(command))
    options = {name: kind is not bool for _, kind, declaration, _ in parameters for name in declaration.names}
    return {**options, "--help": False, "-h": False}


def _find_unknown(words: Sequence[str], options: Mapping[str, bool]) -> str | None:
    """The first long option that is none of these; None without one, and where anything else comes before it."""
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if word == "--":
            return None
        if not word.startswith("-") or word == "-":
            continue
        if name not in options:
            return name if name.startswith("--") else None
        if not options[name]:
            if equals:
                return None
        elif not equals and next(rest, None) is None:
            return None
    return None


def _list_similar(name: str, names: Iterable[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, list(names))


def translate(error: Any, arguments: Sequence[str]) -> UsageError:
    """An error of Typer's, which `arguments` brought about."""
    context = getattr(error, "ctx", None)
    if context is None:
        command = next((argument for argument in arguments if not argument.startswith("-")), "")
    else:
        command = context.command_path.rpartition(" ")[2]
    message, hint = _describe(error, arguments, command)
    return UsageError(message, hint or f"{f'infer-bench {command}'.removesuffix(' infer-bench')} --help")


def _describe(error: Any, arguments: Sequence[str], command: str) -> tuple[str, str]:
    """What is wrong and, where more can be said than to read the help, what to write."""
    text = error.format_message()
    match type(error).__name__:
        case "NoSuchOption":
            return f"{command} has no option {error.option_name}", _suggest(error.possibilities or ())
        case "MissingParameter":
            return f"{command} needs {_name(error.param)}", ""
        case "BadParameter" if getattr(error, "param", None) is not None:
            return _describe_value(error.param, error.message, arguments, command)
        case "BadOptionUsage":
            return f"{error.option_name} {'needs a' if 'requires' in text else 'takes no'} value", ""
    unknown = re.match(r"No such command '(.*?)'", text)
    if unknown:
        suggestion = _SUGGESTION.search(text)
        return f"there is no command {unknown[1]!r}", _suggest([suggestion[1].strip("'")] if suggestion else ())
    return text[:1].lower() + text[1:].rstrip("."), ""


def _describe_value(parameter: Any, message: str, arguments: Sequence[str], command: str) -> tuple[str, str]:
    name = _name(parameter)
    hint = _SEVERAL if name == "--threads" and command in ("bench", "profile") else ""
    kind = next((kind for word, kind in _KINDS if word in message), None)
    if kind is None:
        return f"{name}: {message[:1].lower()}{message[1:].rstrip('.')}", hint
    value = _find_value(parameter.opts, arguments)
    return f"{name} takes {kind}{f', not {value!r}' if value else ''}", hint


def _name(parameter: Any) -> str:
    """The option's long name, or what stands for the argument in help."""
    if parameter.param_type_name == "argument":
        return str(parameter.make_metavar(None) if parameter.metavar is None else parameter.metavar)
    return str(max(parameter.opts, key=len))


def _find_value(options: Sequence[str], arguments: Sequence[str]) -> str:
    """What was written behind an option the last time."""
    value = ""
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        for option in options:
            if argument == option:
                value = following
            elif option.startswith("--") and argument.startswith(f"{option}="):
                value = argument.partition("=")[2]
            elif not option.startswith("--") and argument.startswith(option) and not argument.startswith("--"):
                value = argument[len(option) :].removeprefix("=")
    return value


def _suggest(names: Sequence[str]) -> str:
    return f"did you mean {' or '.join(sorted(names))}?" if names else ""
