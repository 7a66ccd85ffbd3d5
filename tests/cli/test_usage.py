"""A wrong command line is said as everything is: one line and a hint, and nothing was run."""

import pytest

from infer_bench.cli.main import run

HELP = "infer-bench bench --help"
WRONG = {
    "several": (["bench", "x", "-t", "1,y"], "threads: '1,y' is not a list of numbers", "--threads 1,64"),
    "joined": (["bench", "x", "-t1,y"], "threads: '1,y' is not a list of numbers", "--threads 1,64"),
    "equal sign": (["bench", "--trials=x"], "--trials takes a whole number, not 'x'", HELP),
    "a number": (["bench", "--alpha", "low"], "--alpha takes a number, not 'low'", HELP),
    "of a service": (["serve", "x", "-t", "1,2"], "--threads takes a whole number", "infer-bench serve --help"),
    "command": (["benhc"], "there is no command 'benhc'", "did you mean bench?"),
    "far command": (["xyz"], "there is no command 'xyz'", "infer-bench --help"),
    "option": (["bench", "--xyzzy"], "bench has no option --xyzzy", HELP),
    "near option": (["bench", "--thread", "1"], "bench has no option --thread", "did you mean --threads"),
    "letter": (["bench", "-z"], "bench has no option -z", HELP),
    "of the tree": (["--nosuch"], "infer-bench has no option --nosuch", "infer-bench --help"),
    "missing": (["profile"], "profile needs TARGET", "infer-bench profile --help"),
    "missing models": (["validate"], "validate needs REFERENCE CANDIDATE", "infer-bench validate --help"),
    "no value": (["bench", "--budget"], "--budget needs a value", HELP),
    "a value": (["bench", "--self-test=5"], "--self-test takes no value", HELP),
    "too many": (["convert", "a", "b"], "got unexpected extra argument", "infer-bench convert --help"),
    "requests": (["profile", "m:f", "--requests", "60", "--budget", "5s"], "give requests or a budget", "--budget 5s"),
    "trials": (["bench", "m:f", "--trials", "60"], "--trials, --hogs and --jobs are", "--self-test makes one"),
    "rounds": (["bench", "m:f", "--rounds", "60", "--budget", "5s"], "give rounds or a budget", "--budget 5s"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_it_is_one_line_and_a_hint(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, words, hint = WRONG[name]
    assert run(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    error_line, hint_line = output.err.splitlines()
    assert error_line.startswith(f"error: {words}")
    assert hint_line.startswith("hint: ")
    assert hint in hint_line


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert capsys.readouterr().err.startswith("Usage: infer-bench")


@pytest.mark.parametrize(
    "command",
    [
        ["bench", "x"],
        ["profile", "x"],
        ["validate", "x", "y"],
        ["load", "http://127.0.0.1:1", "--rate", "1/s"],
        ["quantize", "x.onnx", "--data", "rows.npz"],
    ],
)
def test_a_seed_is_from_0_on(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--seed", "-1"]) == 2
    assert capsys.readouterr().err == "error: the seed is a whole number from 0 on\n"
