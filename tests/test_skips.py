"""A skip for an unknown reason is a failure where `make test` runs, of a test and of a module."""

from collections.abc import Callable

import pytest

from tests.skips import refuse_unknown


def skipped_test(reason: str) -> pytest.TestReport:
    where = ("tests/test_some.py", 7, f"Skipped: {reason}")
    return pytest.TestReport("tests/test_some.py::test", (where[0], 7, "test"), {}, "skipped", where, "call")


def skipped_module(reason: str) -> pytest.CollectReport:
    return pytest.CollectReport("tests/test_some.py", "skipped", ("tests/test_some.py", 7, f"Skipped: {reason}"), [])


@pytest.mark.parametrize("skipped", [skipped_test, skipped_module])
@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("could not import 'torch': No module named 'torch'", "skipped"),
        ("one raw score decides", "skipped"),
        ("could not import 'lightgbm': No module named 'lightgbm'", "failed"),
        ("could not import 'torchvision': No module named 'torchvision'", "failed"),
        ("today is Sunday", "failed"),
    ],
)
def test_what_is_skipped_for_an_unknown_reason_fails(
    skipped: Callable[[str], pytest.TestReport | pytest.CollectReport], reason: str, outcome: str
) -> None:
    report = skipped(reason)
    refuse_unknown(report)
    assert report.outcome == outcome
    assert reason in str(report.longrepr)


def test_what_is_expected_to_fail_is_no_skip() -> None:
    report = skipped_test("")
    report.wasxfail = "a fault of the library"
    refuse_unknown(report)
    assert report.outcome == "skipped"
