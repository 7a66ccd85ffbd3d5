"""The candidate's grammar: what it writes it reads, and what it cannot read it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infer_bench.errors import UsageError
from infer_bench.measure.candidates.spec import CandidateSpec, parse

KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)
OPTIONS = st.dictionaries(KEYS.filter(lambda key: key != "function"), st.text(max_size=8), max_size=4)
PARTS = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)


@given(st.from_regex(r"[a-z][a-z0-9_.-]{0,9}", fullmatch=True).filter(lambda n: n != "callable"), OPTIONS)
def test_an_engine_round_trips(engine: str, options: dict[str, str]) -> None:
    candidate = CandidateSpec(engine, options)
    assert parse(candidate.text) == candidate


@given(st.lists(PARTS, min_size=1, max_size=3), PARTS, OPTIONS)
def test_a_function_round_trips(package: list[str], name: str, options: dict[str, str]) -> None:
    target = f"{'.'.join(package)}:{name}"
    candidate = CandidateSpec("callable", {"function": target, **options})
    assert candidate.target == target
    if package != ["callable"]:
        assert parse(candidate.text) == candidate


def test_the_text_is_canonical() -> None:
    assert parse(" onnxruntime:threads=1,feed=ndarray ").text == "onnxruntime:feed=ndarray,threads=1"
    assert parse("lightgbm") == CandidateSpec("lightgbm")
    spec = parse("service.app:predict:call=list")
    assert (spec.engine, spec.target, spec.options["call"]) == ("callable", "service.app:predict", "list")
    assert spec.text == "service.app:predict:call=list"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "lightgbm:",
        "lightgbm:=x",
        "lightgbm:a=1,a=2",
        "lightgbm:a=1,,b=2",
        "a b:c=1",
        "x:1y",
        "p.:f",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)
