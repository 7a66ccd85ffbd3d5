"""A model in every format that it can take."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infer_bench.cli.main import run as run_command
from infer_bench.errors import EngineError, UsageError
from infer_bench.formats.identify import identify
from infer_bench.measure.bench import measuring
from infer_bench.measure.bench import run as bench
from infer_bench.measure.bench.left_out import note_left_out
from infer_bench.measure.forms import make
from infer_bench.measure.forms import run as forms
from infer_bench.measure.forms.traits import CODE_FORMATS, find_languages, find_modules
from infer_bench.measure.schedule.measurements import Measurements
from infer_bench.measure.schedule.starts import StartTooLate
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.progress import Silent
from infer_bench.report.bench import BenchReport, FormTraits
from infer_bench.reporters.registry import render
from infer_bench.workers.tasks.loaded_packages import ListPackages, list_packages
from infer_bench.workers.tasks.model_forms import WriteForms, write_forms
from tests import reports
from tests.fakes import FakeClock
from tests.measure.fake_layouts import S, candidate


@pytest.fixture(scope="module")
def boosted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lightgbm = pytest.importorskip("lightgbm")
    rows = np.random.default_rng(0).normal(size=(200, 3))
    model = lightgbm.train({"verbose": -1}, lightgbm.Dataset(rows, rows[:, 0]), 3)
    path = tmp_path_factory.mktemp("forms") / "m.txt"
    model.save_model(path)
    return path


def test_each_format_but_its_own_is_written_and_is_what_it_says(boosted: Path, tmp_path: Path) -> None:
    form_files = write_forms(WriteForms(identify(boosted), str(tmp_path), False))
    assert form_files.failures == {}
    assert {form: identify(path).family for form, path in form_files.paths.items()} == {
        "pickle": "lightgbm",
        "joblib": "lightgbm",
    }
    back = write_forms(WriteForms(identify(form_files.paths["pickle"]), str(boosted.parent), False))
    assert set(back.paths) == {"lightgbm-text", "joblib"}


def test_an_estimator_takes_skops_and_no_format_of_trees(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    linear = pytest.importorskip("sklearn.linear_model")
    path = tmp_path / "m.joblib"
    joblib.dump(linear.LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]), path)
    form_files = write_forms(WriteForms(identify(path), str(tmp_path), False))
    assert {form: identify(file).format for form, file in form_files.paths.items()} == {
        "pickle": "pickle",
        "skops": "skops",
    }


def test_a_format_that_fails_costs_itself_alone(boosted: Path, tmp_path: Path) -> None:
    (tmp_path / "m.pickle").mkdir()
    form_files = write_forms(WriteForms(identify(boosted), str(tmp_path), False))
    assert set(form_files.paths) == {"joblib"}
    assert "directory" in form_files.failures["pickle"]


def test_packages_are_those_that_were_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ["junitparser", *(name for name in sys.modules if name.startswith("junitparser."))]:
        monkeypatch.setitem(sys.modules, name, None)  # as a worker keeps it from being imported
    sizes = list_packages(ListPackages(("numpy", "infer_bench", "junitparser"))).bytes_by_name
    assert sizes["numpy"] > 1_000_000
    assert not {"infer-bench", "junitparser"} & sizes.keys()


def test_what_is_imported_because_it_is_there_is_no_need() -> None:
    pytest.importorskip("scipy.stats")
    pytest.importorskip("pandas")
    assert set(list_packages(ListPackages(("scipy",))).bytes_by_name) == {"scipy", "numpy"}
    assert list_packages(ListPackages(("no_such_module",))).bytes_by_name == {}


def test_a_file_needs_the_libraries_of_its_objects(boosted: Path, tmp_path: Path) -> None:
    form_files = write_forms(WriteForms(identify(boosted), str(tmp_path), False)).paths
    assert find_modules(identify(boosted), {"feed": "dataframe"}, ("lightgbm",)) == ("lightgbm", "pandas")
    assert {"sklearn", "lightgbm"} <= set(find_modules(identify(form_files["joblib"]), {}, ("sklearn",)))


def test_a_skops_file_names_its_modules(tmp_path: Path) -> None:
    skops, linear = pytest.importorskip("skops.io"), pytest.importorskip("sklearn.linear_model")
    skops.dump(linear.LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]), tmp_path / "m.skops")
    assert {"skops", "sklearn", "numpy"} <= set(find_modules(identify(tmp_path / "m.skops"), {}, ()))


def test_files_of_the_user_are_not_written_over(boosted: Path, tmp_path: Path) -> None:
    (tmp_path / "m.old").write_text("mine")
    with pytest.raises(UsageError, match=r"m\.old is there already"):
        make.make_forms(identify(boosted), tmp_path, None, Settings(), Silent())
    with pytest.raises(UsageError, match="no file that has forms"):
        make.make_forms(ModelRef("a:b", "callable", "python", "", 0), tmp_path, None, Settings(), Silent())


def test_each_form_is_opened_by_the_library_that_reads_it(
    boosted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, Any]] = []
    saves: list[BenchReport] = []
    plain = reports.report(*(replace(r, failed="not measured here") for r in reports.credit()))
    results = tuple(replace(r, model=replace(r.model, path=str(boosted))) for r in plain.results)

    def measure(paths: Any, **how: Any) -> BenchReport:
        calls.append({"paths": paths, **how})
        return replace(plain, results=results)

    monkeypatch.setattr(make, "_convert", lambda model, folder, dtype, *more: str(boosted))
    monkeypatch.setattr(bench, "run", measure)
    settings = Settings(forms=True, keep_forms=str(tmp_path / "kept"))
    forms.run([str(boosted)], data=None, candidates=(), settings=settings, save=saves.append)
    interpreter = ["treelite"] if importlib.util.find_spec("treelite") else []
    assert calls[0]["candidates"] == ["lightgbm", *interpreter]
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["m.joblib", "m.pickle"]
    assert len(saves) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--keep", "here"], "--keep keeps the forms"),
        (["--forms", "--limit", "p99<5ms"], "--forms goes with a plain run"),
        (["--forms", "-e", "lightgbm"], "--forms takes one model"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    options: list[str], says: str, boosted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["bench", str(boosted), *options]) == 2
    assert says in capsys.readouterr().err


def test_the_table_says_what_loading_needs() -> None:
    traits = FormTraits({"numpy": 60_000_000, "scikit-learn": 40_000_000}, "joblib" in CODE_FORMATS, ("Python",))
    report = reports.report(*(replace(r, form=traits) for r in reports.credit()), settings={"forms": True})
    text = render(report, "table")
    head, first, *_ = text.splitlines()[2:]
    assert head.split()[-5:] == ["needs", "runs", "code", "read", "by"]
    assert first.split()[-7:] == ["100", "MB", "in", "2", "packages", "yes", "Python"]
    assert "p99" not in head


def test_languages() -> None:
    assert "JavaScript" in find_languages("onnx")
    assert find_languages("skops") == ("Python",)


def test_a_network_takes_smaller_forms(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    networks = pytest.importorskip("tests.tensor_networks")
    graph = "net (float[n, 64] x) => (float[n, 5] y) { h = MatMul(x, w1) r = Relu(h) y = MatMul(r, w2) }"
    path, rows = networks.save_graph(tmp_path / "net.onnx", graph, networks.sequence_weights()), tmp_path / "rows.npz"
    np.savez(rows, x=np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32))
    for folder in ("kept", "other"):
        (tmp_path / folder).mkdir()
    paths, notices = make.make_forms(identify(path), tmp_path / "kept", str(rows), Settings(), Silent())
    assert [Path(path).name for path in paths] == ["net.onnx", "net.float16.onnx", "net.int8.onnx"]
    assert notices == []
    assert Path(paths[2]).stat().st_size < Path(paths[1]).stat().st_size < path.stat().st_size
    _, (notice,) = make.make_forms(identify(path), tmp_path / "other", None, Settings(), Silent())
    assert (notice.message, notice.hint) == (
        "no form int8: its ranges are those of your requests",
        "give them with --data",
    )


def test_why_trees_have_no_int8_is_background(boosted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "_convert", lambda model, folder, dtype, *more: str(boosted))
    _, (notice,) = make.make_forms(identify(boosted), tmp_path, None, Settings(), Silent())
    assert notice.level == "note"
    assert notice.message == "no form int8: it makes trees and linear models neither smaller nor faster"


def test_what_is_known_of_a_format_is_said_beyond_the_budget(
    boosted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = reports.report(*reports.credit()[:1])
    result = replace(plain.results[0], model=replace(plain.results[0].model, path=str(boosted)))
    monkeypatch.setattr(make, "_convert", lambda model, folder, dtype, *more: str(boosted))
    monkeypatch.setattr(bench, "run", lambda paths, **how: replace(plain, results=(result,)))
    settings = Settings(forms=True, keep_forms=str(tmp_path / "kept"), budget_s=1e-9)
    report = forms.run([str(boosted)], data=None, candidates=(), settings=settings)
    assert report.results[0].form == FormTraits({}, False, find_languages("lightgbm-text"))
    assert report.notices[-1].code == "needs-unknown"
    assert "in 0 packages" not in render(report, "table", width=200)


def test_a_budget_counts_from_when_the_forms_are_there(boosted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, load, begins, saves = FakeClock(), measuring._load_rows, list[int](), list[BenchReport]()

    def load_rows(*arguments: Any) -> Any:
        clock.spend(99 * S)
        return load(*arguments)

    def schedule(*arguments: Any) -> Any:
        begins.append(arguments[-2])
        raise KeyboardInterrupt

    monkeypatch.setattr(measuring, "time", SimpleNamespace(perf_counter_ns=clock))
    monkeypatch.setattr(measuring, "_load_rows", load_rows)
    monkeypatch.setattr(measuring, "_schedule", schedule)
    settings = Settings(forms=True, budget_s=10)
    with pytest.raises(KeyboardInterrupt):
        bench.run(
            [str(boosted)],
            data=None,
            candidates=["lightgbm"],
            settings=settings,
            begin_ns=clock.now,
            ready=saves.append,
        )
    assert begins == [clock.now]
    (notice,) = [notice for notice in saves[0].notices if notice.code == "forms-made"]
    assert notice.message == "making the forms and opening each once took 99 s, beside the budget of 10 s"


def test_forms_without_time_are_left_out_in_one_notice() -> None:
    forms = [replace(candidate("fake", f"m.{form}"), explicit=False) for form in ("txt", "pickle", "onnx")]
    late = {form.key: StartTooLate(10) for form in forms}
    measurements = Measurements(forms, [1], {forms[1].key: late[forms[1].key]}, models_explicit=False)
    (single,) = note_left_out(measurements, several=True)
    assert (single.candidate, single.model) == ("fake", "m.pickle")
    measurements.failures |= {forms[2].key: late[forms[2].key]}
    (notice,) = note_left_out(measurements, several=True)
    text = "it took too long to start for a budget of 10 s"
    assert notice.message == f"m.pickle (fake), m.onnx (fake) left out: {text}"
    assert Measurements(forms, [1], measurements.failures).left_out == []
    assert Measurements(forms, [1], late, models_explicit=False).left_out == []
    broken = Measurements(forms, [1], {forms[1].key: EngineError("wants text")}, models_explicit=False)
    assert broken.left_out == []


def test_an_exported_program_is_written_as_a_script_whose_code_may_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    path, folder = tmp_path / "net.pt2", tmp_path / "kept"
    axes = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(torch.nn.Linear(3, 2).eval(), (torch.ones(2, 3),), dynamic_shapes=axes), path)
    calls: list[Settings] = []

    def measure(paths: Any, settings: Settings, **how: Any) -> BenchReport:
        calls.append(settings)
        assert [identify(path).format for path in paths] == ["torch-pt2", "torchscript"]
        return replace(reports.report(), results=(), settings={"allow_pickle": settings.allow_pickle})

    monkeypatch.setattr(make, "_list_inputs", lambda model: ())
    monkeypatch.setattr(bench, "run", measure)
    report = forms.run([str(path)], data=None, candidates=(), settings=Settings(forms=True, keep_forms=str(folder)))
    assert (calls[0].allow_pickle, report.settings["allow_pickle"]) == (True, False)
    assert find_modules(identify(folder / "net.pt"), {}, ("torch",)) == ("torch",)
    assert "torchscript" in CODE_FORMATS
