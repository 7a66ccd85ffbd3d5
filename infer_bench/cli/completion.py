"""What a shell offers for the word that is being typed. Nothing heavy is imported, since a key waits for it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MODEL_ENDINGS = frozenset(
    {".txt", ".model", ".lgb", ".json", ".ubj", ".joblib", ".pkl", ".pickle", ".skops", ".onnx", ".cbm", ".pt2"}
)
"""Of files that may hold a model. Which do is told by their first bytes, and any other name can be typed."""

Completion = Callable[[str], list[str]]


def complete_model(incomplete: str) -> list[str]:
    """Files whose names end as models' do, and folders with what is in them: a shell goes on behind a lone folder."""
    return sorted(_list_models(incomplete))


def _list_models(incomplete: str) -> Iterator[str]:
    from pathlib import Path

    folder, _, beginning = incomplete.rpartition("/")
    place = Path(folder or ("/" if incomplete.startswith("/") else "."))
    lead = incomplete[: len(incomplete) - len(beginning)]
    for path in _list_folder(place):
        if not path.name.startswith(beginning) or (path.name.startswith(".") and not beginning):
            continue
        if path.is_dir():
            yield f"{lead}{path.name}/"
            yield from (f"{lead}{path.name}/{inner.name}" for inner in _list_folder(path) if _may_be_model(inner))
        elif _may_be_model(path):
            yield f"{lead}{path.name}"


def _list_folder(folder: "Path") -> "Sequence[Path]":
    try:
        return list(folder.expanduser().iterdir())
    except OSError:
        return ()


def _may_be_model(path: "Path") -> bool:
    return path.suffix.lower() in MODEL_ENDINGS and path.is_file()


def complete_candidate(incomplete: str) -> list[str]:
    """Engines; behind `engine:` or a comma the keys of its options, and behind `key=` the values where they are few."""
    from infer_bench.engines import registry
    from infer_bench.errors import InferBenchError

    engine, colon, options = incomplete.partition(":")
    if not colon:
        return [name for name in registry.names() if name.startswith(incomplete)]
    try:
        options_of_engine = registry.get(engine).options
    except InferBenchError:
        return []
    written, last = options.rpartition(",")[0], options.rpartition(",")[2]
    key, equals, value = last.partition("=")
    lead = f"{engine}:{written}," if written else f"{engine}:"
    if equals:
        choices = options_of_engine[key].choices if key in options_of_engine else ()
        return [f"{lead}{key}={choice}" for choice in choices if choice.startswith(value)]
    return [f"{lead}{name}=" for name in options_of_engine if name.startswith(last)]


def complete_format(command: str) -> Completion:
    """The formats that the command's reports can be rendered in."""

    def complete(incomplete: str) -> list[str]:
        from infer_bench.errors import InferBenchError
        from infer_bench.reporters.registry import find, names

        formats = []
        for name in names():
            try:
                find(name, command)
            except InferBenchError:
                continue
            formats.append(name)
        return [name for name in formats if name.startswith(incomplete)]

    return complete


def complete_from(*choices: str) -> Completion:
    """Some fixed words."""

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in choices if choice.startswith(incomplete)]

    return complete
