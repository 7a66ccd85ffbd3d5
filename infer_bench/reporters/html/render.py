"""A page as one self-contained HTML file: nothing is loaded from anywhere, and only its own script may run."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.resources import files
from typing import Any

from infer_bench.errors import MissingDependency
from infer_bench.report.common import Report
from infer_bench.reporters.charts.base import Chart, clean
from infer_bench.reporters.history.history import History
from infer_bench.reporters.html.bench import build_bench_page
from infer_bench.reporters.html.convert import build_convert_page
from infer_bench.reporters.html.fleet import build_fleet_page
from infer_bench.reporters.html.gate import build_gate_page
from infer_bench.reporters.html.history import build_history_page
from infer_bench.reporters.html.load import build_load_page
from infer_bench.reporters.html.page import Figure, Page
from infer_bench.reporters.html.profile import build_profile_page
from infer_bench.reporters.html.quantize import build_quantize_page
from infer_bench.reporters.html.selftest import build_selftest_page
from infer_bench.reporters.html.validate import build_validate_page

_BUILDERS = {
    "convert": build_convert_page,
    "fleet": build_fleet_page,
    "load": build_load_page,
    "profile": build_profile_page,
    "quantize": build_quantize_page,
    "self-test": build_selftest_page,
    "validate": build_validate_page,
}

_OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z][\w-]*)")


def render_html(report: Report[Any]) -> str:
    """The page of a report, the same for the same report. Raises `MissingDependency` without jinja2.

    Without matplotlib the page has its tables, and says what to install for the charts.
    """
    from infer_bench.reporters.charts.catalogue import draw_charts

    return render_page(_with_charts(build_page(report), lambda: draw_charts(report)))


def render_history(history: History) -> str:
    """The page of several runs, as `render_html`."""
    from infer_bench.reporters.charts.catalogue import draw_history

    return render_page(_with_charts(build_history_page(history), lambda: draw_history(history)))


def render_page(page: Page) -> str:
    """The page as one HTML file. Raises `MissingDependency` without jinja2."""
    jinja2 = require_jinja2()
    folder = files(__package__) / "templates"
    style, script, template = (
        (folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js", "page.html.jinja")
    )
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["unbroken"] = _keep_options
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    text = environment.from_string(template).render(page=page, style=style, script=script, policy=policy)
    return clean(text if text.endswith("\n") else f"{text}\n")


def require_jinja2() -> Any:
    """The template library. Raises `MissingDependency`."""
    try:
        import jinja2
    except ImportError:
        raise MissingDependency("jinja2", "html") from None
    return jinja2


def build_page(report: Report[Any]) -> Page:
    """What the page of a report shows, by its command."""
    build = _BUILDERS.get(report.command, build_bench_page if report.gate is None else build_gate_page)
    return build(report)


def _with_charts(page: Page, draw: Callable[[], Iterable[Chart]]) -> Page:
    from infer_bench.reporters.charts.files import render_svg

    try:
        charts = list(draw())
    except MissingDependency as error:
        return replace(page, missing_charts=f"{error.message}: {error.hint}")
    figures = (Figure(c.title, c.description, render_svg(c, inline=True)) for c in charts)
    return replace(page, figures=tuple(figures))


def _keep_options(text: str) -> Any:
    """Text as markup in which no line ends inside an option such as `--budget`, after whose hyphens it might."""
    from markupsafe import Markup, escape

    parts = _OPTION.split(text)
    spans = (
        Markup('<span class="option">{}</span>').format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    )
    return Markup("").join(spans)


def _hash(text: str) -> str:
    """Of an inline style or script, as a Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
