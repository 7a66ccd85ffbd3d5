"""The table of libraries agrees with the engines, with what pyproject.toml installs and with itself."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infer_bench import libraries
from infer_bench.engines import registry
from infer_bench.errors import UsageError
from infer_bench.libraries import LIBRARIES, PACKAGES, ModelLibrary
from infer_bench.measure.candidates.candidates import default_candidates, usual_candidate
from infer_bench.model import ModelRef

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_each_engine_stands_once_and_under_the_target_of_its_entry_point() -> None:
    engines = [library.engine for library in LIBRARIES]
    families = [library.family for library in LIBRARIES if library.family]

    assert len(set(engines)) == len(engines)
    assert len(set(families)) == len(families)
    assert {library.engine: library.target for library in LIBRARIES} == PROJECT["entry-points"][registry.GROUP]


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.engine)
def test_the_engine_says_the_same_of_itself(library: ModelLibrary) -> None:
    engine = registry.load(library.target)

    assert (engine.name, engine.extra) == (library.engine, library.extra)
    assert (set(engine.formats), engine.requires) == (set(library.formats), library.requires)
    assert not library.extra or library.extra in PROJECT["optional-dependencies"]
    assert not library.feed or library.feed in engine.options["feed"].choices
    assert "api" in engine.options or not library.calls.keys() - {""}


def test_the_versions_of_all_engines_stand_in_a_report() -> None:
    assert {package for library in LIBRARIES for package in library.packages} <= set(PACKAGES)
    assert len(set(PACKAGES)) == len(PACKAGES)


def test_a_module_is_known_by_its_first_part() -> None:
    library = libraries.of_module("sklearn.ensemble._forest")

    assert library is not None
    assert library.family == "sklearn"
    assert libraries.of_module("no_such_library.model") is None


def test_a_family_from_outside_has_the_engines_that_open_its_format() -> None:
    model = ModelRef("/m.onnx", "outside", "onnx", "", 0)

    assert "onnxruntime" in default_candidates(model)
    assert usual_candidate(model) in default_candidates(model)
    with pytest.raises(UsageError, match=r"no engine opens m\.outside \(outside-file\)"):
        usual_candidate(ModelRef("/m.outside", "outside", "outside-file", "", 0))


def test_reading_the_table_imports_nothing_heavy() -> None:
    code = "import sys; from infer_bench import libraries; print({'numpy', 'msgspec', 'typer'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert process.stdout.strip() == "set()"
