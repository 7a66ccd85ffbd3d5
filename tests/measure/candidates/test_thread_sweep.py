"""Candidates with each number of threads of a sweep."""

import pytest

from infer_bench.cli.main import run
from infer_bench.errors import UsageError
from infer_bench.measure.candidates.candidates import plan_candidates
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef

MODEL = ModelRef("model.txt", "lightgbm", "lightgbm-text", "0", 1)


def labels(*texts: str) -> list[str]:
    return [plan.label for plan in plan_candidates([MODEL], texts, 1, (1, 2))]


def test_a_candidate_stands_there_once_for_each_number_unless_it_names_its_own() -> None:
    assert labels("lightgbm:feed=ndarray", "onnxruntime:threads=4", "math:sqrt") == [
        "lightgbm:feed=ndarray,threads=1",
        "lightgbm:feed=ndarray,threads=2",
        "onnxruntime:threads=4",
        "math:sqrt",
    ]


def test_usual_candidates_stay_optional() -> None:
    plans = plan_candidates([MODEL], (), 1, (1, 2))
    assert len({plan.label for plan in plans}) == 2 * len(plan_candidates([MODEL], (), 1))
    assert not any(plan.explicit for plan in plans)


@pytest.mark.parametrize("counts", [(1, 1), (0, 2), (1, 5000)])
def test_a_sweep_is_of_different_numbers(counts: tuple[int, ...]) -> None:
    with pytest.raises(UsageError):
        Settings(thread_sweep=counts)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--threads", "1,x"], "threads: '1,x' is not a list of numbers"),
        (["--threads", "1,2", "--against", "old.txt"], "a gate takes one number of threads"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_one_line(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "model.txt", *options]) == 2
    assert says in capsys.readouterr().err
