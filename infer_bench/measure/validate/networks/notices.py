"""What is to be known of a comparison of networks besides its figures."""

from collections.abc import Iterator, Mapping

from infer_bench.measure.candidates.remarks import notices_of
from infer_bench.measure.outputs.unlike_inputs import note_inputs
from infer_bench.measure.validate.causes.precision import list_weights
from infer_bench.measure.validate.networks.saved_outputs import SavedOutputs
from infer_bench.measure.validate.networks.validation import NetworkCandidate, NetworkValidation
from infer_bench.report.common import Notice
from infer_bench.stats.agreement.rounding import SAME


def notices_on(validation: NetworkValidation) -> list[Notice]:
    """Of how outputs were paired, what measures rounding, and what looks like scores."""
    notices = [*validation.notices, *_note_measures(validation)]
    if isinstance(validation.reference, SavedOutputs):
        notices += _note_pairs(validation.reference.name, validation.reference.names)
    for candidate in validation.candidates:
        notices += [*_note_names(candidate), *_note_near(validation, candidate), *_note_unreached(candidate)]
        notices += _note_other_nodes(candidate)
        notices += [*_note_blank(candidate), *_note_inputs(validation, candidate)]
    notices += _note_scores(validation)
    return [*notices, *notices_of((predictor.name, predictor.spec) for predictor in validation.predictors)]


def _note_inputs(validation: NetworkValidation, candidate: NetworkCandidate) -> Iterator[Notice]:
    if candidate.error is None:
        fed = dict.fromkeys(name for requests in validation.requests for name in requests.table.names)
        predictor = candidate.predictor
        yield from note_inputs(predictor.spec.inputs, validation.inputs, fed, predictor.name)


def _note_measures(validation: NetworkValidation) -> Iterator[Notice]:
    outputs = [o for c in validation.candidates for g in c.groups.values() for o in g.comparison.outputs.values()]
    floats = [output for output in outputs if not output.is_exact]
    if validation.limits.by_rounding and floats and not any(output.method for output in floats):
        reason = "; ".join(f"{name}: {text}" for name, text in validation.obstacles.items())
        text = f"what the networks round is not known{f' ({reason})' if reason else ''}: the tolerance decides"
        yield Notice("no-float64", text, "--atol and --rtol give a tolerance of your own")
    coarse = [name for name, is_coarse in validation.coarse.items() if is_coarse]
    if coarse and any(output.method for output in floats):
        text = (
            f"{', '.join(coarse)} works in less than float32, at least in parts: what passes is as near as that allows"
        )
        yield Notice("coarse", text)


def _note_names(candidate: NetworkCandidate) -> Iterator[Notice]:
    yield from _note_pairs(candidate.predictor.name, candidate.names)
    extra = {name for group in candidate.groups.values() for name in group.comparison.extra}
    if extra:
        text = f"{candidate.predictor.name} gives outputs that the reference lacks, which were not compared: "
        yield Notice("extra-outputs", text + ", ".join(sorted(extra)[:5]))


def _note_pairs(name: str, names: Mapping[str, str]) -> Iterator[Notice]:
    """That the outputs of `name` are called otherwise than those that they are compared with."""
    others = {own: other for own, other in names.items() if own != other}
    if others:
        pairs = ", ".join(f"{own} as {other}" for own, other in list(others.items())[:3])
        more = ", …" if len(others) > 3 else ""
        yield Notice("by-position", f"{name} calls its outputs otherwise, and they were taken in order: {pairs}{more}")


def _note_near(validation: NetworkValidation, candidate: NetworkCandidate) -> Iterator[Notice]:
    for group in candidate.groups.values():
        for name, output in group.comparison.outputs.items():
            pool = output.worst_pool()
            if pool is not None and output.is_near(validation.limits):
                text = f"{candidate.predictor.name} rounds more than the reference in {name}: {pool.ratio:.0f} ×"
                hint = "--strict counts that as different, --atol decides by a tolerance of your own"
                yield Notice("rounding", f"{text}, where up to {SAME:g} × is the same", hint)


def _note_blank(candidate: NetworkCandidate) -> Iterator[Notice]:
    outputs = [output for group in candidate.groups.values() for output in group.comparison.outputs.values()]
    blank = dict.fromkeys(output.name for output in outputs if output.tally.is_blank)
    if blank and len(blank) < len(outputs):
        text = f"no number of {', '.join(list(blank)[:3])} is finite on either side, so that none was compared"
        yield Notice("not-finite", text, "look at the requests: a NaN among the inputs reaches the outputs")


def _note_unreached(candidate: NetworkCandidate) -> Iterator[Notice]:
    rounded = [weight for weight in candidate.unreached if weight.rounded_to]
    others = [weight for weight in candidate.unreached if not weight.rounded_to]
    name = candidate.predictor.name
    if rounded:
        text = (
            f"{name} and the reference hold {list_weights(rounded)} apart, as {rounded[0].rounded_to} rounds it: "
            "what that does to the answers here may as well be rounding"
        )
        yield Notice("rounded-weights", text, "--strict counts that as different")
    if others:
        first = others[0]
        rows = f" ({first.other_rows:,} of {first.rows:,} rows)" if first.other_rows < first.rows else ""
        text = f"{name} stores other numbers in {list_weights(others)}{rows}, which no request here has shown"
        hint = "--strict counts that as different; give requests that reach them with --data"
        yield Notice("unreached-weights", text, hint)


def _note_other_nodes(candidate: NetworkCandidate) -> Iterator[Notice]:
    if candidate.other_nodes:
        first = ", ".join(f"{node.op} {node.output!r} ({node.what})" for node in candidate.other_nodes[:3])
        more = f" and {len(candidate.other_nodes) - 3} more" if len(candidate.other_nodes) > 3 else ""
        text = f"{candidate.predictor.name} computes otherwise than the reference, as no request here has shown: "
        hint = "--strict counts that as different; give requests that reach it with --data"
        yield Notice("unreached-nodes", text + first + more, hint)


def _note_scores(validation: NetworkValidation) -> Iterator[Notice]:
    names = {
        name: None
        for candidate in validation.candidates
        for group in candidate.groups.values()
        for name, output in group.comparison.outputs.items()
        if output.scores
    }
    if names:
        text = f"{', '.join(names)} look{'s' if len(names) == 1 else ''} like scores of classes"
        yield Notice("scores", f"{text}: the labels are the places of the largest along the last axis")
