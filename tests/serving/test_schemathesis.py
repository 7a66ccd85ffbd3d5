"""A fuzzer of others, driven by our own OpenAPI document: what it sends gets a documented answer, and never a 5xx.

A request of tensors may be as the document says and its tensors of no use all the same (other sizes than the model's,
fewer values than the shape says), which a schema of JSON cannot express: that such a one is accepted is not asked.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from infer_bench.serving import application
from tests.engines.zoo import SavedModel

schemathesis = pytest.importorskip("schemathesis")

STEADY = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
OPERATIONS = (
    "POST /predict",
    "GET /health",
    "GET /model-info",
    "GET /metrics",
    "GET /v2",
    "GET /v2/health/live",
    "GET /v2/health/ready",
    "GET /v2/models/model",
    "GET /v2/models/model/ready",
    "POST /v2/models/model/infer",
)

CASES = [
    *((label, "positive") for label in OPERATIONS),
    *((label, "negative") for label in OPERATIONS if label.startswith("POST")),  # the others take nothing
]


@pytest.fixture(scope="module")
def operations(binary: SavedModel) -> Iterator[dict[str, Any]]:
    app = application(binary.model.path, name="model")
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    yield {result.ok().label: result.ok() for result in schema.get_all_operations()}
    app.close()


def test_every_operation_is_tried(operations: dict[str, Any]) -> None:
    assert set(operations) == set(OPERATIONS)


@pytest.mark.parametrize(("label", "mode"), CASES)
def test_what_is_sent_gets_a_documented_answer(operations: dict[str, Any], label: str, mode: str) -> None:
    excluded = [schemathesis.checks.positive_data_acceptance] if label.endswith("infer") else []

    @STEADY
    @given(case=operations[label].as_strategy(schemathesis.GenerationMode(mode)))
    def send(case: Any) -> None:
        case.call_and_validate(excluded_checks=excluded)

    send()
