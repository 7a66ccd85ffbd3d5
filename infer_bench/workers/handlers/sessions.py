"""The handlers of requests about sessions and about the process itself."""

from infer_bench.workers.handlers.handler import of_host
from infer_bench.workers.host import Host
from infer_bench.workers.requests import (
    CloseSession,
    DescribeEnvironment,
    ImportEngine,
    LoadModel,
    MeasureMemory,
    ReadDomain,
    SetRows,
    ShareRows,
)

HANDLERS = (
    of_host(ImportEngine, Host.import_engine),
    of_host(LoadModel, Host.load_model),
    of_host(SetRows, Host.set_rows),
    of_host(ShareRows, Host.share_rows),
    of_host(CloseSession, Host.close_session),
    of_host(ReadDomain, Host.read_domain),
    of_host(MeasureMemory, Host.measure_memory),
    of_host(DescribeEnvironment, Host.describe_environment),
)
