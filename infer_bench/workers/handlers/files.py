"""The handlers of what is read from models and written for them."""

from infer_bench.workers.handlers.handler import of_model, of_request
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
from infer_bench.workers.tasks.loaded_packages import ListPackages, list_packages
from infer_bench.workers.tasks.model_forms import WriteForms, write_forms
from infer_bench.workers.tasks.pipeline_steps import PredictInFloat32, RunSteps, predict_in_float32, run_steps
from infer_bench.workers.tasks.read_trees import ReadTrees, read_trees

HANDLERS = (
    of_model(PredictInFloat32, predict_in_float32),
    of_model(RunSteps, run_steps),
    of_request(ImportWriter, import_writer),
    of_request(ConvertModel, convert_model),
    of_request(ConvertNetwork, convert_network),
    of_request(FixSizes, fix_sizes),
    of_request(ReadTrees, read_trees),
    of_request(WriteForms, write_forms),
    of_request(ListPackages, list_packages),
)
