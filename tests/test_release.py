"""A release: tag, version and changelog agree, and the README works away from the repository."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from infer_bench.version import __version__
from tests.ci.pages import parse_yaml

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / "tools" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_version_is_read_from_its_one_place(release: ModuleType) -> None:
    assert release.read_version() == __version__
    assert release.find_notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), __version__)


@pytest.mark.parametrize(
    ("tag", "changelog", "says"),
    [
        ("v9.9.9", "## 0.1.0\n- a\n", "is not v"),
        (f"v{__version__}", "## [Unreleased]\n", "has no section"),
        (f"v{__version__}", f"## [Unreleased]\n- new\n## {__version__}\n- a\n", "still has changes"),
    ],
)
def test_what_does_not_agree_ends_the_release(
    release: ModuleType, tag: str, changelog: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "infer_bench").mkdir()
    (tmp_path / "infer_bench" / "version.py").write_text(f'__version__ = "{__version__}"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    monkeypatch.setattr(release, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=says):
        release.check(tag)


def test_notes_are_the_section_of_the_version(release: ModuleType) -> None:
    text = "# C\n\n## [Unreleased]\n\n## 0.2.0\n\n### Added\n\n- a\n\n## 0.1.0\n\n- b\n"
    assert release.find_notes(text, "0.2.0") == "### Added\n\n- a"
    assert release.find_notes(text, "[Unreleased]") == ""


def test_no_link_of_the_readme_is_relative_in_a_release(release: ModuleType) -> None:
    text = release.write_index_page(README, "someone/infer-bench", "v1.0.0")
    assert "uses: someone/infer-bench@v1.0.0" in text
    assert "pip install 'infer-bench[lightgbm]'" in text
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    assert targets
    assert all(re.match(r"https://|#", target) for target in targets)
    assert release.make_absolute("![a](docs/a.svg) [b](#c) [d](https://e)", "o/r", "v1") == (
        "![a](https://github.com/o/r/raw/v1/docs/a.svg) [b](#c) [d](https://e)"
    )


def test_the_citation_names_what_it_must() -> None:
    citation = parse_yaml((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert "version" not in citation  # it has one place


def test_the_workflow_runs_for_a_tag_and_checks_before_it_uploads() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    jobs = parse_yaml(text)["jobs"]
    assert (jobs["install"]["needs"], jobs["publish"]["needs"]) == ("build", "install")
    assert "make dist" in text
