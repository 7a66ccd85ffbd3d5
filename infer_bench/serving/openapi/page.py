"""The document as a page: no other server is asked for anything, and the one form on it asks this one."""

import json
from html import escape
from typing import Any

from infer_bench.serving.openapi.schemas import Schema

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'"
)
"""What a browser may load and ask: nothing from elsewhere, whatever a column is called."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
:root { color-scheme: light dark }
h2 { margin-top: 2rem; border-top: 1px solid #8888; padding-top: 1rem } code, pre, textarea { font: 14px/1.4 monospace }
textarea { width: 100%; min-height: 12rem; box-sizing: border-box } pre { overflow: auto; max-height: 24rem }
table { border-collapse: collapse } td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top }
"""
_SCRIPT = """
const text = document.getElementById("request"), answer = document.getElementById("answer");
document.getElementById("send").addEventListener("click", async () => {
  const headers = {"content-type": "application/json"}, token = document.getElementById("token");
  if (token && token.value) headers.authorization = "Bearer " + token.value;
  try {
    const response = await fetch("predict", {method: "POST", headers, body: text.value});
    answer.textContent = response.status + "\\n" + JSON.stringify(await response.json(), null, 2);
  } catch (error) { answer.textContent = String(error); }
});
"""


def draw_page(document: Schema) -> str:
    """The page."""
    title = escape(document["info"]["title"])
    token = "" if "security" not in document else '<p><label>Token <input id="token" type="password"></label></p>'
    body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    example = escape(json.dumps(body.get("example", {}), indent=1, ensure_ascii=False))
    operations = "".join(_draw_path(path, methods) for path, methods in document["paths"].items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(document['info']['description'])} "
        f'The same for programs: <a href="openapi.json">openapi.json</a>.</p>'
        f'<h2>Try it</h2><p><label for="request">POST <code>/predict</code></label></p>{token}'
        f'<textarea id="request" spellcheck="false">{example}</textarea>'
        f'<p><button id="send">Send</button></p><pre id="answer" aria-live="polite"></pre>'
        f"{operations}<h2>Columns</h2>{_draw_columns(document['components']['schemas']['Record'])}"
        f"<script>{_SCRIPT}</script></html>"
    )


def _draw_path(path: str, methods: dict[str, Any]) -> str:
    return "".join(
        f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>"
        f"<table>{_draw_responses(operation['responses'])}</table>"
        for method, operation in methods.items()
    )


def _draw_responses(responses: Schema) -> str:
    return "".join(_draw_row(status, response["description"]) for status, response in responses.items())


def _draw_columns(record: Schema) -> str:
    if not record["properties"]:
        return "<p>The model does not say its columns.</p>"
    rows = (_draw_row(name, _describe(schema)) for name, schema in record["properties"].items())
    return f"<table>{''.join(rows)}</table>"


def _describe(schema: Schema) -> str:
    kinds = schema.get("type", ["boolean", "null"])
    examples = f": {', '.join(map(str, schema['examples']))}" if "examples" in schema else ""
    return " or ".join(kinds) + examples


def _draw_row(name: str, text: str) -> str:
    return f"<tr><th><code>{escape(str(name))}</code></th><td>{escape(text)}</td></tr>"
