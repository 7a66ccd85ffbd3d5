"""Plug-ins are found without being imported, and a broken one is named."""

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from infer_bench import plugins
from infer_bench.errors import CannotRun, UsageError

REPORTERS = "infer_bench.reporters"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group with a plug-in that works and some that do not."""
    values = {
        "good": "fractions:Fraction",
        "absent": "no_such_module:X",
        "empty": "fractions:Nothing",
        "bad": "this is",
    }
    points = EntryPoints(EntryPoint(name, value, "some.things") for name, value in values.items())
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points.select(group=group))


def test_the_reporters_of_infer_bench_are_plug_ins() -> None:
    reporters = plugins.load(REPORTERS)

    assert set(reporters) >= {"table", "json", "markdown", "csv"}
    assert plugins.names(REPORTERS) == tuple(sorted(reporters))


def test_a_target_is_told_without_importing_it() -> None:
    sys.modules.pop("infer_bench.reporters.formats.csv", None)

    assert plugins.target(REPORTERS, "csv") == "infer_bench.reporters.formats.csv:Csv"
    assert "infer_bench.reporters.formats.csv" not in sys.modules


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no reporter 'xml'") as caught:
        plugins.find(REPORTERS, "xml")

    assert caught.value.hint == f"known: {', '.join(plugins.names(REPORTERS))}"
    assert {"csv", "json", "markdown", "table"} <= set(plugins.names(REPORTERS))


def test_a_group_without_plug_ins() -> None:
    assert plugins.names("infer_bench.nothing") == ()
    with pytest.raises(UsageError, match="none is installed"):
        plugins.target("infer_bench.nothing", "x")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["absent", "empty", "bad"])
def test_a_broken_plug_in_is_named_and_spares_the_others(name: str) -> None:
    with pytest.raises(CannotRun, match=f"plug-in {name} ") as caught:
        plugins.find("some.things", name)

    assert "\n" not in str(caught.value)
    assert plugins.find("some.things", "good").__name__ == "Fraction"  # type: ignore[attr-defined]
