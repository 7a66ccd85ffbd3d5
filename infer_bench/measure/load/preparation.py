"""From what the user named to a service that has answered once."""

from infer_bench.engines.http.protocols.choose import complete_path, make_protocol, tell_protocol
from infer_bench.engines.http.protocols.json_template import JsonCodec
from infer_bench.engines.http.target import parse_target, resolve
from infer_bench.measure.load.payloads import Payloads
from infer_bench.measure.load.probe import fetch, find_service
from infer_bench.measure.load.service import RowSource, Service, make_payloads, require_rows
from infer_bench.measure.load.settings import LoadSettings


def prepare(url: str, rows: RowSource, settings: LoadSettings) -> Service:
    """Find out how the service is spoken to, make the requests, and send one.

    Raises `UsageError` for an address that may not be loaded and rows that do not fit, `CannotRun` where there is no
    right answer.
    """
    target = parse_target(url)
    addresses = resolve(target, is_mine=settings.target_is_mine)
    protocol = tell_protocol(settings.protocol, target)
    target = complete_path(target, protocol)

    def get(path: str) -> bytes:
        return fetch(target, addresses, path, settings.timeout_s, settings.token)

    codec = make_protocol(settings.protocol, protocol, target, rows.columns, settings.batch, get)
    if not (isinstance(codec, JsonCodec) and not codec.needs_rows):
        require_rows(rows)
    payloads: Payloads = make_payloads(target, codec, rows, settings.batch, settings.token)
    return find_service(target, addresses, codec, payloads, settings.timeout_s)
