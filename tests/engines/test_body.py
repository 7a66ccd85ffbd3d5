"""What a user's function is handed: the record, or the body that its annotation names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Optional

import pytest

from infer_bench.engines.body import find_body
from infer_bench.engines.callable import CallableSession
from infer_bench.errors import EngineError


@dataclass
class Application:
    age: float
    income: float = 1.0


class Validated:
    """What a pydantic model can do, without pydantic."""

    model_fields: ClassVar[dict[str, Any]] = {"age": None}

    def __init__(self, age: float) -> None:
        self.age = age

    @classmethod
    def model_validate(cls, record: dict[str, Any]) -> "Validated":
        if "age" not in record:
            raise ValueError("age is missing\nand more")
        return cls(record["age"])


def plain(record: dict[str, Any]) -> float:
    return float(record["age"])


def bare(record):  # type: ignore[no-untyped-def]
    return float(record["age"])


def unknown(record: "NotThere") -> float:  # type: ignore[name-defined]  # noqa: F821
    return float(record["age"])


def of_dataclass(body: Application) -> float:
    return body.age * body.income


def of_optional(body: Optional[Application] = None) -> float:  # noqa: UP045
    return body.age if body else 0.0


def of_union(body: Application | None) -> float:
    return body.age if body else 0.0


def of_annotated(body: Annotated[Validated, "a note"]) -> float:
    return body.age


async def awaited(body: Validated) -> float:
    return body.age


class Service:
    def __call__(self, body: Validated) -> float:
        return body.age

    def method(self, body: Application) -> float:
        return body.age


FUNCTIONS: list[Callable[..., Any]] = [
    plain, bare, unknown, of_dataclass, of_optional, of_union, of_annotated, awaited, Service(), Service().method,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: getattr(function, "__name__", "object"))
def test_a_function_is_handed_what_it_is_annotated_with(function: Callable[..., Any]) -> None:
    session = CallableSession(function, "m:f", as_list=False)
    assert session.predict(session.preprocess({"age": 2.0})) == [2.0]
    session.close()


@pytest.mark.parametrize("function", [plain, bare, unknown, len, lambda record: 0.0])
def test_a_dict_needs_no_body(function: Callable[..., Any]) -> None:
    assert find_body(function) is None


@pytest.mark.parametrize(
    ("function", "record", "words"),
    [
        (of_dataclass, {"income": 2.0}, "the record is no Application, which the function takes: .*'age'"),
        (of_dataclass, {"age": 1.0, "name": "x"}, "unexpected keyword argument 'name'"),
        (of_annotated, {}, "the record is no Validated, which the function takes: .*age is missing"),
    ],
)
def test_a_record_that_is_no_body_is_one_line(function: Callable[..., Any], record: dict[str, Any], words: str) -> None:
    session = CallableSession(function, "m:f", as_list=False)
    with pytest.raises(EngineError, match=words) as caught:
        session.preprocess(record)
    assert caught.value.hint.startswith("it has age")


def test_a_pydantic_model_is_built_and_says_what_is_wrong() -> None:
    pydantic = pytest.importorskip("pydantic")
    body = pydantic.create_model("Body", f0=(float, ...), f1=(float, 0.5))

    def typed(record: Any) -> float:
        return float(record.f0 + record.f1)

    typed.__annotations__["record"] = body
    session = CallableSession(typed, "m:f", as_list=False)
    assert session.predict(session.preprocess({"f0": 1, "f2": 3})) == [1.5]
    with pytest.raises(EngineError, match="the record is no Body, which the function takes: f0: Field required"):
        session.preprocess({"f1": 1})
