"""Sizes of axes that are formulas of others."""

import pytest

from infer_bench.data.tensors.formulas import evaluate, is_formula


@pytest.mark.parametrize(
    ("symbol", "size"),
    [
        ("past + 1", 17),
        ("past+tokens", 24),
        ("2*tokens", 16),
        ("floor(past/2 - 1/2) + 1", 8),
        ("ceiling(tokens/3)", 3),
        ("past", 16),
        ("unknown + 1", None),
        ("past/3", None),
        ("tokens - past", None),
        ("past/(tokens - 8)", None),
        ("p2o.DynamicDimension.0", None),
        ("9**9**9", None),
        ("past.real", None),
        ("__import__('os')", None),
    ],
)
def test_a_formula_gives_a_whole_number_or_nothing(symbol: str, size: int | None) -> None:
    assert evaluate(symbol, {"past": 16, "tokens": 8}) == size


def test_a_name_is_no_formula() -> None:
    assert is_formula("past + 1")
    assert not any(map(is_formula, ("batch", "p2o.DynamicDimension.0", "unk__12", "dim 3")))
