"""How a process ended, in words."""

import signal


def name_signal(number: int) -> str:
    """The name of a signal, as in `SIGKILL`; `signal 40` where it has none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def describe_exit(code: int) -> str:
    """`exited with code 1`, or what killed it: `subprocess` gives a signal's number below zero."""
    if code >= 0:
        return f"exited with code {code}"
    name = name_signal(-code)
    return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
