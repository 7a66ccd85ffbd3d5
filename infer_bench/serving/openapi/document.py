"""The OpenAPI document of a server: its paths, and the schemas of the model that it serves."""

from typing import Any

from infer_bench.serving.openapi.schemas import (
    Schema,
    common,
    error_responses,
    prediction,
    record,
    reference,
)
from infer_bench.serving.service import Service
from infer_bench.version import __version__

VERSION = "3.1.0"
_BODY_ERRORS = (400, 408, 413, 415, 422, 500, 503)


def describe_api(service: Service) -> Schema:
    """The document. It says of the model what decides whether a request is answered."""
    spec, settings = service.spec, service.settings
    schemas = {"Record": record(spec, sparse=settings.sparse), "Prediction": prediction(spec), **common()}
    document: Schema = {
        "openapi": VERSION,
        "info": {"title": service.name, "version": __version__, "description": "A model served by infer-bench."},
        "paths": _paths(service),
        "components": {"schemas": schemas},
    }
    if settings.token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _paths(service: Service) -> dict[str, Any]:
    several = {"type": "array", "items": reference("Record"), "minItems": 1}
    body = {"schema": {"oneOf": [reference("Record"), several]}}
    sample = service.example
    if sample is not None:
        body["example"] = sample
    model = f"/v2/models/{service.name}"
    health = {"200": _json("It is ready.", reference("Health")), "503": _json("It is not.", reference("Health"))}
    ready = {"200": _json("It is ready."), "503": _json("It is not.")}
    return {
        "/predict": {"post": _with_body(service, "Predict a record or a list of them.", body, "Prediction")},
        "/health": {"get": _operation("Whether it lives, and whether it is ready.", health, public=True)},
        "/model-info": {"get": _get(service, "What is served.")},
        "/metrics": {"get": _operation("Numbers for Prometheus.", {**_text("Numbers."), **_denied(service)})},
        "/v2": {"get": _get(service, "What the server is.")},
        "/v2/health/live": {"get": _operation("Whether it lives.", {"200": _json("It does.")}, public=True)},
        "/v2/health/ready": {"get": _operation("Whether it is ready.", ready, public=True)},
        model: {"get": _get(service, "The model's tensors.")},
        f"{model}/ready": {"get": _operation("Whether the model is ready.", ready, public=True)},
        f"{model}/infer": {
            "post": _with_body(service, "Predict tensors.", {"schema": reference("InferRequest")}, "InferResponse")
        },
    }


def _with_body(service: Service, summary: str, body: Schema, answer: str) -> Schema:
    responses = {"200": _json("The predictions.", reference(answer)), **error_responses(*_BODY_ERRORS)}
    operation = _operation(summary, {**responses, **_denied(service)})
    return {**operation, "requestBody": {"required": True, "content": {"application/json": body}}}


def _get(service: Service, summary: str) -> Schema:
    return _operation(summary, {"200": _json(summary), **_denied(service)})


def _operation(summary: str, responses: Schema, *, public: bool = False) -> Schema:
    operation = {"summary": summary, "responses": responses}
    return {**operation, "security": []} if public else operation


def _denied(service: Service) -> Schema:
    return error_responses(401) if service.settings.token else {}


def _json(description: str, schema: Schema | None = None) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema or {"type": "object"}}}}


def _text(description: str) -> Schema:
    return {"200": {"description": description, "content": {"text/plain": {"schema": {"type": "string"}}}}}
