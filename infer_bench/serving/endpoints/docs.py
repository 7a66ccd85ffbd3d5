"""`GET /openapi.json` and `GET /docs`."""

import msgspec

from infer_bench.serving.endpoints.body import Receive, Scope
from infer_bench.serving.endpoints.endpoint import JSON, Endpoint, Headers, Response
from infer_bench.serving.openapi.page import POLICY, draw_page
from infer_bench.serving.openapi.schemas import Schema
from infer_bench.serving.service import Service

_HTML: Headers = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
)


class Fixed(Endpoint):
    """A body that is always the same."""

    label = "/docs"

    def __init__(self, service: Service, body: bytes, headers: Headers) -> None:
        super().__init__(service)
        self._response = Response(body, headers=headers)

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """Give it."""
        return self._response


def document_endpoint(service: Service, document: Schema) -> Fixed:
    """The OpenAPI document."""
    return Fixed(service, msgspec.json.encode(document), JSON)


def page_endpoint(service: Service, document: Schema) -> Fixed:
    """The page."""
    return Fixed(service, draw_page(document).encode(), _HTML)
