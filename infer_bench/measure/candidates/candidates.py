"""Who takes part: each candidate with the artefact that it opens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infer_bench.engines import registry
from infer_bench.engines.base import Engine, check_options
from infer_bench.engines.session import read_threads
from infer_bench.errors import CannotRun, MissingDependency, NotConvertible, UsageError
from infer_bench.libraries import of_family
from infer_bench.measure.candidates.spec import CandidateSpec, parse
from infer_bench.model import ModelRef
from infer_bench.report.common import Notice

Key = tuple[str, str]
ToOnnx = Callable[[ModelRef], ModelRef]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate, the model it stands for and the artefact it opens (the same file, or its conversion to ONNX).

    `explicit` is True when the user named the candidate: then its failure fails the run. `interpreter` belongs to
    another environment (empty: this one), `folder` is where its worker runs (empty: here).
    """

    label: str
    spec: CandidateSpec
    engine: Engine
    target: str
    options: dict[str, str]
    model: ModelRef
    artefact: ModelRef
    explicit: bool
    interpreter: str = ""
    folder: str = ""

    @property
    def key(self) -> Key:
        """What tells candidates apart: the model's path and the label, with the interpreter where that is another."""
        return self.model.path, f"{self.label} in {self.interpreter}" if self.interpreter else self.label


def default_candidates(model: ModelRef) -> tuple[str, ...]:
    """The candidates of a model for which the user names none. Raises `UsageError` when no engine opens it."""
    library = of_family(model.family)
    return library.default_candidates if library is not None else _engines_for(model)


def usual_candidate(model: ModelRef) -> str:
    """The one candidate of a model in a gate and in a comparison. Raises `UsageError` when no engine opens it."""
    library = of_family(model.family)
    return library.usual_candidate if library is not None else _engines_for(model)[0]


def _engines_for(model: ModelRef) -> tuple[str, ...]:
    """The engines that open the files of a family from outside."""
    engines = tuple(info.name for info in registry.available() if model.format in info.formats)
    if not engines:
        raise UsageError(f"no engine opens {model.name} ({model.format})", "infer-bench engines lists what each opens")
    return engines


@dataclass(frozen=True, slots=True)
class PlannedCandidate:
    """A candidate that makes sense, while the artefact that it opens may still have to be made. `text` wrote it."""

    text: str
    spec: CandidateSpec
    engine: Engine
    options: dict[str, str]
    model: ModelRef
    explicit: bool

    @property
    def label(self) -> str:
        """The candidate's."""
        return self.spec.label

    def build(self, to_onnx: ToOnnx) -> Candidate:
        """The candidate with its artefact. Raises `NotConvertible` or `MissingDependency` where there is none."""
        opens = self.spec.target is not None or self.model.format in self.engine.formats
        artefact = self.model if opens else to_onnx(self.model)
        target = registry.target(self.engine.name)
        return Candidate(self.label, self.spec, self.engine, target, self.options, self.model, artefact, self.explicit)


def plan_candidates(models: Sequence[ModelRef], texts: Sequence[str], threads: int) -> list[PlannedCandidate]:
    """Every candidate that is asked for; those that are usual for a model where `texts` is empty. Starts no worker.

    Raises `UsageError` or `OptionError` for a candidate that makes no sense.
    """
    return [
        _plan_candidate(model, text, threads, explicit=bool(texts))
        for model in models
        for text in texts or default_candidates(model)
    ]


def choose_candidates(
    models: Sequence[ModelRef], texts: Sequence[str], to_onnx: ToOnnx, threads: int
) -> tuple[list[Candidate], list[Notice]]:
    """Every candidate that can run, and notices on default ones that were left out.

    Raises as `plan_candidates`, and `CannotRun` when none is left.
    """
    candidates, notices = [], []
    for plan in plan_candidates(models, texts, threads):
        try:
            candidates.append(plan.build(to_onnx))
        except (NotConvertible, MissingDependency) as error:
            if plan.explicit:
                raise
            notices.append(Notice("left-out", f"{plan.text} left out: {error.message}", error.hint, plan.text))
    unique = list({spec.key: spec for spec in candidates}.values())
    if not unique:
        raise CannotRun("no candidate can run", notices[0].hint if notices else "")
    return unique, notices


def _check_function(spec: CandidateSpec) -> None:
    """`lightgbm:feed` reads as a function `feed` in a module `lightgbm`; it is an option without its value."""
    head = (spec.target or "").partition(":")[0]
    if head in registry.names():
        raise UsageError(f"{spec.target!r} is no candidate", "write options as engine:key=value")


def _plan_candidate(model: ModelRef, text: str, threads: int, *, explicit: bool) -> PlannedCandidate:
    spec = parse(text)
    _check_function(spec)
    if spec.engine == "callable" and model.family != "callable" and spec.target is None:
        raise UsageError("the engine 'callable' needs a function", "write -e package.module:function")
    engine = registry.get(spec.engine)
    inherited = {"threads": str(threads)} if "threads" in engine.options else {}
    options = check_options(engine, {**inherited, **spec.options})
    if "threads" in options:
        read_threads(options)
    if spec.target is None and model.format not in engine.formats and "onnx" not in engine.formats:
        raise UsageError(f"{engine.name} cannot open {model.name} ({model.format})", _list_openers(model))
    return PlannedCandidate(text, spec, engine, options, model, explicit)


def _list_openers(model: ModelRef) -> str:
    names = [info.name for info in registry.available() if model.format in info.formats]
    return f"{', '.join(dict.fromkeys([*names, 'onnxruntime']))} can"
