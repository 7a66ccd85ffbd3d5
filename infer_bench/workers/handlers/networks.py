"""The handlers of what networks are asked."""

from infer_bench.workers.handlers.handler import of_model, of_request, of_session
from infer_bench.workers.tasks.batch_invariance import CompareBatch, compare_batch
from infer_bench.workers.tasks.draw_requests import DrawRequests, draw_for_session
from infer_bench.workers.tasks.network_outputs import PredictOutputs, PredictVariants, predict_outputs, predict_variants
from infer_bench.workers.tasks.quantize import (
    PrepareNetwork,
    RunNetwork,
    WriteForm,
    prepare_network,
    run_network,
    write_form,
)
from infer_bench.workers.tasks.time_networks import TimeNetworks, time_networks

HANDLERS = (
    of_model(PredictOutputs, predict_outputs),
    of_model(PredictVariants, predict_variants),
    of_session(CompareBatch, compare_batch),
    of_model(DrawRequests, draw_for_session),
    of_request(PrepareNetwork, prepare_network),
    of_request(WriteForm, write_form),
    of_request(RunNetwork, run_network),
    of_request(TimeNetworks, time_networks),
)
