import signal

import pytest

from infer_bench.machine.exit_codes import describe_exit


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exited with code 0"),
        (3, "exited with code 3"),
        (-signal.SIGSEGV, "was killed by SIGSEGV"),
        (-signal.SIGKILL, "was killed by SIGKILL (out of memory?)"),
        (-200, "was killed by signal 200"),
    ],
)
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
