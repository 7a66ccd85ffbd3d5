"""The reasons for which `make test` may skip a test. With any other one, it fails: nothing is left out in silence."""

import re
from collections.abc import Generator

import pytest

ALLOWED_REASONS = (
    "could not import 'torch'",  # not in the extra `dev`: its wheels bring gigabytes of CUDA
    "could not import 'lleaves'",  # nor is this: llvmlite unpacks to 129 MB
    "could not import 'daal4py'",  # nor scikit-learn-intelex, which unpacks to 159 MB
    "could not import 'openvino'",  # nor OpenVINO, which unpacks to 200 MB
    "could not import 'nvforest'",  # nor nvForest, which needs CUDA's libraries
    "could not import 'tl2cgen'",  # nor this, which needs a C compiler
    "could not import 'distributed'",  # nor Dask, of which CI needs no cluster
    "could not import 'onnxscript'",  # comes with torch
    "not a git checkout",  # a source distribution
    "no pidfd to wait by",  # what is forked for the tests is started there
    "no root with debootstrap",  # docker/check makes a root file system: `make check` needs neither
    "no GPU is at hand",  # nvForest runs its tests on the CPU, and its contract where there is one
    "no wheel for GPUs",  # of ONNX Runtime: the tests marked `gpu` run where one is at hand
    "since XGBoost 3.4",  # which needs Python 3.12: run there, and on 3.11 there is nothing to train
    # Of a suite that runs on everything, what does not apply
    "a function is no file",
    "a service is no file",
    "no such option of the engine",
    "one raw score decides",
    "the estimator does not take so many targets",
    "the function gets whatever the request holds",
)


class KnownSkipsOnly:
    """A plugin that turns a skip with another reason into a failure."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Of a test."""
        report = yield
        refuse_unknown(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Of a module that is skipped as a whole."""
        report = yield
        refuse_unknown(report)
        return report


def refuse_unknown(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Fail what was skipped, unless its reason is known or it was expected to fail."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not is_known(reason):
            report.outcome = "failed"
            report.longrepr = f"{reason}: no reason of tests/skips.py"


def is_known(reason: str) -> bool:
    """Of the form `Skipped: could not import 'torch': No module named 'torch'`."""
    text = reason.removeprefix("Skipped: ")
    return any(re.match(rf"{re.escape(reason_start)}(:|$)", text) for reason_start in ALLOWED_REASONS)
