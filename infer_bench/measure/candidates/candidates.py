"""Who takes part: each candidate with the artefact that it opens."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from infer_bench.engines import registry
from infer_bench.engines.base import Engine, check_options
from infer_bench.engines.session import read_threads
from infer_bench.errors import CannotRun, DataError, MissingDependency, NotConvertible, UsageError
from infer_bench.libraries import of_family
from infer_bench.measure.candidates.spec import CandidateSpec, check_engine, parse
from infer_bench.model import ModelRef
from infer_bench.report.common import Notice

SERVICE = "http"
"""The engine, and the format, of a service."""
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


def group_by_model(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """The candidates of each model by its path, in their order."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.model.path, []).append(candidate)
    return groups


def order_by_start(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those first that start soonest; a service, which does not know its model as the file does, last."""
    return sorted(candidates, key=lambda c: (c.engine.name == SERVICE, not c.engine.lean(c.artefact, c.options)))


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
        opens = self.spec.target is not None or self.model.format in self.engine.formats or self.engine.name == "http"
        artefact = self.model if opens else to_onnx(self.model)
        target = registry.target(self.engine.name)
        return Candidate(self.label, self.spec, self.engine, target, self.options, self.model, artefact, self.explicit)


def plan_candidates(
    models: Sequence[ModelRef],
    texts: Sequence[str],
    threads: int,
    sweep: Sequence[int] = (),
    optional: Collection[str] = (),
) -> list[PlannedCandidate]:
    """Every candidate that is asked for; those that are usual for a model where `texts` is empty. Starts no worker.

    Of several models each gets the engines that can open it, and the first one the functions, which open none. With a
    `sweep` each that leaves its threads open stands there once for each of these numbers. Nobody has asked for the
    `optional` ones among the texts. Raises `UsageError` or
    `OptionError` for a candidate that makes no sense or fits no model, and for a model that none fits.
    """
    for text in texts:
        _read_options(_parse_checked(text), threads)
    return [
        _plan_candidate(model, swept, threads, explicit=bool(texts) and text not in optional)
        for model, text in _assign_candidates(models, texts)
        for swept in _sweep_threads(text, sweep)
    ]


def _sweep_threads(text: str, counts: Sequence[int]) -> list[str]:
    """The candidate with each number of threads; as it is where it names one itself, or its engine knows none."""
    spec = parse(text)
    if not counts or "threads" in spec.options or "threads" not in registry.get(spec.engine).options:
        return [text]
    return [replace(spec, options={**spec.options, "threads": str(n)}, label="").text for n in counts]


def _assign_candidates(models: Sequence[ModelRef], texts: Sequence[str]) -> list[tuple[ModelRef, str]]:
    """Which candidate is for which model, model by model: those that `texts` write, else the default ones."""
    if not texts:
        return [(model, text) for model in models for text in default_candidates(model)]
    specs = {text: _parse_checked(text) for text in texts}
    for spec in specs.values():
        if not any(_fits(spec, model, models) for model in models):
            raise _explain_misfit(spec, models[0])
    for model in models:
        if not any(_fits(spec, model, models) for spec in specs.values()):
            raise _explain_misfit(next(iter(specs.values())), model)
    return [(model, text) for model in models for text, spec in specs.items() if _fits(spec, model, models)]


def _parse_checked(text: str) -> CandidateSpec:
    spec = parse(text)
    check_engine(spec)
    return spec


def _fits(spec: CandidateSpec, model: ModelRef, models: Sequence[ModelRef]) -> bool:
    return model is models[0] if spec.target is not None else can_open(registry.get(spec.engine), model)


def can_open(engine: Engine, model: ModelRef) -> bool:
    """Whether an engine opens a model, as it is or converted to ONNX, or a service stands for it."""
    if engine.name == "http":
        return True
    return model.format in engine.formats or ("onnx" in engine.formats and model.family not in ("callable", "http"))


def _explain_misfit(spec: CandidateSpec, model: ModelRef) -> UsageError:
    if spec.target is not None:
        return UsageError(f"{spec.text} opens no model", f"name a candidate for {model.name}, too")
    if spec.engine == "callable":
        return UsageError("the engine 'callable' needs a function", "write -e package.module:function")
    return UsageError(f"{spec.engine} cannot open {model.name} ({model.format})", _list_openers(model))


def choose_candidates(
    models: Sequence[ModelRef],
    texts: Sequence[str],
    to_onnx: ToOnnx,
    threads: int,
    sweep: Sequence[int] = (),
    optional: Collection[str] = (),
) -> tuple[list[Candidate], list[Notice]]:
    """Every candidate that can run, and notices on default and `optional` ones that were left out.

    Raises as `plan_candidates`, and `CannotRun` when none is left.
    """
    candidates: list[Candidate] = []
    notices: list[Notice] = []
    for plan in plan_candidates(models, texts, threads, sweep, optional):
        try:
            candidates.append(plan.build(to_onnx))
        except (NotConvertible, MissingDependency) as error:
            if plan.explicit:
                raise
            path = plan.model.path if len(models) > 1 else ""
            notices.append(Notice("left-out", f"{plan.text} left out: {error.message}", error.hint, plan.text, path))
        except DataError as error:  # a conversion is checked on the rows that are given
            raise DataError(f"{error.message} (for {plan.model.name})", error.hint) from None
    unique = list({spec.key: spec for spec in candidates}.values())
    if not unique:
        raise CannotRun("no candidate can run", notices[0].hint if notices else "")
    return unique, notices


def check_reference(reference: str | None, labels: Sequence[str]) -> None:
    """Raise `UsageError` where the reference that was asked for is none of the candidates."""
    if reference is not None and reference not in labels:
        raise UsageError(f"the reference {reference!r} is no candidate", f"one of: {', '.join(labels)}")


def refuse_form(model: ModelRef) -> ModelRef:
    """For models that are opened as they are. Raises `NotConvertible`."""
    raise NotConvertible(f"{model.name} is opened as it is")


def _plan_candidate(model: ModelRef, text: str, threads: int, *, explicit: bool) -> PlannedCandidate:
    spec = parse(text)
    return PlannedCandidate(text, spec, registry.get(spec.engine), _read_options(spec, threads), model, explicit)


def _read_options(spec: CandidateSpec, threads: int) -> dict[str, str]:
    """All options of a candidate, those that it leaves out as the run and its engine have them."""
    engine = registry.get(spec.engine)
    inherited = {"threads": str(threads)} if "threads" in engine.options else {}
    options = check_options(engine, {**inherited, **spec.options})
    if "threads" in options:
        read_threads(options)
    return options


def _list_openers(model: ModelRef) -> str:
    names = [info.name for info in registry.available() if model.format in info.formats]
    names += ["onnxruntime"] if model.family not in ("callable", "http") else []
    return f"{', '.join(dict.fromkeys(names))} can"
