"""A side of a comparison, as the report has it."""

from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.candidates.models import describe_model
from infer_bench.model import ModelSpec
from infer_bench.report.validate import ComparedModel


def describe_side(candidate: Candidate, spec: ModelSpec | None, feed_dtype: str = "") -> ComparedModel:
    """What a candidate opened; `spec` is None where it could not."""
    model = describe_model(candidate.artefact, spec)
    original = candidate.model.path if candidate.artefact.path != candidate.model.path else ""
    return ComparedModel(candidate.label, model, feed_dtype, original)
