"""A figure as a file: SVG with text as text and nothing of the day it was drawn, or PNG."""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from infer_bench.reporters.charts.base import INK, Chart, clean

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
PNG_DPI = 160
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": "medium",
    "text.parse_math": False,
}
_REFERENCE = re.compile(r"#([\w.-]+)")
_FONT_SIZE = re.compile(r"[\d.]+px")


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The context in which a figure is drawn and written, without warnings of letters that no font has."""
    from matplotlib import rc_context

    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def render_svg(chart: Chart, *, inline: bool = False) -> str:
    """The chart as an SVG document, or, `inline`, as an element for a page, in the page's own colour of text.

    Identifiers begin with the chart's kind, so that several stand in one page. The same figure gives the same bytes.
    """
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(_svg_of(chart, transparent=inline))
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    _add_values(root, chart.values)
    _own_identifiers(root, chart.kind)
    _describe(root, chart)
    if inline:
        root.attrib.pop("width", None)
        root.attrib.pop("height", None)
        _use_attributes(root)
    text = ElementTree.tostring(root, encoding="unicode")
    if inline:
        return text.replace(INK, "currentColor")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def render_png(chart: Chart) -> bytes:
    """The chart as a PNG on white."""
    file = io.BytesIO()
    with style():
        chart.figure.savefig(file, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return file.getvalue()


def _svg_of(chart: Chart, *, transparent: bool) -> str:
    from matplotlib import rc_context

    file = io.StringIO()
    with style(), rc_context({"svg.hashsalt": chart.kind}):
        chart.figure.savefig(file, format="svg", transparent=transparent, metadata={"Date": None, "Creator": None})
    return clean(file.getvalue())


def _add_values(root: ElementTree.Element, values: Mapping[str, str]) -> None:
    """A title in each mark, which is shown where it is pointed at."""
    for element in root.iter():
        if (text := values.get(element.get("id", ""))) is not None:
            title = ElementTree.Element(f"{{{SVG}}}title")
            title.text = text
            element.insert(0, title)


def _own_identifiers(root: ElementTree.Element, kind: str) -> None:
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, f"{kind}-{value}")
            elif name == f"{{{XLINK}}}href" or "url(#" in value:
                element.set(name, _REFERENCE.sub(rf"#{kind}-\1", value))


def _use_attributes(root: ElementTree.Element) -> None:
    """Styles as attributes: a page's Content-Security-Policy allows no style on an element."""
    for definitions in root.findall(f"{{{SVG}}}defs"):
        for sheet in definitions.findall(f"{{{SVG}}}style"):
            definitions.remove(sheet)
    root.set("stroke-linejoin", "round")
    root.set("stroke-linecap", "butt")
    for element in root.iter():
        for declaration in element.attrib.pop("style", "").split(";"):
            name, _, value = declaration.partition(":")
            if name.strip() == "font":
                element.set("font-size", _FONT_SIZE.findall(value)[0])
                element.set("font-family", "system-ui, sans-serif")
            elif name.strip():
                element.set(name.strip(), value.strip())


def _describe(root: ElementTree.Element, chart: Chart) -> None:
    """A title and a description, which a screen reader reads in place of the drawing."""
    for place, (tag, text) in enumerate((("title", chart.title), ("desc", chart.description))):
        element = ElementTree.Element(f"{{{SVG}}}{tag}", {"id": f"{chart.kind}-{tag}"})
        element.text = clean(text)
        root.insert(place, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{chart.kind}-title {chart.kind}-desc")
