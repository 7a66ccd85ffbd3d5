"""The formats of CI services, each read back by the tool that it is for, or held against its rules."""

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import junitparser
import pyperf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from infer_bench.report.common import Report, Verdict
from infer_bench.report.serialize import dump, load_report
from infer_bench.reporters.bench.names import name_results
from infer_bench.reporters.registry import render
from tests import gate_reports, reports

FORMATS = ["github-action-benchmark", "bencher", "junit", "openmetrics", "pyperf"]
REPORTS: dict[str, Report[Any]] = {
    "credit": reports.report(),
    "troubled": reports.troubled(),
    "wide": reports.wide(),
    **gate_reports.ALL,
}
hostile = st.text(
    st.characters() | st.sampled_from("\n\r\t|\"'<>&]\\{}:,%\x00\x1b\ufffe\udce9😀"), max_size=12
) | st.just("]]>")


def suite_of(report: Report[Any], tmp_path: Any) -> Any:
    path = tmp_path / "suite.json"
    path.write_text(render(report, "pyperf"), encoding="utf-8")
    return pyperf.BenchmarkSuite.load(str(path))


def samples_of(text: str) -> dict[str, list[Any]]:
    return {family.name: list(family.samples) for family in text_string_to_metric_families(text)}


def cases_of(text: str) -> list[Any]:
    xml = junitparser.JUnitXml.fromstring(text.encode())
    return [case for suite in xml for case in suite]


def report_of(*texts: str) -> Report[Any]:
    """A gate of one regressed candidate whose file, label and reasons are `texts`."""
    path, candidate, reason = texts
    model = replace(gate_reports.NEW, path=path)
    row = replace(gate_reports.result(model), candidate=candidate)
    check = replace(gate_reports.p50("inconclusive", reason=reason), model=path, candidate=candidate)
    return gate_reports.report(gate_reports.gate(check), "inconclusive", row, row, reasons=(reason,))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", REPORTS)
def test_a_saved_report_gives_the_same_text(name: str, format: str) -> None:
    text = render(REPORTS[name], format)

    assert text.endswith("\n")
    assert render(load_report(dump(REPORTS[name])), format, width=40, color=True) == text


def test_names_are_stable_and_tell_models_of_one_name_apart() -> None:
    one, two = reports.credit()[:2]
    elsewhere = replace(one, model=replace(one.model, path="/other/credit.txt"))

    assert name_results(reports.report(one, two)) == [
        "credit.txt lightgbm:feed=dataframe batch=1",
        "credit.txt lightgbm:feed=ndarray batch=1",
    ]
    assert name_results(reports.report(one, elsewhere)) == [
        "/models/credit.txt lightgbm:feed=dataframe batch=1",
        "/other/credit.txt lightgbm:feed=dataframe batch=1",
    ]
    assert name_results(reports.report(one, one))[1] == "credit.txt lightgbm:feed=dataframe batch=1 #2"


@given(st.lists(st.tuples(hostile, hostile), max_size=4))
def test_names_are_one_line_and_unique(parts: list[tuple[str, str]]) -> None:
    rows = [replace(reports.credit()[0], candidate=c, model=replace(reports.CREDIT, path=p)) for p, c in parts]
    names = name_results(reports.report(*rows)) if rows else []

    assert len(set(names)) == len(names)
    assert not set("\n\r\x00\x1b\udce9") & set("".join(names))


@settings(max_examples=20, deadline=None)
@given(hostile, hostile, hostile)
def test_hostile_names_leave_every_document_readable(path: str, candidate: str, reason: str) -> None:
    report = report_of(path, candidate, reason)

    assert len(json.loads(render(report, "bencher"))) == 2
    assert len({entry["name"] for entry in json.loads(render(report, "github-action-benchmark"))}) == 2 * 6
    assert len({bench["metadata"]["name"] for bench in json.loads(render(report, "pyperf"))["benchmarks"]}) == 2
    assert cases_of(render(report, "junit"))
    labels = samples_of(render(report, "openmetrics"))["infer_bench_failed"][0].labels
    assert labels["candidate"] == candidate.encode("utf-8", "backslashreplace").decode()
    for format in FORMATS:
        render(report, format).encode("utf-8")


def test_github_action_benchmark_has_what_the_action_asks_for() -> None:
    entries = json.loads(render(gate_reports.regressed(), "github-action-benchmark"))
    p50 = next(entry for entry in entries if entry["name"] == "new.onnx onnxruntime:feed=ndarray batch=1 p50")

    assert {(type(entry["name"]), type(entry["unit"])) for entry in entries} == {(str, str)}
    assert all(isinstance(entry["value"], (int, float)) for entry in entries)
    assert (p50["unit"], p50["value"], p50["range"]) == ("ns", 27_400, "± 274")
    assert "regressed: more than 5 % slower" in p50["extra"]
    assert not [entry for entry in entries if "rows" in entry["name"]]


def test_github_action_benchmark_leaves_out_what_was_not_measured() -> None:
    entries = json.loads(render(reports.troubled(), "github-action-benchmark"))

    assert not [entry for entry in entries if "xgboost" in entry["name"]]
    assert not [entry for entry in entries if entry["value"] is None]
    assert "label changes: 12" in "".join(entry["extra"] for entry in entries)


def test_bencher_has_latency_in_ns_with_its_bounds() -> None:
    document = json.loads(render(gate_reports.regressed(), "bencher"))

    assert document["new.onnx onnxruntime:feed=ndarray batch=1"]["latency"] == {
        "value": 27_400,
        "lower_value": 27_126,
        "upper_value": 27_674,
    }
    for measures in document.values():
        assert set(measures) >= {"latency", "latency-p95", "throughput", "file-size"}
        assert all(set(metric) <= {"value", "lower_value", "upper_value"} for metric in measures.values())
        assert all(isinstance(number, (int, float)) for metric in measures.values() for number in metric.values())


def test_bencher_takes_no_name_beyond_its_limit() -> None:
    long = replace(gate_reports.NEW, path="/" + "x" * 3000)
    document = json.loads(render(reports.report(gate_reports.result(long)), "bencher"))

    assert [len(name) for name in document] == [1024]


def kinds(text: str) -> list[str]:
    return [type(case.result[0]).__name__ if case.result else "passed" for case in cases_of(text)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("passing", ["passed", "passed"]),
        ("regressed", ["Failure", "Failure"]),
        ("inconclusive", ["Skipped", "passed", "Skipped"]),
        ("limits", ["passed", "Failure", "passed", "Failure"]),
        ("several", ["passed", "passed", "Failure", "Failure", "Error", "Error"]),
        ("credit", ["passed"] * 3),
        ("troubled", ["passed"] * 6 + ["Error"]),
    ],
)
def test_junit_has_a_case_a_check(name: str, expected: list[str]) -> None:
    assert kinds(render(REPORTS[name], "junit")) == expected


@pytest.mark.parametrize("name", REPORTS)
def test_junit_counts_its_cases(name: str) -> None:
    text = render(REPORTS[name], "junit")
    root = ElementTree.fromstring(text.encode())
    results = kinds(text)

    counts = (len(results), results.count("Failure"), results.count("Error"), results.count("Skipped"))
    assert tuple(int(root.attrib[key]) for key in ("tests", "failures", "errors", "skipped")) == counts
    assert len({(case.get("classname"), case.get("name")) for case in root.iter("testcase")}) == len(results)


def test_junit_says_what_was_found() -> None:
    case = cases_of(render(gate_reports.regressed(), "junit"))[0]

    assert (case.classname, case.name) == ("new.onnx onnxruntime:feed=ndarray batch=1", "p50 regression")
    assert case.result[0].message.startswith("p50 24.9 µs → 27.4 µs, 1.10× (1.095–1.106), regressed")
    assert "would have seen +1.2 % at p50" in case.result[0].text


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("not-comparable", 5, "Error"),
        ("failed", 6, "Error"),
        ("different", 4, "Failure"),
        ("inconclusive", 3, "Skipped"),
    ],
)
def test_junit_is_never_green_where_the_run_was_not(status: Any, code: int, kind: str) -> None:
    report = replace(gate_reports.passing(), verdict=Verdict(status, code, ("for a reason",)))
    text = render(report, "junit")

    assert kinds(text)[-1] == kind
    assert "for a reason" in text


def test_junit_of_a_run_that_was_not_finished_is_an_error() -> None:
    assert kinds(render(replace(reports.report(), complete=False), "junit"))[-1] == "Error"


@pytest.mark.parametrize("name", REPORTS)
def test_openmetrics_is_valid_and_ends_as_it_must(name: str) -> None:
    text = render(REPORTS[name], "openmetrics")
    families = list(text_string_to_metric_families(text))

    assert text.endswith("\n# EOF\n")
    assert all(family.documentation for family in families)
    assert all(family.name.endswith(f"_{family.unit}") for family in families if family.unit)


def test_openmetrics_has_seconds_and_bytes() -> None:
    document = samples_of(render(gate_reports.regressed(), "openmetrics"))
    p50 = [s.value for s in document["infer_bench_request_seconds"] if s.labels["quantile"] == "0.5"]

    assert p50 == [pytest.approx(24.9e-6), pytest.approx(27.4e-6)]
    assert {s.value for s in document["infer_bench_memory_bytes"]} == {88_000_000}
    assert [(s.labels["metric"], s.labels["outcome"]) for s in document["infer_bench_check"]] == [
        ("p50", "regressed"),
        ("p95", "regressed"),
    ]
    assert [s.value for s in document["infer_bench_exit_code"]] == [1]


def test_openmetrics_tells_failures() -> None:
    document = samples_of(render(reports.troubled(), "openmetrics"))["infer_bench_failed"]

    assert [s.labels["candidate"] for s in document if s.value] == ["xgboost:feed=dataframe,api=sklearn"]


def test_pyperf_reads_a_run_a_process(tmp_path: Any) -> None:
    suite = suite_of(gate_reports.regressed(), tmp_path)
    bench = suite.get_benchmark("new.onnx onnxruntime:feed=ndarray batch=1")

    assert len(bench.get_runs()) == 3
    assert bench.get_nvalue() == 3 * 20 * 4
    assert bench.median() == pytest.approx(27_415e-9)
    assert bench.get_metadata()["python_version"] == "3.11.9"


@pytest.mark.parametrize("name", ["credit", "troubled", "regressed", "two_environments", "several"])
def test_pyperf_loads_every_report_with_samples(name: str, tmp_path: Any) -> None:
    assert len(suite_of(REPORTS[name], tmp_path)) >= 2


def test_pyperf_values_are_corrected_as_the_report_is(tmp_path: Any) -> None:
    process = reports.processes(1, 1, p50=16_000)[0]
    block = replace(process.rounds[0], calls_per_sample=16, request_ns=(16_036, 32_036, 20))
    row = reports.credit()[0]
    assert row.request is not None
    row = replace(row, request=replace(row.request, floor_ns=36), processes=(replace(process, rounds=(block,)),))
    bench = suite_of(reports.report(row), tmp_path).get_benchmarks()[0]

    assert bench.get_values() == (pytest.approx(1e-6), pytest.approx(2e-6), pytest.approx(0, abs=1e-9))
    assert bench.get_runs()[0].get_loops() == 16


def test_pyperf_tells_the_interpreters_of_two_environments(tmp_path: Any) -> None:
    suite = suite_of(gate_reports.two_environments(), tmp_path)

    assert [bench.get_metadata()["python_version"] for bench in suite] == ["3.11.9", "3.12.4"]


def test_openmetrics_labels_survive_what_must_be_escaped() -> None:
    text = render(report_of('/m/a"b\\n\n{}.onnx', "x\\", 'say "no"'), "openmetrics")
    labels = samples_of(text)["infer_bench_failed"][0].labels

    assert labels["model"] == '/m/a"b\\n\n{}.onnx'
    assert labels["candidate"] == "x\\"
