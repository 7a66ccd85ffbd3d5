"""What quantising two small networks costs and gains, on digits that neither has seen.

    python benchmarks/quantize_digits.py             # the table of docs/quantise.md, and a calibration that fails
    python benchmarks/quantize_digits.py --network full --untimed

The networks are trained here in a second: three full layers, and two convolutions with a trained head. The second table
is calibrated on pixels 255 times darker than those that judge.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # `tests` is of the clone, and not installed

from infer_bench import quantize
from infer_bench.measure.quantize.settings import QuantizeSettings, read_limits
from infer_bench.reporters.registry import render
from tests.networks import TRAINING, digits, save_convolutional, save_full

NETWORKS = {"full": (save_full, (64,)), "convolutional": (save_convolutional, (1, 8, 8))}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables of each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=sorted(NETWORKS), action="append")
    parser.add_argument("--untimed", action="store_true", help="leave the speed out")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.network or NETWORKS:
            for darker in (False, True):
                print_table(Path(folder), name, darker=darker, timed=not options.untimed)


def print_table(folder: Path, name: str, *, darker: bool, timed: bool) -> None:
    """Quantise one network and print the report as markdown."""
    save, shape = NETWORKS[name]
    pixels, labels = digits()
    unseen = pixels[TRAINING:].reshape(-1, *shape)
    np.savez(folder / "rows.npz", x=unseen)
    np.savez(folder / "dark.npz", x=unseen[:200] / 255)
    np.save(folder / "labels.npy", labels[TRAINING:])
    report = quantize(
        str(save(folder / f"{name}.onnx")),
        data=str(folder / ("dark.npz" if darker else "rows.npz")),
        judge=str(folder / "rows.npz") if darker else None,
        labels=str(folder / "labels.npy"),
        settings=QuantizeSettings(limits=read_limits("accuracy=2%", "2%", None), time_forms=timed),
    )
    print(f"## {name}, calibrated on {'pixels 255 times darker' if darker else 'pixels as they are'}\n")
    print(render(report, "markdown"))


if __name__ == "__main__":
    main()
