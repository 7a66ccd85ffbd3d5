"""In which float dtype a PyTorch program or module computes its outputs."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from infer_bench.engines.torch.precision import find_precisions, find_script_precisions  # noqa: E402


class TwoWays(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
    """A product in float64, the same by way of float32, and where its first column is largest."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2, 2, dtype=torch.float64))

    def forward(self, x: Any) -> Any:
        product = x.double() @ self.weight
        return product, product.float().double(), product.argmax(0)


def test_the_narrowest_that_is_computed_in() -> None:
    program = torch.export.export(TwoWays(), (torch.ones(3, 2),))
    assert find_precisions(program, ["wide", "narrow", "place"])["wide"] == "float64"
    assert find_precisions(program, ["wide", "narrow", "place"])["narrow"] == "float32"


def test_of_a_script_its_weights_tell() -> None:
    module = torch.nn.Linear(2, 2)
    assert find_script_precisions(module) == {}
    assert find_script_precisions(module.double()) == {"": "float64"}
    assert find_script_precisions(torch.nn.Identity()) == {}
