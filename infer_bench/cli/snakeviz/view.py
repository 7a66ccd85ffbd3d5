"""`--view`: snakeviz on a saved profile, on the loopback address only."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from infer_bench.errors import CannotRun, MissingDependency
from infer_bench.output import write_stdout

HOST = "127.0.0.1"
START_S = 30.0


def view(path: Path) -> None:
    """Serve the profile until Ctrl-C; opens a browser where there is a display, and prints the address in any case.

    Raises `MissingDependency` without snakeviz, `CannotRun` when it does not start.
    """
    require_snakeviz()
    port = _find_free_port()
    address = f"http://{HOST}:{port}/snakeviz/{quote(str(path.resolve()), safe='')}"
    module = "infer_bench.cli.snakeviz.server"
    command = [sys.executable, "-m", module, "--server", "--hostname", HOST, "--port", str(port), str(path)]
    before = signal.signal(signal.SIGTERM, _exit_by_signal)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for(address, server)
        write_stdout(f"{address}\n")
        print("snakeviz serves it until Ctrl-C", file=sys.stderr)
        if _has_display():
            webbrowser.open(address)
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.terminate()
        server.wait()
        signal.signal(signal.SIGTERM, before)


def require_snakeviz() -> None:
    """Raises `MissingDependency` without it."""
    if find_spec("snakeviz") is None:
        raise MissingDependency("snakeviz", "profile")


def _exit_by_signal(number: int, _: object) -> None:
    """So that a polite kill ends the server too."""
    raise SystemExit(128 + number)


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_S
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until and server.poll() is None:
        try:
            with opener.open(address, timeout=START_S):
                return
        except urllib.error.HTTPError as error:
            raise CannotRun(f"snakeviz cannot show this profile: it answered {error.code}") from None
        except OSError:
            time.sleep(0.05)
    raise CannotRun("snakeviz did not start", "python -m snakeviz FILE says why")


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
