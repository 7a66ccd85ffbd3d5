"""An output file is whole or untouched, nothing is left lying about, and what cannot be written is said at once."""

import contextlib
import errno
import io
import os
import re
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infer_bench import output
from infer_bench.errors import OutputError, UsageError
from infer_bench.output import OutputFile, check_outputs, write_stdout


def test_each_write_replaces_the_whole_content(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    with OutputFile(target) as file:
        assert list(tmp_path.iterdir()) == []
        file.write_atomic(b"a longer first round")
        assert target.read_bytes() == b"a longer first round"
        file.write_atomic(b"second")

    assert target.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [target]


def test_an_existing_file_stays_until_it_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with OutputFile(target) as file:
        assert target.read_bytes() == b"old"
        file.write_atomic(b"new")

    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_gets_the_mode_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"")
    with OutputFile(tmp_path / "report.json") as file:
        file.write_atomic(b"{}")

    assert (tmp_path / "report.json").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_goes_on_pointing_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "real" / "report.json")
    with OutputFile(tmp_path / "link.json") as file:
        file.write_atomic(b"{}")

    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real" / "report.json").read_bytes() == b"{}"


def test_a_name_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    with OutputFile(tmp_path / ("n" * 255)) as file:
        file.write_atomic(b"{}")

    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "folder"),
        ("missing/report.json", "no folder"),
        ("trailing/", "folder"),
        ("file/report.json", "Not a directory"),
        ("n" * 256, "too long"),
        ("nul\0byte", "null"),
    ],
)
def test_a_path_that_cannot_be_written_is_said_before_measuring(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=reason) as caught, OutputFile(os.path.join(tmp_path, name)):
        pytest.fail("the measurement was begun")

    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # permissions do not bind root, so the system call itself refuses
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("infer_bench.output.os.open", refuse)
    with pytest.raises(OutputError, match="Permission denied"), OutputFile(tmp_path / "report.json"):
        pytest.fail("the measurement was begun")


@contextlib.contextmanager
def small_disk() -> Iterator[None]:
    """No file may grow beyond 8 kB: writing fails half-way, as on a full disk.

    No fixture, since the limit holds for whatever pytest itself prints to as well.
    """
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)


def test_a_full_disk_is_said_before_measuring(tmp_path: Path) -> None:
    with small_disk(), pytest.raises(OutputError, match="cannot write"), OutputFile(tmp_path / "report.json"):
        pytest.fail("the measurement was begun")

    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_keeps_the_last_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "PROBE_BYTES", 16)
    target = tmp_path / "report.json"
    with small_disk(), OutputFile(target) as file:
        file.write_atomic(b"round 1")
        with pytest.raises(OutputError, match=r"report\.json"):
            file.write_atomic(b"x" * 10_000)

    assert target.read_bytes() == b"round 1"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_interrupt_while_writing_leaves_the_last_round(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    target = tmp_path / "report.json"
    target.write_bytes(b"round 1")
    with OutputFile(target) as file:
        monkeypatch.setattr(f"infer_bench.output.os.{call}", interrupt)
        with pytest.raises(KeyboardInterrupt):
            file.write_atomic(b"round 2")

    assert target.read_bytes() == b"round 1"
    assert list(tmp_path.iterdir()) == [target]


def test_a_device_is_written_to_and_not_replaced() -> None:
    with OutputFile(os.devnull) as file:
        file.write_atomic(b"{}")

    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ({"--json": "model.txt"}, "--json would overwrite model.txt"),
        ({"-o": "./linked.txt"}, "-o would overwrite model.txt"),
        ({"--json": "new.json", "-o": "./new.json"}, "-o would overwrite what else is written to new.json"),
        ({"--json": ""}, "--json names no file"),
    ],
)
def test_no_output_takes_the_place_of_an_input_or_another_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outputs: dict[str, str | None], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.txt").write_text("tree")
    Path("linked.txt").symlink_to("model.txt")
    with pytest.raises(UsageError, match=re.escape(says)):
        check_outputs(outputs, ["model.txt", None, "package:function"])


def test_streams_and_other_files_may_be_written(tmp_path: Path) -> None:
    other = str(tmp_path / "other.json")
    check_outputs({"--json": "-", "-o": "-", "--save-baseline": None}, ["model.txt"])
    check_outputs({"--json": "/dev/null", "-o": "/dev/null", "--save-baseline": other}, ["model.txt", "/dev/null"])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_device_is_said_before_measuring() -> None:
    with pytest.raises(OutputError, match="No space left"), OutputFile("/dev/full"):
        pytest.fail("the measurement was begun")


def test_stdout_gets_the_last_round_only(capsys: pytest.CaptureFixture[str]) -> None:
    with OutputFile("-") as file:
        file.write_atomic(b"round 1")
        file.write_atomic("round 2 µ\n".encode())

    assert capsys.readouterr().out == "round 2 µ\n"


def test_stdout_gets_what_is_known_when_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    def measure() -> None:
        with OutputFile("-") as file:
            file.write_atomic(b"round 1\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure()

    assert capsys.readouterr().out == "round 1\n"


@pytest.mark.parametrize(
    "body",
    [
        "o.write_stdout('x' * 1_000_000)",
        "with o.OutputFile('-') as file: file.write_atomic(b'x' * 1_000_000)",
    ],
)
def test_a_pipe_closed_early_is_no_error(body: str) -> None:
    code = f"import infer_bench.output as o\n{body}\no.write_stdout('after')"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.wait(600), process.stderr.read()) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
def test_a_full_stdout_is_one_error_and_no_second_one_at_exit() -> None:
    code = (
        "import sys, infer_bench.output as o, infer_bench.errors as e\n"
        "try: o.write_stdout('x')\n"
        "except e.OutputError as error: sys.stderr.write(error.message); sys.exit(error.exit_code)"
    )
    with open("/dev/full", "w") as full:
        process = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, timeout=600)

    assert process.returncode == 6
    assert process.stderr == b"cannot write to stdout: No space left on device"


@pytest.mark.parametrize(
    ("encoding", "encodable"),
    [("utf-8", "42.1 µs · 89× |Δ| 価"), ("ascii", "42.1 us . 89x |d| ?"), ("latin-1", "42.1 us . 89x |d| ?")],
)
def test_characters_that_stdout_lacks(encoding: str, encodable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))

    assert write_stdout("42.1 µs · 89× |Δ| 価")
    assert raw.getvalue().decode(encoding) == encodable


def test_no_stdout_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="closed"):
        write_stdout("x")
