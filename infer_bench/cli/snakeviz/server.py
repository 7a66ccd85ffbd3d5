"""`python -m infer_bench.cli.snakeviz.server …`: snakeviz as it is, but its pages may talk to their own server only.

Its chart first asks a CDN for two scripts that it has itself; kept from it, it takes its own, online and offline alike.
"""

import sys
from typing import Any

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "worker-src 'self' blob:; img-src 'self' data:"
)


def main() -> int:
    """Run snakeviz with the command line's arguments."""
    from snakeviz import cli
    from snakeviz import main as server

    def send_policy(handler: Any) -> None:
        handler.set_header("Content-Security-Policy", POLICY)

    server.VizHandler.set_default_headers = send_policy
    code: int = cli.main(sys.argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())
