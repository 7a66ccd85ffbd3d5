"""`-e all`: every engine that is installed and reads a model, and what would read it if it were."""

from collections.abc import Sequence

from infer_bench.engines import registry
from infer_bench.engines.registry import EngineInfo
from infer_bench.libraries import of_engine
from infer_bench.measure.candidates.candidates import can_open, default_candidates
from infer_bench.measure.candidates.spec import ALL
from infer_bench.model import ModelRef
from infer_bench.report.common import Notice

_NO_FILES = ("http", "callable")
"""Engines that open no model file."""


def expand_all(models: Sequence[ModelRef], texts: Sequence[str]) -> tuple[list[str], list[str], list[Notice]]:
    """The candidates with every engine's in place of `all`; those that stand for it, and notices on what is missing.

    The default candidates of each model come first. An engine that turns out not to read a model is left out.
    """
    if ALL not in texts:
        return list(texts), [], []
    named = [text for text in texts if text != ALL]
    infos = [info for info in registry.available() if any(_reads(info, model) for model in models)]
    usual = [text for model in models for text in default_candidates(model)]
    engines = {text.partition(":")[0] for text in usual}
    others = [_name(info) for info in infos if info.version is not None and info.name not in engines]
    missing = {info.name for info in infos if info.version is None}
    every = [text for text in dict.fromkeys((*usual, *others)) if text not in named and _engine_of(text) not in missing]
    expanded = [part for text in dict.fromkeys(texts) for part in (every if text == ALL else [text])]
    return expanded, every, [_note_missing(info) for info in infos if info.version is None]


def _engine_of(text: str) -> str:
    return text.partition(":")[0]


def _reads(info: EngineInfo, model: ModelRef) -> bool:
    """Whether an engine is meant for the models of a family: that a file is a pickle says nothing of it."""
    if info.name in _NO_FILES or not info.formats or not can_open(registry.get(info.name), model):
        return False
    library = of_engine(info.name)
    converts = model.format not in info.formats and (library is None or not library.reads)
    return library is None or converts or model.family in (library.family, *library.reads)


def _name(info: EngineInfo) -> str:
    has_feeds = "feed" in registry.get(info.name).options
    return f"{info.name}:feed=ndarray" if has_feeds else info.name


def _note_missing(info: EngineInfo) -> Notice:
    return Notice("left-out", f"{info.name} left out: {info.problem}", info.install, info.name)
