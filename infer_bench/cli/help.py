"""`--help` as plain text: options in groups, as wide as the terminal.

It is drawn from what each command's function declares, without Typer, whose import takes four times as long as Python's
own start. `[default: …]` and `[required]` stand behind an option's text.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from textwrap import TextWrapper
from typing import Any, NamedTuple

from infer_bench.cli.entries import ENTRIES, load_command
from infer_bench.cli.options.groups import GENERAL, GROUPS, Declaration, find_declaration
from infer_bench.cli.terminal import find_width

NAMES = ("--help", "-h")
SUMMARY = "Profile, convert, validate and benchmark model inference."
OPTIONS = (
    ("-V, --version", "Show the version."),
    ("--install-completion", "Install completion for the current shell."),
    ("--show-completion", "Show completion for the current shell, to copy it or customize the installation."),
    ("-h, --help", "Show this message and exit."),
)
"""Of the tree; the last is every command's too."""
_MARGIN = 2
_INDENT = 2
_LEAST = 24
_NARROW = 60
"""In fewer columns an option's text goes below its name."""
_LONGEST = 30
"""Columns of an option's name and value beside its text; what is longer has a line of its own."""
_BELOW = 2
_GLUE = "\u00a0"

_REQUIRED = object()

Record = tuple[str, str]
Page = Callable[..., None]


class Parameter(NamedTuple):
    """A parameter of a command: its name, the type of its value, what it declares, and its default."""

    name: str
    kind: Any
    declaration: Declaration
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is _REQUIRED

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return "list[" in str(self.kind)


def find_page(arguments: Sequence[str]) -> Page | None:
    """What prints the help that a command line of nothing else asks for; None for any other command line."""
    *before, last = arguments or ("",)
    if last not in NAMES or len(before) > 1 or not set(before) <= set(ENTRIES):
        return None

    def page(**_: object) -> None:
        from infer_bench.stdout import write_stdout

        write_stdout(render_command(before[0]) if before else render_tree())

    return page


def render_tree() -> str:
    """The help of the command tree: its options, then the commands."""
    width = _find_width()
    commands = [(name, entry.summary.partition(". ")[0].rstrip(".") + ".") for name, entry in ENTRIES.items()]
    parts = [
        *_wrap_usage("infer-bench", "[OPTIONS] COMMAND [ARGS]...", width),
        *("", *_wrap(SUMMARY, width, _INDENT)),
        *_list_groups({GENERAL: OPTIONS}, width),
        *_list_groups({"Commands": commands}, width),
    ]
    return "\n".join(parts) + "\n"


def render_command(name: str) -> str:
    """The help of a command: what it does, its options in groups, and an example."""
    width, command = _find_width(), load_command(name)
    parameters = list_parameters(command)
    usage = " ".join(["[OPTIONS]", *filter(None, map(_describe_argument, parameters))])
    example = ENTRIES[name].example
    parts = [
        *_wrap_usage(f"infer-bench {name}", usage, width),
        *_list_paragraphs(command.__doc__ or "", width),
        *_list_groups(list_records(parameters), width),
        *(["", *_wrap(f"Example: {example}", width, _INDENT)] if example else ()),
    ]
    return "\n".join(parts) + "\n"


def list_parameters(command: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a command's function. (`inspect`, which would list them too, takes long to import.)"""
    code: Any = command.__code__
    names = code.co_varnames[: code.co_argcount]
    defaults = command.__defaults__ or ()
    values = (*(_REQUIRED for _ in names[len(defaults) :]), *defaults)
    return [
        Parameter(name, *find_declaration(command.__annotations__[name]), default)
        for name, default in zip(names, values, strict=True)
    ]


def list_records(parameters: Iterable[Parameter]) -> dict[str, list[Record]]:
    """The name and the text of every option and argument, by the group that it stands in."""
    groups: dict[str, list[Record]] = {group: [] for group in GROUPS}
    for _, kind, declaration, default in parameters:
        names = ", ".join(sorted(declaration.names, key=lambda name: name.startswith("--")))
        value = "" if kind is bool else declaration.metavar
        groups[declaration.group].append((f"{names} {value}".strip(), _describe(declaration.help, default)))
    groups[GENERAL].append(OPTIONS[-1])
    return groups


def _describe(text: str, default: Any) -> str:
    if default is _REQUIRED:
        return f"{text}  [required]"
    return text if default is None or default is False or default == "" else f"{text}  [default: {default}]"


def _describe_argument(parameter: Parameter) -> str:
    """How an argument stands in the line of usage; empty for an option."""
    declaration = parameter.declaration
    if declaration.names:
        return ""
    name = f"{{{declaration.metavar}}}" if parameter.is_required else f"[{declaration.metavar}]"
    return f"{name}..." if parameter.is_list else name


def _list_groups(groups: Mapping[str, Sequence[Record]], width: int) -> Iterator[str]:
    """Every group below its heading, the texts of all of them in one column."""
    longest = _LONGEST if width >= _NARROW else _BELOW
    names = [len(name) for records in groups.values() for name, _ in records]
    column = max((length for length in names if length <= longest), default=longest) + 2 * _INDENT
    for group, records in groups.items():
        yield from ("", f"{group}:") if records else ()
        for name, text in records:
            lines = _wrap(_glue(text), width, column)
            if len(name) + 2 * _INDENT <= column:
                lines[0] = " " * _INDENT + name.ljust(column - _INDENT) + lines[0].lstrip()
            else:
                lines.insert(0, " " * _INDENT + name)
            yield from (line.replace(_GLUE, " ") for line in lines)


def _glue(text: str) -> str:
    """`[default: 1]` as one word, which is not broken over two lines."""
    before, bracket, inner = text.rpartition("[")
    return before + bracket + inner.replace(" ", _GLUE) if ": " in inner and inner.endswith("]") else text


def _list_paragraphs(text: str, width: int) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield from ("", *_wrap(" ".join(paragraph.split()), width, _INDENT))


def _wrap_usage(program: str, usage: str, width: int) -> list[str]:
    beginning = f"Usage: {program} "
    if width < len(beginning) + 20:
        return [beginning.rstrip(), *_wrap(usage, width, 11)]
    lines = _wrap(usage, width, len(beginning))
    return [beginning + lines[0].lstrip(), *lines[1:]]


def _wrap(text: str, width: int, indent: int) -> list[str]:
    margin = " " * indent
    return TextWrapper(
        max(width, indent + 10), initial_indent=margin, subsequent_indent=margin, replace_whitespace=False
    ).wrap(text)


def _find_width() -> int:
    """As wide as the terminal, also through a pager; without one 80 columns."""
    return max(_LEAST, find_width() - _MARGIN)
