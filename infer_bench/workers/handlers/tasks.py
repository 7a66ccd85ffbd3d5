"""The handlers of tasks besides timing: predict, convert, read trees."""

from infer_bench.workers.handlers.handler import of_model, of_request, of_session
from infer_bench.workers.tasks.batch_invariance import CompareBatch, compare_batch
from infer_bench.workers.tasks.convert import (
    ConvertModel,
    ConvertNetwork,
    FixSizes,
    ImportWriter,
    convert_model,
    convert_network,
    fix_sizes,
    import_writer,
)
from infer_bench.workers.tasks.draw_requests import DrawRequests, draw_for_session
from infer_bench.workers.tasks.feed_dtype import DescribeFeed, describe_feed
from infer_bench.workers.tasks.float64 import (
    CheckFloat64,
    PredictInFloat64,
    check_float64,
    predict_in_float64,
)
from infer_bench.workers.tasks.loaded_packages import ListPackages, list_packages
from infer_bench.workers.tasks.model_forms import WriteForms, write_forms
from infer_bench.workers.tasks.network_outputs import (
    PredictOutputs,
    PredictVariants,
    predict_outputs,
    predict_variants,
)
from infer_bench.workers.tasks.pipeline_steps import PredictInFloat32, RunSteps, predict_in_float32, run_steps
from infer_bench.workers.tasks.predict_batches import (
    PredictBatch,
    PredictRecords,
    PredictWithin,
    predict_batch,
    predict_records,
    predict_within,
)
from infer_bench.workers.tasks.predict_table import PredictTable, predict_table
from infer_bench.workers.tasks.quantize import (
    PrepareNetwork,
    RunNetwork,
    WriteForm,
    prepare_network,
    run_network,
    write_form,
)
from infer_bench.workers.tasks.read_trees import ReadTrees, read_trees
from infer_bench.workers.tasks.time_networks import TimeNetworks, time_networks
from infer_bench.workers.tasks.unseen_categories import FindUnseenColumns, find_unseen_columns

HANDLERS = (
    of_model(PredictTable, predict_table),
    of_model(PredictBatch, predict_batch),
    of_model(PredictRecords, predict_records),
    of_model(PredictWithin, predict_within),
    of_model(PredictInFloat64, predict_in_float64),
    of_model(CheckFloat64, check_float64),
    of_model(PredictOutputs, predict_outputs),
    of_model(PredictVariants, predict_variants),
    of_model(PredictInFloat32, predict_in_float32),
    of_model(RunSteps, run_steps),
    of_model(DescribeFeed, describe_feed),
    of_model(FindUnseenColumns, find_unseen_columns),
    of_session(CompareBatch, compare_batch),
    of_model(DrawRequests, draw_for_session),
    of_request(ImportWriter, import_writer),
    of_request(ConvertModel, convert_model),
    of_request(ConvertNetwork, convert_network),
    of_request(FixSizes, fix_sizes),
    of_request(ReadTrees, read_trees),
    of_request(WriteForms, write_forms),
    of_request(ListPackages, list_packages),
    of_request(PrepareNetwork, prepare_network),
    of_request(WriteForm, write_form),
    of_request(RunNetwork, run_network),
    of_request(TimeNetworks, time_networks),
)
