"""`constraints.txt` holds plain pins only, and one for everything that the extras install, on each supported Python."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = [
    line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
]
PYTHONS = [c.rsplit(" ", 1)[1] for c in PROJECT["classifiers"] if re.fullmatch(r".*Python :: 3\.\d+", c)]


def required(extra: str = "dev") -> Iterator[Requirement]:
    """What the project and the extra `dev` ask for, with the extras that it names."""
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]]:
        requirement = Requirement(line)
        if requirement.name != PROJECT["name"]:
            yield requirement
        for other in requirement.extras if requirement.name == PROJECT["name"] else ():
            yield from required(other)


def pins(python: str) -> dict[str, str]:
    """name → version on Linux with this Python."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    requirements = [r for r in map(Requirement, LINES) if r.marker is None or r.marker.evaluate(environment)]
    assert len({r.name for r in requirements}) == len(requirements)
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in requirements}


@pytest.mark.parametrize("line", LINES)
def test_line_is_a_plain_pin(line: str) -> None:
    requirement = Requirement(line)
    assert requirement.url is None
    assert re.fullmatch(r"==[\w.+!]+", str(requirement.specifier))
    assert not re.search(r"://|--|@|\\", line)


@pytest.mark.parametrize("python", PYTHONS)
def test_everything_required_is_pinned_within_its_range(python: str) -> None:
    versions = pins(python)
    unmet = [
        str(r)
        for extra in ("dev", "release")
        for r in required(extra)
        if not r.specifier.contains(versions.get(canonicalize_name(r.name), "0"))
    ]
    assert unmet == []


def test_the_oldest_versions_that_are_tested_are_the_bounds() -> None:
    """Those of all extras that `make check-oldest` installs."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    extras = re.findall(r"--constraint constraints-oldest.txt[^\[]*\[(.*)\]", makefile)[0].split(",")
    bounds = {
        canonicalize_name(r.name): r.specifier
        for extra in extras
        for r in required(extra)
        if r.marker is None or r.marker.evaluate({"sys_platform": "linux"})
    }
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines()
    oldest = {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines[1:])}

    assert bounds.keys() <= oldest.keys()
    for name, specifier in bounds.items():
        (pin,), (bound,) = oldest[name], specifier
        assert bound.operator == ">="
        assert Version(pin.version) == Version(bound.version), name
