"""The command that made a report, which the report keeps."""

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from infer_bench.cli.command_line import add_command_line, find_begin_ns, keep_arguments
from infer_bench.cli.main import run
from infer_bench.report.serialize import load_report
from infer_bench.reporters.html.render import render_html
from tests import reports


def test_passwords_in_addresses_are_left_out() -> None:
    with keep_arguments(["load", "https://me:secret@host/predict?api_key=abc&x=1", "--rate", "10/s"]):
        report = add_command_line(reports.report(*reports.credit()))
    assert report.command_line == ("load", "https://***@host/predict?api_key=***&x=1", "--rate", "10/s")
    assert add_command_line(report) is report


def test_a_page_shows_it_as_a_shell_takes_it() -> None:
    pytest.importorskip("jinja2")
    with keep_arguments(["bench", "a model.txt", "--slo", "p99<5ms"]):
        page = render_html(add_command_line(reports.report(*reports.credit())))
    text = html.unescape(re.sub("<[^>]+>", "", page))
    assert "infer-bench bench 'a model.txt' --slo 'p99<5ms'" in text


def test_a_run_keeps_it_and_show_does_not_replace_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx = pytest.importorskip("onnx")
    parser = pytest.importorskip("onnx.parser")
    pytest.importorskip("onnxruntime")
    path, saved = tmp_path / "m.onnx", tmp_path / "r.json"
    text = '<ir_version: 10, opset_import: ["" : 17]> g (float[N, 2] x) => (float[N, 2] y) { y = Identity(x) }'
    onnx.save(parser.parse_model(text), path)
    arguments = ["bench", str(path), "--rounds", "2", "--processes", "1", "--json", str(saved)]
    assert run(arguments) == 0
    assert load_report(saved).command_line == tuple(arguments)
    capsys.readouterr()
    assert run(["show", str(saved), "--format", "json"]) == 0
    assert '"show"' not in capsys.readouterr().out


def test_a_comparison_keeps_none_so_that_merged_parts_equal_one_run() -> None:
    with keep_arguments(["validate", "a.txt", "b.onnx", "--shard", "1/2"]):
        assert add_command_line(replace(reports.report(), command="validate")).command_line == ()


def test_when_a_process_began_is_known_while_its_command_lasts() -> None:
    with keep_arguments(["bench"], 5):
        assert find_begin_ns() == 5
    assert find_begin_ns() is None
