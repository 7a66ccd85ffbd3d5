"""Processes that are forked from one that has imported the libraries, instead of started: most of a process's cost.

A process that was forked is one of its own, with its arguments, environment, folder and descriptors, and answers as one
that was started. What a test says of the start itself (memory, imports, the ways to fail) needs one that was.

- `client`: what asks for a fork. Workers of the tests' own process are forked but for `pytest.mark.started_workers`;
  `ForkedPopen` is `subprocess.Popen` for an interpreter's command, and what such a process starts is forked as well.
- `start` starts a script that asks for forks of what it starts.
- `template`: a process that has imported the libraries, one for each environment that must be in force before.
- `broker`: starts the templates, and brings the two together. It is shared by all processes of a test run.
"""

from pathlib import Path

from tests.forking.client import BrokerProcess, ForkedPopen, Forking

__all__ = ["START", "BrokerProcess", "ForkedPopen", "Forking"]

START = str(Path(__file__).with_name("start.py"))
