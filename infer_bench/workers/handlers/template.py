"""The handlers of requests to a template, and to its workers for its sake."""

from infer_bench.workers.handlers.handler import of_host, of_request
from infer_bench.workers.host import Host
from infer_bench.workers.template.forking import import_libraries, list_libraries, reap_worker
from infer_bench.workers.template.requests import ForkWorker, ImportLibraries, ListLibraries, ReapWorker

HANDLERS = (
    of_request(ImportLibraries, import_libraries),
    of_host(ForkWorker, Host.fork_worker),
    of_request(ReapWorker, reap_worker),
    of_request(ListLibraries, list_libraries),
)
