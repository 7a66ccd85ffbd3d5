"""A test case of JUnit's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TestCase:
    """`element` is `failure`, `error`, `skipped` or, where it passed, empty; `kind` is its type."""

    __test__ = False

    name: str
    text: str
    element: str = ""
    kind: str = ""
