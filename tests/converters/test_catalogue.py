"""The list of routes tells what is written and what is refused, and never both of one class."""

import pytest

from infer_bench.cli.main import run
from infer_bench.converters.catalogue import format_routes, list_sklearn_routes
from infer_bench.converters.sklearn.refusals import REFUSALS


def test_the_list_names_every_family_and_every_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["convert", "--list"]) == 0
    text = capsys.readouterr().out
    for word in ("lightgbm", "xgboost", "catboost", "torch", "RandomForestClassifier", *REFUSALS):
        assert word in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_list_fits_into_a_narrow_terminal() -> None:
    assert max(map(len, format_routes(80).splitlines())) <= 80
    assert format_routes(80).split() == format_routes().split()


def test_nothing_is_both_written_and_refused() -> None:
    exact = {name for route in list_sklearn_routes() if route.exactness == "exact" for name in route.estimators}
    assert not exact & set(REFUSALS)
