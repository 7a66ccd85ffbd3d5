"""`quantize` on networks trained here: what is written is what was judged, and faults that are planted show."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from infer_bench.errors import DataError, NotConvertible, UsageError
from infer_bench.measure.quantize import times
from infer_bench.measure.quantize.network_tools import NetworkTools
from infer_bench.measure.quantize.run import quantize
from infer_bench.measure.quantize.settings import QuantizeLimits, QuantizeSettings
from infer_bench.report.quantize import QuantizeReport, QuantizeResult
from infer_bench.report.serialize import dump, load_report
from infer_bench.request_choices import parse_choices
from tests.networks import TRAINING, digits, save_convolutional, save_full

QUICK = QuantizeSettings(time_forms=False)


@pytest.fixture
def rows(tmp_path: Path) -> str:
    pixels, labels = digits()
    np.savez(tmp_path / "rows.npz", x=pixels[TRAINING:])
    np.savez(tmp_path / "images.npz", x=pixels[TRAINING:].reshape(-1, 1, 8, 8))
    np.save(tmp_path / "labels.npy", labels[TRAINING:])
    return str(tmp_path / "rows.npz")


def run(path: str, pixels: Any) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": pixels})[0]


def forms(report: QuantizeReport) -> dict[str, QuantizeResult]:
    return {result.form: result for result in reversed(report.results)}


def test_what_is_written_is_what_was_judged(rows: str, tmp_path: Path) -> None:
    model = save_full(tmp_path / "n.onnx")
    settings = replace(QUICK, limits=QuantizeLimits(max_delta=0.1, max_flips=0.05))
    report = quantize(
        str(model), str(tmp_path / "s.onnx"), data=rows, labels=str(tmp_path / "labels.npy"), settings=settings
    )
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("pass", 0)
    (written,) = [result for result in report.results if result.output]
    assert written.output is not None
    assert written.output.bytes == (tmp_path / "s.onnx").stat().st_size == written.bytes
    assert written.bytes < 0.4 * model.stat().st_size
    pixels, labels = digits()
    before, after = run(str(model), pixels[TRAINING:]), run(str(tmp_path / "s.onnx"), pixels[TRAINING:])
    assert 0 < np.abs(before - after).max() < 0.1
    original = report.results[0]
    assert original.quality is not None
    assert original.quality.accuracy == pytest.approx(np.mean(before.argmax(1) == labels[TRAINING:]), abs=0.02)
    assert dump(load_report(dump(report))) == dump(report)


def test_every_form_is_counted_timed_and_compared(rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "PROCESSES", 2)
    monkeypatch.setattr(times, "ROUNDS", 3)
    model = save_convolutional(tmp_path / "n.onnx")
    settings = QuantizeSettings(limits=QuantizeLimits(max_delta=1.0), batch=32)
    report = quantize(str(model), None, data=str(tmp_path / "images.npz"), settings=settings)
    assert (tmp_path / "n.small.onnx").is_file()
    for result in report.results[1:]:
        assert result.failed is None
        assert [entry.quantised for entry in result.layers] == [2, 1]
        assert result.max_abs_delta is not None
        assert 0 < result.max_abs_delta < 0.5
        assert result.quality is None
        assert [time.batch for time in result.times] == [1, 32]
        assert all(time.low is not None and time.low <= time.ratio for time in result.times)
    assert forms(report)["dynamic"].batch_invariant is False
    assert forms(report)["float16"].batch_invariant is True


def test_nothing_is_written_where_every_form_breaks_a_limit(rows: str, tmp_path: Path) -> None:
    model = save_full(tmp_path / "n.onnx")
    settings = replace(QUICK, limits=QuantizeLimits(max_delta=1e-7))
    report = quantize(str(model), str(tmp_path / "s.onnx"), data=rows, settings=settings)
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("different", 4)
    assert not (tmp_path / "s.onnx").exists()
    assert all(check.outcome == "broken" for result in report.results[1:] for check in result.checks)
    assert len(forms(report)["u8s8"].blame) == 3
    assert all(not result.blame or result.saturates for result in report.results[3:])


def test_too_few_rows_cannot_tell(rows: str, tmp_path: Path) -> None:
    model = save_full(tmp_path / "n.onnx")
    np.savez(tmp_path / "few.npz", x=digits()[0][TRAINING : TRAINING + 100])
    report = quantize(str(model), None, data=str(tmp_path / "few.npz"), settings=QUICK)
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("inconclusive", 3)
    assert "cannot tell with 75 rows" in report.verdict.reasons[0]
    assert "it takes 477 at the least" in report.verdict.reasons[0]
    assert not (tmp_path / "n.small.onnx").exists()


def test_rows_of_another_scale_are_caught(rows: str, tmp_path: Path) -> None:
    """Calibrated on pixels from 0 to 1/255 and served from 0 to 1, the network is blind."""
    model = save_full(tmp_path / "n.onnx")
    pixels, _ = digits()
    np.savez(tmp_path / "dark.npz", x=pixels[:200] / 255)
    settings = replace(QUICK, limits=QuantizeLimits(max_drop=0.05))
    report = quantize(
        str(model), str(tmp_path / "s.onnx"), data=str(tmp_path / "dark.npz"), judge=rows,
        labels=str(tmp_path / "labels.npy"), settings=settings,
    )  # fmt: skip
    assert "calibration-range" in [notice.code for notice in report.notices]
    blind = forms(report)["u8s8"]
    assert blind.quality is not None
    assert blind.quality.accuracy < 0.5
    assert blind.checks[0].outcome == "broken"
    assert forms(report)["float16"].checks[0].outcome == "pass"


def test_a_file_that_saturates_is_judged_by_both_kinds_of_cpu(
    rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a CPU without VNNI does is played: every int8 file is off by 0.5 unless it is run precisely."""
    run_plainly = NetworkTools.run

    def run_saturating(tools: NetworkTools, path: str, *args: Any, precise: bool = False, **kwargs: Any) -> Any:
        outputs = run_plainly(tools, path, *args, precise=precise, **kwargs)
        small = "u8s8.onnx" in path and not precise
        return {name: array + np.float32(0.5) for name, array in outputs.items()} if small else outputs

    monkeypatch.setattr(NetworkTools, "run", run_saturating)
    model = save_full(tmp_path / "n.onnx")
    settings = replace(QUICK, limits=QuantizeLimits(max_delta=0.3))
    report = quantize(str(model), str(tmp_path / "s.onnx"), data=rows, settings=settings)
    saturating, reduced = forms(report)["u8s8"], forms(report)["u8s8-reduced"]
    assert saturating.saturates
    assert saturating.checks[0].outcome == "broken"
    assert saturating.precise_max_abs_delta is not None
    assert saturating.precise_max_abs_delta < 0.3
    assert not reduced.saturates
    assert reduced.checks[0].outcome == "pass"


def test_saturation_is_what_this_cpu_does(rows: str, tmp_path: Path) -> None:
    """On whatever CPU: the two figures are those of ONNX Runtime with and without its precise kernels."""
    import onnxruntime

    model = save_convolutional(tmp_path / "n.onnx")
    settings = replace(QUICK, limits=QuantizeLimits(max_delta=1.0))
    report = quantize(str(model), str(tmp_path / "s.onnx"), data=str(tmp_path / "images.npz"), settings=settings)
    images = np.load(tmp_path / "images.npz")["x"]
    order = np.random.default_rng(0).permutation(len(images))
    judged = images[np.sort(order[min(len(images) // 4, 256) :])]
    before = run(str(model), judged)
    (written,) = [result for result in report.results if result.output]
    deltas = []
    for precise in "01":
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.x64quantprecision", precise)
        session = onnxruntime.InferenceSession(str(tmp_path / "s.onnx"), options, providers=["CPUExecutionProvider"])
        parts = [session.run(None, {"x": judged[i : i + 64]})[0] for i in range(0, len(judged), 64)]
        deltas.append(float(np.abs(np.concatenate(parts).astype(float) - before).max()))
    assert (written.max_abs_delta, written.precise_max_abs_delta) == pytest.approx(deltas, rel=1e-3)
    assert written.saturates == (deltas[0] > 2 * deltas[1])


def test_the_layers_that_need_it_stay_in_float32(rows: str, tmp_path: Path) -> None:
    """The first layer's weights of one unit are a thousand times the others: without scales a channel they vanish."""
    model = save_full(tmp_path / "n.onnx")
    graph = onnx.load(model)
    (first,) = [tensor for tensor in graph.graph.initializer if tensor.name == "w0"]
    weights = np.array(onnx.numpy_helper.to_array(first))
    weights[:, 0] = -400.0
    first.CopyFrom(onnx.numpy_helper.from_array(weights, "w0"))
    onnx.save(graph, model)
    settings = replace(QUICK, limits=QuantizeLimits(max_delta=0.2), exclude_auto=True)
    report = quantize(str(model), str(tmp_path / "s.onnx"), data=rows, settings=settings)
    plain, helped = [result for result in report.results if result.form == "u8u8"]
    assert plain.blame[0].layer == "first"
    assert plain.checks[0].outcome == "broken"
    assert helped.excluded == ("first",)
    assert helped.checks[0].outcome == "pass"
    by_hand = quantize(str(model), None, data=rows, settings=replace(settings, exclude=("first",), exclude_auto=False))
    assert forms(by_hand)["u8u8"].max_abs_delta == helped.max_abs_delta


def test_weights_beside_the_file_count_as_its_size(rows: str, tmp_path: Path) -> None:
    plain = save_full(tmp_path / "n.onnx")
    model = tmp_path / "beside.onnx"
    onnx.save(onnx.load(plain), model, save_as_external_data=True, location="weights.bin", size_threshold=0)
    settings = replace(QUICK, limits=QuantizeLimits(max_delta=1.0))
    report = quantize(str(model), None, data=rows, settings=settings)
    assert report.results[0].bytes == model.stat().st_size + (tmp_path / "weights.bin").stat().st_size
    assert forms(report)["u8u8"].bytes == forms(quantize(str(plain), None, data=rows, settings=settings))["u8u8"].bytes


@pytest.mark.parametrize("batch", [4, 64])
def test_a_fixed_batch_is_filled(batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = save_full(tmp_path / "n.onnx", batch=batch)
    np.savez(tmp_path / "rows.npz", x=digits()[0][: 8 * batch + 3])
    monkeypatch.setattr(times, "PROCESSES", 2)
    monkeypatch.setattr(times, "ROUNDS", 3)
    settings = QuantizeSettings(limits=QuantizeLimits(max_delta=1.0))
    report = quantize(str(model), None, data=str(tmp_path / "rows.npz"), settings=settings)
    assert report.settings["judging_rows"] % batch == report.settings["calibrating_rows"] % batch == 0
    assert all(result.failed is None and result.batch_invariant is None for result in report.results[1:])
    assert all([time.batch for time in result.times] == [batch] for result in report.results[1:])


def test_a_form_that_fails_costs_itself(rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = NetworkTools.write

    def write_or_fail(tools: NetworkTools, form: str, *args: Any) -> Any:
        if form == "u8u8":
            raise DataError("no such luck")
        return write(tools, form, *args)

    monkeypatch.setattr(NetworkTools, "write", write_or_fail)
    model = save_full(tmp_path / "n.onnx")
    settings = replace(QUICK, limits=QuantizeLimits(max_delta=1.0))
    report = quantize(str(model), None, data=rows, settings=settings)
    assert forms(report)["u8u8"].failed == "no such luck"
    assert report.verdict is not None
    assert report.verdict.status == "pass"


def test_every_form_that_fails_cannot_run(rows: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise DataError("no such luck")

    monkeypatch.setattr(NetworkTools, "write", fail)
    report = quantize(str(save_full(tmp_path / "n.onnx")), None, data=rows, settings=QUICK)
    assert report.verdict is not None
    assert (report.verdict.status, report.verdict.exit_code) == ("failed", 6)


def test_drawn_rows_never_judge_accuracy(tmp_path: Path) -> None:
    model = str(save_full(tmp_path / "n.onnx"))
    with pytest.raises(UsageError, match="rows to calibrate on"):
        quantize(model, settings=QUICK)
    with pytest.raises(UsageError, match="nothing says how much"):
        quantize(model, settings=replace(QUICK, allow_drawn=True))
    with pytest.raises(UsageError, match="are of drawn rows"):
        quantize(model, data="x.npz", settings=replace(QUICK, requests=parse_choices([], ["n=1"], [])))
    settings = replace(QUICK, allow_drawn=True, limits=QuantizeLimits(max_delta=1.0))
    report = quantize(model, settings=settings)
    assert report.settings["drawn"]
    assert "drawn-rows" in [notice.code for notice in report.notices]


def test_other_models_are_refused_with_what_to_do(rows: str, tmp_path: Path) -> None:
    samples = Path(__file__).parents[3] / "sample_models"
    with pytest.raises(NotConvertible, match="neither smaller nor faster") as refusal:
        quantize(str(samples / "credit.txt"), data=rows)
    assert "convert --precision float32" in refusal.value.hint
    with pytest.raises(NotConvertible, match="is a function"):
        quantize("package.module:function", data=rows)


@pytest.mark.parametrize("zipped", [True, False])
def test_networks_of_skl2onnx_are_quantised_behind_their_scaler(zipped: bool, tmp_path: Path) -> None:
    """`onnx` cannot tell what a Scaler gives, and ZipMap gives maps: both are compared like any other network."""
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pixels, labels = digits()
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((24,), random_state=0, early_stopping=True))
    pipeline.fit(pixels[:300], np.array(["even", "odd"])[labels[:300] % 2])
    model = to_onnx(pipeline, pixels[:1], options={} if zipped else {"zipmap": False})
    (tmp_path / "n.onnx").write_bytes(model.SerializeToString())
    np.save(tmp_path / "x.npy", pixels[TRAINING:])
    settings = replace(QUICK, limits=QuantizeLimits(max_delta=0.3))
    report = quantize(str(tmp_path / "n.onnx"), None, data=str(tmp_path / "x.npy"), settings=settings)
    for result in report.results[1:]:
        assert result.failed is None
        assert [entry.quantised for entry in result.layers] == [2]
        assert result.max_abs_delta is not None
        assert 0 < result.max_abs_delta < 0.3


def test_layers_that_are_none_and_limits_without_classes_are_usage(rows: str, tmp_path: Path) -> None:
    model = str(save_full(tmp_path / "n.onnx", last="Identity"))
    with pytest.raises(UsageError, match="no layer 'nothing'"):
        quantize(model, data=rows, settings=replace(QUICK, exclude=("nothing",)))
    with pytest.raises(UsageError, match="nothing says how much"):
        quantize(model, data=rows, settings=QUICK)
    with pytest.raises(UsageError, match="true classes"):
        quantize(model, data=rows, settings=replace(QUICK, limits=QuantizeLimits(max_drop=0.01)))
