"""A user's function divided at its model calls, and the library's steps in it, on a clock that a test can count on."""

import sys
from types import ModuleType
from typing import Any

import pytest

from infer_bench.workers.profiling import instrument as probes
from infer_bench.workers.profiling import steps
from infer_bench.workers.profiling.instrument import Target, installed
from infer_bench.workers.profiling.model_boundary import ModelBoundary
from infer_bench.workers.profiling.steps import StepTimer
from infer_bench.workers.timing.loop import Stages
from tests.fakes import FakeClock

CLOCK = FakeClock()


class Model:
    def predict(self, value: Any) -> Any:
        CLOCK.spend(500)
        return self.raw(value)

    def raw(self, value: Any) -> Any:
        CLOCK.spend(40)
        return value


class Pipeline(Model):
    def predict(self, value: Any) -> Any:
        CLOCK.spend(7)
        return super().predict(value)


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("some_library")
    module.Model, module.Pipeline = Model, Pipeline  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "some_library", module)
    calls = (Target("some_library", "Model.predict", "Model"), Target("some_library", "Pipeline.predict", "Pipeline"))
    monkeypatch.setattr(probes, "MODEL_CALLS", calls)
    monkeypatch.setattr(steps, "STEPS", (*calls, Target("some_library", "Model.raw", "raw")))


def request(model: Model, calls: int, before: int = 30, after: int = 11) -> Stages:
    """A user's function: 30 ns, then calls of the model 5 ns apart, then 11 ns."""

    def function(value: Any) -> Any:
        CLOCK.spend(before)
        for i in range(calls):
            CLOCK.spend(5 if i else 0)
            model.predict(value)
        CLOCK.spend(after)
        return value

    return Stages(lambda v: v, function, lambda v: v)


@pytest.mark.parametrize(
    ("model", "calls", "parts", "names"),
    [
        (Model(), 1, (30, 540, 11), {"Model"}),
        (Model(), 3, (40, 1620, 11), {"Model"}),
        (Pipeline(), 1, (30, 547, 11), {"Pipeline"}),
        (Model(), 0, (0, 41, 0), set()),
    ],
    ids=["one call", "several calls", "a call inside a call", "no call"],
)
def test_phases_are_told_apart_by_the_outermost_model_calls(
    model: Model, calls: int, parts: tuple[int, ...], names: set[str]
) -> None:
    boundary = ModelBoundary(CLOCK)
    boundary.install()
    try:
        stamps = boundary.time_phases(request(model, calls), [1, 2])
    finally:
        boundary.remove()
    assert stamps.request.tolist() == [sum(parts)] * 2
    assert (stamps.preprocess[0], stamps.predict[0], stamps.postprocess[0]) == parts
    assert set(boundary.names) == names


class Selector:
    """An event loop's, in which time passes; a model may be called on another thread meanwhile."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model

    def select(self, timeout: float | None) -> None:
        CLOCK.spend(1_000)
        if self.model is not None:
            self.model.predict(1)
            CLOCK.spend(200)


class Loop:
    def __init__(self, selector: Selector) -> None:
        self._selector = selector


@pytest.mark.parametrize(
    ("before", "within", "after", "parts", "waiting"),
    [
        (2, False, 0, (30, 540, 11), 2_000),
        (0, False, 1, (30, 540, 11), 1_000),
        (1, False, 2, (30, 540, 11), 3_000),
        (0, True, 0, (30, 540, 11), 1_200),
        (1, True, 1, (30, 540, 11), 3_200),
    ],
)
def test_waiting_is_no_phase_of_the_request(
    before: int, within: bool, after: int, parts: tuple[int, ...], waiting: int
) -> None:
    model, idle, boundary = Model(), Selector(), ModelBoundary(CLOCK)
    busy = Selector(model)
    boundary.watch(Loop(idle))
    boundary.watch(Loop(busy))
    boundary.install()

    def function(value: Any) -> Any:
        CLOCK.spend(30)
        for _ in range(before):
            idle.select(0.1)
        if within:
            busy.select(None)
        else:
            model.predict(value)
        for _ in range(after):
            idle.select(None)
        CLOCK.spend(11)
        return value

    try:
        stamps = boundary.time_phases(Stages(lambda v: v, function, lambda v: v), [1, 2])
    finally:
        boundary.remove()
    assert (stamps.preprocess[1], stamps.predict[1], stamps.postprocess[1]) == parts
    assert boundary.waiting == [waiting] * 2
    assert "select" not in vars(idle)


def test_a_loop_that_only_looks_does_not_wait() -> None:
    idle, boundary = Selector(), ModelBoundary(CLOCK)
    boundary.watch(Loop(idle))
    boundary.watch(None)
    boundary.time_phases(Stages(lambda v: v, lambda v: idle.select(0), lambda v: v), [1])
    boundary.remove()
    assert boundary.waiting == [0]


def test_steps_have_their_own_times_without_those_that_they_call() -> None:
    timer = StepTimer(CLOCK, function=True)
    timer.time_requests(request(Pipeline(), 2), [1])
    assert timer.phases == {"preprocess": 35, "predict": 2 * 547, "postprocess": 11}
    steps_ = {(step.phase, step.name): (step.calls, step.own_ns) for step in timer.steps}
    assert steps_["predict", "Pipeline"] == (2, 2 * 7)
    assert steps_["predict", "Model"] == (2, 2 * 500)
    assert steps_["predict", "raw"] == (2, 2 * 40)


def test_an_exception_passes_and_everything_is_as_it_was() -> None:
    original = Model.__dict__["predict"]

    def failing(value: Any) -> Any:
        raise ValueError("no")

    boundary = ModelBoundary(CLOCK)
    boundary.install()
    assert Model.__dict__["predict"] is not original
    with pytest.raises(ValueError, match="no"):
        boundary.time_phases(Stages(lambda v: v, failing, lambda v: v), [1])
    boundary.remove()
    assert Model.__dict__["predict"] is original


class Lazy:
    """As scikit-learn's `available_if`: a method that only some objects have."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if not instance.able:
            raise AttributeError("predict_proba")
        return lambda value: value + 1


class Kinds:
    able = True
    late = Lazy()

    @staticmethod
    def plain(value: int) -> int:
        return value + 2

    @property
    def value(self) -> int:
        return 3


def test_any_kind_of_method_is_wrapped_and_behaves_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("kinds")
    module.Kinds = Kinds  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kinds", module)
    names: list[str] = []

    def wrap(call: Any, name: str) -> Any:
        def noted(*arguments: Any) -> Any:
            names.append(name)
            return call(*arguments)

        return noted

    targets = [Target("kinds", f"Kinds.{name}", name) for name in ("late", "plain", "value", "absent")]
    with installed([*targets, Target("nowhere", "x", "x")], wrap):
        one = Kinds()
        assert (one.late(1), one.plain(1), one.value) == (2, 3, 3)
        one.able = False
        assert not hasattr(one, "late")
    assert names == ["late", "plain", "value"]
    assert type(Kinds.__dict__["late"]) is Lazy


def test_a_name_that_the_user_gave_to_a_bound_method_is_names(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("users_service")
    module.__file__ = "/srv/app/users_service.py"
    module.predict = Model().predict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "users_service", module)
    boundary = ModelBoundary(CLOCK)
    boundary.install()
    stages = Stages(lambda v: v, lambda v: module.predict(v), lambda v: v)
    stamps = boundary.time_phases(stages, [1])
    boundary.remove()
    assert stamps.predict.tolist() == [540]
