"""`infer-bench serve`: what keeps the port closed, and what it says."""

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infer_bench.cli.main import run
from infer_bench.cli.options.reading import read_size, read_token
from infer_bench.errors import UsageError
from infer_bench.serving.processes.listener import is_loopback
from infer_bench.serving.processes.supervisor import restart_delay_s
from tests.tensor_networks import LOOKUP, SEQUENCE, save_graph, sequence_weights

MODEL = str(Path(__file__).parents[3] / "sample_models" / "credit.txt")


def errors_of(arguments: list[str], capsys: Any) -> tuple[int, list[str]]:
    code = run(["serve", *arguments])
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err.splitlines()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "70000"],
        ["--workers", "0"],
        ["--threads", "0"],
        ["--max-body", "8x"],
        ["--max-body", "9" * 400],
        ["--drain", "soon"],
        ["--name", "a/b"],
        ["--token-file", "no-such-file"],
        ["-e", "xgboost"],
    ],
)
def test_a_setting_that_makes_no_sense_is_a_usage_error(arguments: list[str], capsys: Any) -> None:
    code, errors = errors_of([MODEL, *arguments], capsys)
    assert code == 2
    assert errors[0].startswith("error: ")


def test_a_port_that_is_taken_is_said_before_a_model_is_loaded(capsys: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, errors = errors_of([MODEL, "--port", str(port)], capsys)
    assert code == 6
    assert errors == [
        f"error: port {port} of 127.0.0.1 cannot be opened: Address already in use",
        "hint: choose another --port",
    ]


def test_an_address_of_another_machine_is_refused(capsys: Any) -> None:
    code, errors = errors_of([MODEL, "--host", "192.0.2.1", "--port", "0"], capsys)
    assert (code, errors[-1]) == (6, "hint: choose another --host")


def test_a_model_that_is_none_is_said(tmp_path: Path, capsys: Any) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(b"no model")
    assert errors_of([str(broken)], capsys)[0] == 6
    assert errors_of([str(tmp_path / "none")], capsys)[0] == 6


def test_what_is_missing_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "starlette", None)
    code, errors = errors_of([MODEL], capsys)
    assert code == 6
    assert errors == ["error: starlette is not installed", "hint: pip install 'infer-bench[serve]'"]


@pytest.mark.parametrize(
    ("text", "size"), [("8MiB", 8 << 20), ("500kB", 500_000), ("1.5 KiB", 1536), ("12", 12), ("12b", 12)]
)
def test_sizes(text: str, size: int) -> None:
    assert read_size(text, "max-body") == size


@pytest.mark.parametrize(("content", "token"), [("abc\n", "abc"), (" a-b_c= \r\n", "a-b_c=")])
def test_a_token_is_the_only_word_of_its_file(content: str, token: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(content)
    assert read_token(str(tmp_path / "token")) == token


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"two\nlines", b"\xff\xfe", "é".encode()])
def test_what_holds_no_token_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(UsageError):
        read_token(str(tmp_path / "token"))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("[::]", False),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_only_loopback_is_out_of_reach(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_restarts_back_off() -> None:
    assert [restart_delay_s(n) for n in range(5)] == [0.0, 0.25, 0.5, 1.0, 2.0]
    assert restart_delay_s(50) == 30.0


@pytest.mark.parametrize(
    ("fallback", "status", "words"),
    [("other", 4, "requests differ in y"), ("tokens", 6, "does not take what its fallback")],
)
def test_a_network_and_a_fallback_that_is_another_keep_the_port_closed(
    fallback: str, status: int, words: str, tmp_path: Path, capsys: Any
) -> None:
    networks = {"model": (SEQUENCE, sequence_weights()), "other": (SEQUENCE, sequence_weights(seed=1))}
    networks["tokens"] = (LOOKUP, {"table": np.ones((5, 4), np.float32)})
    files = {name: str(save_graph(tmp_path / f"{name}.onnx", *parts)) for name, parts in networks.items()}
    code, errors = errors_of([files["model"], "--fallback", files[fallback], "--port", "0"], capsys)
    assert code == status
    assert words in errors[0]
