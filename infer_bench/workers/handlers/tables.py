"""The handlers of what is predicted for a table."""

from infer_bench.workers.handlers.handler import of_model
from infer_bench.workers.tasks.feed_dtype import DescribeFeed, describe_feed
from infer_bench.workers.tasks.float64 import CheckFloat64, PredictInFloat64, check_float64, predict_in_float64
from infer_bench.workers.tasks.predict_batches import (
    PredictBatch,
    PredictRecords,
    PredictWithin,
    predict_batch,
    predict_records,
    predict_within,
)
from infer_bench.workers.tasks.predict_table import PredictTable, predict_table
from infer_bench.workers.tasks.unseen_categories import FindUnseenColumns, find_unseen_columns

HANDLERS = (
    of_model(PredictTable, predict_table),
    of_model(PredictBatch, predict_batch),
    of_model(PredictRecords, predict_records),
    of_model(PredictWithin, predict_within),
    of_model(PredictInFloat64, predict_in_float64),
    of_model(CheckFloat64, check_float64),
    of_model(DescribeFeed, describe_feed),
    of_model(FindUnseenColumns, find_unseen_columns),
)
