"""Texts that a column is drawn from where the reference takes any."""

import numpy as np

from infer_bench.data import Table
from infer_bench.measure.validate.probes.known_texts import with_known_texts
from infer_bench.model import Feature, ModelSpec

SPEC = ModelSpec("raw", (Feature("job", "string"), Feature("age")), ("output",))
ROWS = Table({"job": np.array(["cook", None, "nurse", "cook"], dtype=object), "age": np.arange(4.0)})


def examples(spec: ModelSpec) -> tuple[str, ...]:
    return spec.features[0].examples


def test_those_of_a_candidate_go_before_those_of_the_rows() -> None:
    other = Feature("job", "category", ("clerk", 3, "cook"))
    assert examples(with_known_texts(SPEC, [("job", other), ("age", Feature("age"))], ROWS)) == ("clerk", "cook")
    assert examples(with_known_texts(SPEC, [], ROWS)) == ("cook", "nurse")
    assert examples(with_known_texts(SPEC, [], None)) == ()


def test_what_the_reference_knows_stays() -> None:
    own = ModelSpec("raw", (Feature("job", "string", examples=("a",)),), ("output",))
    assert with_known_texts(own, [("job", Feature("job", "category", ("b",)))], ROWS) == own
    assert examples(with_known_texts(own, [("job", Feature("job", "category", ("b",)))], ROWS)) == ("a",)
