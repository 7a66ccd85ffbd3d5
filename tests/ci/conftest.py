"""A workshop for each test; what it asked pip for must exist."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.ci.pages import ROOT
from tests.ci.workshop import Workshop, make_origin

EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"])


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_origin(tmp_path_factory.mktemp("ci") / "origin")


@pytest.fixture
def workshop(tmp_path: Path, origin: Path) -> Iterator[Workshop]:
    workshop = Workshop.at(tmp_path, origin)
    yield workshop
    for text in workshop.installed():
        requirement = Requirement(re.sub(r"^\.", "infer-bench", text))
        assert requirement.name == "infer-bench"
        assert requirement.extras <= EXTRAS
