"""What compiling takes, and when it has paid for itself."""

from dataclasses import replace

from infer_bench.measure.bench.compilation import note_compilations
from infer_bench.report.bench import BenchResult, Compilation
from infer_bench.reporters.bench.columns import fill_line, select_columns
from infer_bench.reporters.bench.groups import group_results
from infer_bench.reporters.bench.sentences.describe import describe_model
from tests.reports import MS, SETTINGS, US, S, credit, latency, report

FRAME, ARRAY, ONNX = credit()
LOADED = [replace(process, load_ns=100 * MS) for process in ONNX.processes]
ONNX = replace(ONNX, request=latency(20 * US), processes=tuple(LOADED))


def compiled(p50: int, load_ns: int = 5 * S) -> BenchResult:
    processes = tuple(replace(process, load_ns=load_ns) for process in ONNX.processes)
    return replace(ONNX, candidate="lleaves", engine="lleaves", request=latency(p50), processes=processes)


def test_it_is_weighed_against_the_fastest_that_does_not_compile() -> None:
    results = note_compilations([FRAME, ONNX, compiled(10 * US)])
    assert [result.compilation for result in results[:2]] == [None, None]
    assert results[2].compilation == Compilation(5 * S, ONNX.candidate, ONNX.model.path, 490_000)


def test_an_option_may_compile_at_the_first_request() -> None:
    processes = [replace(process, load_ns=S, first_request_ns=4 * S) for process in ONNX.processes]
    lazy = replace(
        ONNX, candidate="torch compile", engine="torch", request=latency(10 * US), processes=tuple(processes)
    )
    of_option = replace(lazy, options={"compile": "yes"})
    assert note_compilations([ONNX, lazy])[1].compilation is None
    assert note_compilations([ONNX, of_option])[1].compilation == Compilation(
        5 * S, ONNX.candidate, ONNX.model.path, 490_000
    )


def test_where_another_is_as_fast_it_never_pays() -> None:
    assert note_compilations([ONNX, compiled(20 * US)])[1].compilation == Compilation(
        5 * S, ONNX.candidate, ONNX.model.path, None
    )
    assert note_compilations([compiled(20 * US)])[0].compilation == Compilation(5 * S)
    other_batch = replace(ONNX, batch=64)
    assert note_compilations([other_batch, compiled(US)])[1].compilation == Compilation(5 * S)


def test_it_is_a_column_and_a_sentence_where_an_engine_compiles() -> None:
    results = note_compilations([FRAME, ONNX, compiled(10 * US)])
    assert {"compile", "pays_after"} <= select_columns(report(*results), False).keys()
    assert "compile" not in select_columns(report(FRAME, ONNX), False)
    (groups,) = group_results(results, SETTINGS)
    cells = fill_line(results[2], groups[0], SETTINGS).cells
    assert (cells["compile"], cells["pays_after"]) == ("5.0 s", "490,000 req")
    texts = [sentence.text for sentence in describe_model(groups)]
    assert (
        "lleaves takes 5.0 s to compile the model, which has paid for itself against onnxruntime after about 490,000 "
        "requests."
    ) in texts
    slow = note_compilations([FRAME, ONNX, compiled(30 * US)])
    (groups,) = group_results(slow, SETTINGS)
    assert any("does not pay: onnxruntime answers as fast" in s.text for s in describe_model(groups))
