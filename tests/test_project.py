"""The table that a project keeps in its `pyproject.toml`."""

from pathlib import Path

import pytest

from infer_bench.errors import UsageError
from infer_bench.project import project_table


def test_the_nearest_file_at_or_above_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.infer-bench]\nmax-regression = "5%"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert project_table(inner) == {"max-regression": "5%"}
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert project_table(inner) == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[tool.infer-bench", "cannot be read"),
        ("[tool]\ninfer-bench = 5\n", "is no table"),
        ("a = " + "[" * 20_000, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_broken_file_is_said_in_one_line(tmp_path: Path, content: str | bytes, words: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError) as refused:
        project_table(tmp_path)
    assert words in refused.value.message
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", ["", "tool = 5\n", "[tool.other]\na = 1\n"])
def test_a_file_without_the_table_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "pyproject.toml").write_text(content)
    assert project_table(tmp_path) == {}


def test_a_key_that_is_not_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.infer-bench]\nlimit = ['p99<5ms']\n", encoding="utf-8")
    with pytest.raises(UsageError, match="has no key 'limit'"):
        project_table(tmp_path)
