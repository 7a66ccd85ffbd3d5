"""A network's answers beside what a model gives for the same requests, output by output."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np

from infer_bench.measure.load.expected_outputs import ExpectedOutputs
from infer_bench.measure.load.recorded_answers import AnswerCounts, RecordedTensor
from infer_bench.measure.outputs.group import NetworkGroup
from infer_bench.measure.outputs.names import pair_names
from infer_bench.report.load import AnswerComparison
from infer_bench.stats.agreement.tensors.named_predictions import NamedArrays, NamedPredictions
from infer_bench.typing import Array
from infer_bench.workers.tasks.network_outputs import EMPTY

_MOST_ANSWERS = 64
"""So many are compared at a time."""


class _Answer(NamedTuple):
    """An answer to the request at a `place` of its block, and how many `times` it was given."""

    place: int
    outputs: Mapping[str, Array]
    times: int


def compare_tensor_answers(counts: AnswerCounts, expected: ExpectedOutputs) -> AnswerComparison:
    """How many answers differ, by the rule by which `validate` compares networks, in which outputs and by how much."""
    group, times, start = NetworkGroup("answers", expected.limits), list[int](), 0
    for block in expected.blocks:
        answers = _answers_to(counts, start, block.requests)
        while part := list(islice(answers, _MOST_ANSWERS)):
            group.add(_select(block, [answer.place for answer in part]), _as_predictions(part, list(block.outputs)))
            times += [answer.times for answer in part]
        start += block.requests
    outputs = group.comparison.outputs.values()
    names = [output.name for output in outputs if output.failing(expected.limits)]
    return AnswerComparison(
        expected.model,
        sum(times),
        sum(times[number] for number in group.failing),
        max((float(output.tally.max_abs) for output in outputs), default=None),
        expected.limits.atol,
        outputs=(*names, *group.comparison.missing),
    )


def _answers_to(counts: AnswerCounts, start: int, requests: int) -> Iterator[_Answer]:
    """Each answer to the requests of a block, the first of which has the number `start`."""
    for place in range(requests):
        for answer, count in counts.get(start + place, {}).items():
            tensors = [tensor for tensor in answer if isinstance(tensor, RecordedTensor)]
            yield _Answer(place, {tensor.name: tensor.array for tensor in tensors}, count)


def _as_predictions(answers: Sequence[_Answer], reference: Sequence[str]) -> NamedPredictions:
    """The outputs under the names by which the model has them."""
    names = list(dict.fromkeys(name for answer in answers for name in answer.outputs))
    columns = {name: [answer.outputs.get(name, EMPTY) for answer in answers] for name in names}
    pairs = pair_names(reference, names)
    return NamedPredictions(
        {pairs[name]: column for name, column in columns.items()}, np.zeros(len(answers), dtype=np.bool_)
    )


def _select(block: NamedPredictions, places: Sequence[int]) -> NamedPredictions:
    """The predictions for the requests at these places, one of which may stand there several times."""

    def pick(arrays: NamedArrays) -> NamedArrays:
        return {name: [values[place] for place in places] for name, values in arrays.items()}

    yardstick = block.yardstick
    if yardstick is not None:
        shaken = [pick(draw) for draw in yardstick.shaken]
        yardstick = replace(yardstick, exact=pick(yardstick.exact), shaken=shaken, sizes=yardstick.sizes[list(places)])
    return replace(block, outputs=pick(block.outputs), refusals=block.refusals[list(places)], yardstick=yardstick)
