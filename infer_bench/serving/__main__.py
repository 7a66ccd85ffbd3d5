"""The entry point of a worker."""

import sys

from infer_bench.serving.processes.worker import main

main(sys.argv[1:])
