"""The page: self-contained, harmless whatever a report holds, and the same for the same report."""

import base64
import hashlib
import re
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from infer_bench.errors import MissingDependency
from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.report.serialize import load_report
from infer_bench.reporters.html.render import build_page, render_html
from infer_bench.reporters.registry import find
from tests.reports import credit, failure
from tests.reports import report as bench_of

SAVED = Path(__file__).parents[2] / "saved"
COMMANDS = ("bench", "convert", "gate", "profile", "validate")
HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'"


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of styles and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self.words = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("style", "script"):
            self.raw[self._inside] = self.raw.get(self._inside, "") + data
        else:
            self.words += data


def saved(command: str) -> Report[Any]:
    return load_report(SAVED / f"{command}.json")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_loads_nothing_and_runs_only_its_own_script(command: str) -> None:
    page = Elements(render_html(saved(command)))
    policy = next(a["content"] for tag, a in page.elements if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert [tag for tag, _ in page.elements].count("script") == 1
    attributes = {name for _, a in page.elements for name in a}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "href", "style")}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_report_gives_the_same_bytes(command: str) -> None:
    assert render_html(saved(command)) == render_html(saved(command))


@pytest.mark.parametrize("command", COMMANDS)
def test_identifiers_are_unique_and_labels_point_to_them(command: str) -> None:
    page = Elements(render_html(saved(command)))
    identifiers = Counter(a["id"] for _, a in page.elements if "id" in a)
    assert [name for name, count in identifiers.items() if count > 1] == []
    labels = [str(a["aria-labelledby"]).split() for _, a in page.elements if "aria-labelledby" in a]
    assert all(name in identifiers for names in labels for name in names)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_report_holds_is_text(command: str) -> None:
    report = saved(command)
    results = tuple(
        replace(result, **{"candidate": HOSTILE} if hasattr(result, "engine") else {}) for result in report.results
    )
    hostile = replace(
        report,
        results=results,
        notices=(Notice("x", HOSTILE, HOSTILE),),
        settings={**report.settings, HOSTILE: HOSTILE},
        environment=replace(report.environment, cpu_model=HOSTILE, packages={HOSTILE: HOSTILE}),
    )
    page = Elements(render_html(hostile))
    tags = Counter(tag for tag, _ in page.elements)
    assert tags["script"] == 1
    assert tags["img"] == 0
    assert "<script>alert(1)</script>" in page.words


def test_a_page_says_what_was_found() -> None:
    bench, gate = (Elements(render_html(saved(command))).words for command in ("bench", "gate"))
    assert "No difference shown between" in bench
    assert "preprocess" in bench
    assert "inconclusive" in gate


def test_pages_are_small_enough_for_a_mail() -> None:
    assert all(len(render_html(saved(command))) < 200_000 for command in COMMANDS)


def test_without_charts_a_page_has_its_tables_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    text = render_html(saved("bench"))
    assert "<table>" in text
    assert "<svg" not in text
    assert "infer-bench[charts]" in text


def test_without_jinja2_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependency, match="jinja2") as caught:
        render_html(saved("bench"))
    assert "infer-bench[html]" in caught.value.hint


def test_what_a_format_needs_is_asked_for_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependency):
        find("html", "bench")


def test_what_holds_for_the_run_is_said_once() -> None:
    report = replace(saved("gate"), complete=False)
    assert Elements(render_html(report)).words.count("The run was not finished") == 1


def test_a_report_without_results_is_a_page() -> None:
    assert "Nothing was measured." in render_html(replace(saved("bench"), results=(), verdict=None))


def test_charts_use_the_colour_of_the_page() -> None:
    text = render_html(saved("bench"))
    assert "currentColor" in text
    assert not re.search(r"<svg[^>]*\bwidth=", text)


def finding_of(report: Report[Any]) -> str:
    return build_page(report).finding


def test_a_bench_without_an_interval_says_who_has_the_lowest_p50() -> None:
    alone, *others = credit()
    assert finding_of(bench_of(alone)) == "lightgbm with a DataFrame has a p50 of 3.76 ms."
    few = [replace(result, processes=result.processes[:1], speedup=None) for result in (alone, *others)]
    assert re.match(
        r"onnxruntime has the lowest p50, [\d.]+ µs. No speed-up is certain: one process", finding_of(bench_of(*few))
    )
    assert finding_of(bench_of(alone, *others)).startswith("onnxruntime answers a request")
    assert finding_of(bench_of(failure("onnxruntime", "killed"))) == "Nothing was measured."


def test_why_a_candidate_failed_takes_the_whole_line() -> None:
    page = Elements(render_html(bench_of(*credit()[:1], failure("onnxruntime", "killed " * 40))))
    (cell,) = [attributes for tag, attributes in page.elements if tag == "td" and "colspan" in attributes]
    heads = [tag for tag, attributes in page.elements if tag == "th" and attributes.get("scope") == "col"]
    assert cell == {"class": "bad wrap", "colspan": str(len(heads) - 1)}


def test_no_name_turns_the_text_after_it() -> None:
    text = render_html(bench_of(failure("onnxruntime", "a\u202exnno.txt \u2067b \u0627 c")))
    assert "a\ufffdxnno.txt \ufffdb \u0627 c" in text


def test_no_line_ends_inside_an_option_and_its_text_stays_whole() -> None:
    report = replace(saved("bench"), notices=(Notice("x", "a<b --max-delta 1e-5, a-b -e x", "--budget 35s"),))
    text = render_html(report)
    options = ("--max-delta", "-e", "--budget")
    assert [option for option in options if f'<span class="option">{option}</span>' not in text] == []
    assert "a<b --max-delta 1e-5, a-b -e x" in Elements(text).words


def test_the_title_of_a_window_says_what_the_page_is_about() -> None:
    titles = {
        command: re.search("<title>(.*) · infer-bench</title>", render_html(saved(command))) for command in COMMANDS
    }
    assert {command for command, title in titles.items() if title is None or not re.search(r"\.\w", title[1])} == set()


def test_a_page_and_a_terminal_conclude_the_same_where_rows_failed() -> None:
    failed = bench_of(*credit()[:1], failure("onnxruntime", "killed"))
    verdict = Verdict("failed", 6, ("onnxruntime, batch 1: killed",))
    finding = finding_of(replace(failed, verdict=verdict))
    assert finding == "failed: 1 of 2 rows could not be measured"
