"""The outputs of a network that does not say them, as made-up requests show them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from infer_bench.engines.feeds.tensors import TensorFeed
from infer_bench.engines.tensor_session import TensorSession
from infer_bench.engines.training_mode import STATE
from infer_bench.errors import EngineError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.model import ModelSpec, Remark, TensorInput
from infer_bench.serving.paths.observed_outputs import observe_outputs
from infer_bench.typing import Array

Network = Callable[[Mapping[str, Array]], dict[str, Array]]


class Silent(TensorSession):
    """Says of its inputs no more than their dtypes, as TorchScript does."""

    def __init__(self, network: Network, weights: tuple[tuple[int, ...], ...] = (), **dtypes: str) -> None:
        spec = ModelSpec("raw", (), (), inputs=tuple(TensorInput(name, kind, None) for name, kind in dtypes.items()))
        self.weight_shapes, self._network, self.requests = weights, network, 0
        super().__init__(spec, TensorFeed(spec.inputs), self._run)

    def _run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        self.requests += 1
        try:
            return self._network(arrays)
        except (ValueError, IndexError) as error:
            raise EngineError(str(error)) from None

    def named_outputs(self, outputs: Any) -> dict[str, Array]:
        return dict(outputs)

    def input_uses(self) -> dict[str, InputUse]:
        return {}


def observe(session: TensorSession) -> list[str]:
    return [str(output) for output in observe_outputs(session)]


def classify(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """A convolution of three channels to five scores."""
    batch, channels, _, _ = arrays["image"].shape
    if channels != 3:
        raise ValueError("three channels")
    scores = np.zeros((batch, 5), np.float32)
    return {"scores": scores, "best": scores.argmax(axis=1), "ok": np.array(True), "heat": arrays["image"][:, :1]}


def test_shapes_that_go_with_the_weights_are_tried_and_sizes_that_follow_the_requests_are_free() -> None:
    session = Silent(classify, ((4, 3, 3, 3), (4,), (5, 4)), image="float32")
    assert observe(session) == ["scores float32 (?, 5)", "best int64 (?)", "ok bool ()", "heat float32 (?, 1, ?, ?)"]
    assert session.requests == 3


def encode(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Tokens beside a mask of the same sizes, looked up in a table of two rows."""
    if arrays["ids"].shape != arrays["mask"].shape:
        raise ValueError("of other sizes")
    return {"hidden": np.zeros((2, 16))[arrays["ids"]] * arrays["mask"][..., None]}


def test_several_inputs_are_tried_together() -> None:
    session = Silent(encode, ((2, 16), (16, 16)), ids="int64", mask="float32")
    assert observe(session) == ["hidden float64 (?, ?, 16)"]


def test_of_a_fixed_size_only_the_batch_is_free() -> None:
    def flatten(arrays: Mapping[str, Array]) -> dict[str, Array]:
        image = arrays["image"]
        if image.shape[1:] != (1, 28, 28):
            raise ValueError("28 by 28")
        return {"scores": np.zeros((len(image), 10)), "rows": image[:, 0, :, 0]}

    # A size that is the request's may follow it, where no request of another size was answered.
    assert observe(Silent(flatten, ((4, 1, 3, 3),), image="float32")) == [
        "scores float64 (?, 10)",
        "rows float32 (?, ?)",
    ]


def test_nothing_is_said_of_what_answers_nothing_and_nothing_run_that_keeps_state() -> None:
    def refuse(arrays: Mapping[str, Array]) -> dict[str, Array]:
        raise ValueError("no")

    assert observe(Silent(refuse, x="float32")) == []
    session = Silent(classify, ((4, 3, 3, 3),), image="float32")
    session.spec = replace(session.spec, remarks=(Remark(STATE, "keeps state"),))
    assert observe(session) == []
    assert session.requests == 0
