"""What a sweep over batch sizes shows: who leads where, and at which size the lead changes hands."""

from collections.abc import Sequence

from infer_bench.reporters.bench.crossover import (
    Crossover,
    count_processes,
    find_crossovers,
    find_leader,
    list_rated,
    name_size,
)
from infer_bench.reporters.bench.groups import BatchGroup
from infer_bench.reporters.bench.sentences.sentence import enumerate_names
from infer_bench.reporters.text import numbers


def describe_sweep(groups: Sequence[BatchGroup]) -> str:
    """One sentence, as far as the intervals show it; empty for one batch size, candidate or process."""
    if len(groups) < 2 or max(len(list_rated(group)) for group in groups) < 2:
        return ""
    if any(count_processes(result) < 2 for group in groups for result in list_rated(group)):
        return ""
    crossovers = find_crossovers(groups)
    if crossovers:
        return f"{'; '.join(map(_tell, crossovers))}."
    leads = {group.batch: leader for group in groups if (leader := find_leader(group)) is not None}
    if not leads:
        return "No candidate is shown to overtake another: intervals overlap."
    (leader,) = set(leads.values())
    if len(leads) == len(groups):
        return f"{leader} leads at every batch size."
    sizes, others = (
        enumerate_names([numbers.count(group.batch) for group in groups if (group.batch in leads) is led])
        for led in (True, False)
    )
    return f"{leader} leads at batch {sizes}; at {others} intervals overlap."


def _tell(crossover: Crossover) -> str:
    last, first = numbers.count(crossover.last), numbers.count(crossover.first)
    text = f"{crossover.before} leads at batch {last} and {crossover.after} from {first} on"
    if crossover.batch is None:
        return text
    about, low, high = map(name_size, (crossover.batch, crossover.low, crossover.high))
    return f"{text}: they cross at about {about} ({low}–{high})"
