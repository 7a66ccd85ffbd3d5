"""What is said of where a request's time goes."""

from infer_bench.reporters.bench.groups import BatchGroup, share_phases
from infer_bench.reporters.bench.sentences.sentence import Sentence, read_options, say_batch
from infer_bench.reporters.text import numbers

MOST = 0.5
"""The share of a request from which on a phase is called its bottleneck."""

_REQUESTS = {"dataframe": "DataFrame request", "ndarray": "array request", "packed": "packed request"}


def find_bottleneck(group: BatchGroup) -> list[Sentence]:
    """Said of the reference's request only: what is left to win by changing the engine."""
    reference = group.reference
    if reference is None or reference.phases is None or reference.failed:
        return []
    phase, share = max(share_phases(reference.phases).items(), key=lambda item: item[1])
    if phase == "predict" or share <= MOST:
        return []
    feed = _REQUESTS.get(read_options(reference).get("feed", ""), f"{reference.engine} request")
    part = numbers.percent(share)
    return [Sentence(f"{part} of the {feed} is {phase}{say_batch(group)}: the engine is not the bottleneck.")]
