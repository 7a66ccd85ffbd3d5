"""The entry point of the command `infer-bench`."""

import sys


def main() -> int:
    """Run the command line; returns the exit code. `--version` is answered before anything else is imported."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from infer_bench import __version__

        print(f"infer-bench {__version__}")
        return 0
    from infer_bench.cli.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
