"""What is said where two networks that are compared do not take the same inputs."""

from collections.abc import Sequence

import pytest

from infer_bench.measure.outputs.unlike_inputs import note_inputs
from infer_bench.model import TensorInput


def inputs(names: str) -> Sequence[TensorInput]:
    """Those behind a question mark have a default."""
    return [TensorInput(n.strip("?"), "float32", ("n", 3, 4), 0, optional=n[0] == "?") for n in names.split()]


@pytest.mark.parametrize(
    ("own", "reference", "fed", "sentences"),
    [
        ("x mask", "x mask", "x mask", []),
        ("x ?bias", "x ?bias", "x", []),
        ("z", "x", "x", []),
        ("x", "x mask", "x mask", ["m has no input 'mask': it answered without what the reference was fed there"]),
        ("x", "x ?bias", "x", ["m has no input 'bias', of which the reference took the default"]),
        ("x ?bias", "x", "x", ["m has the input 'bias' beside the reference's, and took the default of it"]),
        ("z ?bias", "x", "x", ["m has the input 'bias' beside the reference's, and took the default of it"]),
        ("a b", "x mask", "x mask", ["m calls its inputs otherwise, and they were fed in order: a as x, b as mask"]),
        ("", "x mask", "x mask", []),
    ],
)
def test_inputs_of_one_side_are_named_with_how_it_is_fed(
    own: str, reference: str, fed: str, sentences: Sequence[str]
) -> None:
    notices = note_inputs(inputs(own), inputs(reference), fed.split(), "m")
    assert [notice.message for notice in notices] == sentences
