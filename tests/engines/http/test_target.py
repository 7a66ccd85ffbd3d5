"""Which addresses are loaded, and which are not."""

import pytest

from infer_bench.engines.http.target import parse_target, resolve
from infer_bench.errors import CannotRun, UsageError


@pytest.mark.parametrize(
    ("text", "url", "port", "path"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/predict", 8080, "/predict"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/predict", 8080, "/predict"),
        ("http://localhost/score?v=1", "http://localhost/score?v=1", 80, "/score?v=1"),
        ("https://[::1]:8443/x y#part", "https://[::1]:8443/x%20y", 8443, "/x%20y"),
        ("http://bücher.example/ä", "http://xn--bcher-kva.example/%C3%A4", 80, "/%C3%A4"),
    ],
)
def test_a_url_is_taken_apart(text: str, url: str, port: int, path: str) -> None:
    target = parse_target(text)
    assert (target.url, target.port, target.path) == (url, port, path)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://",
        "http://a:b@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://[::1/",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_target(text)


def test_no_line_can_be_added_to_the_request() -> None:
    target = parse_target("http://127.0.0.1/a\r\nX-Evil: 1")
    assert "\r" not in target.path + target.authority
    assert "\n" not in target.path + target.authority


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost"])
def test_this_machine_may_be_loaded(host: str) -> None:
    assert resolve(parse_target(f"http://{host}:80"), is_mine=False)


@pytest.mark.parametrize("host", ["192.0.2.1", "0.0.0.0", "[2001:db8::1]"])
def test_another_only_where_the_user_says_that_it_is_theirs(host: str) -> None:
    target = parse_target(f"http://{host}")
    with pytest.raises(UsageError, match="not this machine"):
        resolve(target, is_mine=False)
    assert resolve(target, is_mine=True)


def test_a_name_without_an_address_cannot_be_loaded() -> None:
    with pytest.raises(CannotRun, match="has no address"):
        resolve(parse_target("http://nothing.invalid"), is_mine=False)
