"""The recipes of the documents: blocks that are marked `<!-- recipe: NAME -->`."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "ci.md")
BLOCK = re.compile(r"<!-- recipe: ([\w-]+) -->\n```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^```\w+\n", re.MULTILINE)


def recipes() -> dict[str, tuple[str, str]]:
    """Name → (language, text)."""
    blocks = [block for page in PAGES for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
    assert len({name for name, _, _ in blocks}) == len(blocks)
    return {name: (language, text) for name, language, text in blocks}


def text_of(name: str) -> str:
    return recipes()[name][1]


def yaml_of(name: str) -> Any:
    return parse_yaml(text_of(name))


def parse_yaml(text: str) -> Any:
    """YAML. A workflow's `on:` is read as True, as YAML 1.1 has it."""
    return import_module("yaml").safe_load(text)
