"""The OpenAPI document and the page: true, and whole without any other server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infer_bench.model import Feature, ModelSpec
from infer_bench.serving import application
from infer_bench.serving.openapi.page import draw_page
from infer_bench.serving.openapi.schemas import record
from tests.engines.zoo import NAMES, SavedModel
from tests.serving.client import ask, predict

RECORD: dict[str, Any] = dict.fromkeys(NAMES, 1.0)


def document_of(app: Any) -> Any:
    return ask(app, "GET", "/openapi.json").json()


def validator(document: Any, name: str) -> Any:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


BODIES: list[dict[str, Any]] = [
    RECORD,
    dict.fromkeys(NAMES),
    {**RECORD, "age": 3},
    {**RECORD, "other": [1]},
    {**RECORD, "age": "3"},
    {**RECORD, "age": True},
    {"age": 1.0},
    {},
]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("content", BODIES)
def test_a_record_is_answered_where_the_document_says_so(binary: SavedModel, content: Any, sparse: bool) -> None:
    app = application(binary.model.path, sparse=sparse)
    valid = validator(document_of(app), "Record").is_valid(content)
    response = predict(app, content)
    assert (response.status_code == 200) is valid
    name = "Prediction" if valid else "Error"
    validator(document_of(app), name).validate(response.json())


@pytest.mark.parametrize(
    ("kind", "valid", "invalid"),
    [
        ("integer", [1, 1.0, None], [1.5, True, "1"]),
        ("boolean", [True, False, 1, 0, None], [2, "true"]),
        ("string", ["a", None], [1, True]),
        ("category", ["a", 1, 1.5, True, None], [[], {}]),
    ],
)
def test_each_kind_of_column_has_its_values(kind: Any, valid: list[Any], invalid: list[Any]) -> None:
    schema = record(ModelSpec("raw", (Feature("x", kind),), ("output",)), sparse=False)
    check = jsonschema.Draft202012Validator(schema)
    assert all(check.is_valid({"x": value}) for value in valid)
    assert not any(check.is_valid({"x": value}) for value in invalid)


def test_the_document_is_whole(binary_app: Any) -> None:
    document = document_of(binary_app)
    schemas = document["components"]["schemas"]
    assert {ref.removeprefix("#/components/schemas/") for ref in references(document)} <= set(schemas)
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    paths = {"/predict", "/health", "/model-info", "/metrics", "/v2", "/v2/models/model", "/v2/models/model/infer"}
    assert paths <= set(document["paths"])
    for path, operations in document["paths"].items():
        for method in operations:
            assert ask(binary_app, method.upper(), path).status_code in map(int, operations[method]["responses"])
    example = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert predict(binary_app, example).status_code == 200


def test_other_answers_are_as_told(animals: Path) -> None:
    app = application(str(animals), token="t")
    document = ask(app, "GET", "/openapi.json", headers={"authorization": "Bearer t"}).json()
    assert document["security"] == [{"token": []}]
    assert document["paths"]["/health"]["get"]["security"] == []
    assert "401" in document["paths"]["/predict"]["post"]["responses"]
    validator(document, "Health").validate(ask(app, "GET", "/health").json())
    inputs = [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0, 3]}]
    validator(document, "InferRequest").validate({"inputs": inputs})
    path, headers = "/v2/models/animals/infer", {"authorization": "Bearer t"}
    answer = ask(app, "POST", path, json={"inputs": inputs}, headers=headers).json()
    validator(document, "InferResponse").validate(answer)


def test_the_page_asks_nobody_else(binary_app: Any) -> None:
    response = ask(binary_app, "GET", "/docs")
    assert response.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", response.text)
    assert "@import" not in response.text
    for name in (*NAMES, "/predict", "/v2/models/model/infer"):
        assert name in response.text


def test_names_on_the_page_are_text() -> None:
    name = "</script><script>alert(1)</script>"
    spec = ModelSpec("binary", (Feature(name, "category", (name,)),), ("output",))
    operation = {
        "summary": name,
        "responses": {},
        "requestBody": {"content": {"application/json": {"example": {name: 1}}}},
    }
    document = {
        "info": {"title": name, "description": ""},
        "paths": {"/predict": {"post": operation}},
        "components": {"schemas": {"Record": record(spec, sparse=False)}},
    }
    page = draw_page(document)
    assert page.count("<script>") == page.count("</script>") == 1
    assert json.dumps(name)[1:-1] not in page
