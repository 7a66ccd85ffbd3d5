"""As much of GitHub Actions as the recipes use: steps, composite actions, outputs, expressions."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ci.pages import ROOT, parsed
from tests.ci.workshop import Done, Workshop, git

EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
OUTPUT = re.compile(r"^([\w-]+)<<(\w+)\n(.*?)\n?^\2\n", re.DOTALL | re.MULTILINE)
OURS = "OWNER/infer-bench@"
SHELLS = {"bash": ("-eo", "pipefail"), None: ("-e",)}


@dataclass
class Job:
    """Runs steps in their order. `code` is that of the first step that failed, `used` what other actions were given."""

    workshop: Workshop
    contexts: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    code: int = 0
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)

    def __post_init__(self) -> None:
        temp = self.workshop.temp
        self.contexts = {
            "github.base_ref": "main",
            "github.action_path": str(ROOT),
            "runner.temp": str(temp),
            "secrets.GITHUB_TOKEN": "token",
        } | self.contexts
        own = {"GITHUB_ACTIONS": "true", "GITHUB_BASE_REF": "main", "RUNNER_TEMP": str(temp)}
        self.environment = {**own, "GITHUB_STEP_SUMMARY": str(temp / "summary.md"), **self.environment}

    def run(self, steps: list[dict[str, Any]]) -> "Job":
        for step in steps:
            if self._wanted(step.get("if", "success()")):
                self._step(step)
        return self

    def _wanted(self, condition: str) -> bool:
        clauses = [clause.strip() for clause in condition.split("&&")]
        return ("always()" in clauses or self.code == 0) and all(map(self._holds, clauses))

    def _holds(self, clause: str) -> bool:
        if clause in ("always()", "success()"):
            return True
        name, text = re.fullmatch(r"([\w.-]+) != '(.*)'", clause).groups()  # type: ignore[union-attr]
        return self.value(name) != text

    def value(self, name: str) -> str:
        """Of a context. A step's output that was not set is empty, as it is on GitHub."""
        return self.contexts.get(name, "") if name.startswith("steps.") else self.contexts[name]

    def filled(self, text: object) -> str:
        return EXPRESSION.sub(lambda found: self.value(found[1]), str(text))

    def _step(self, step: Mapping[str, Any]) -> None:
        given = {name: self.filled(value) for name, value in step.get("with", {}).items()}
        outputs: Mapping[str, str] = {}
        if "run" in step:
            code, outputs = self._script(step)
        elif step["uses"].startswith(OURS):
            code, outputs = self._composite(given)
        else:
            code = self._other(step["uses"], given)
        self.contexts |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in outputs.items()}
        self.code = self.code or code

    def _script(self, step: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
        file = self.workshop.temp / f"output-{uuid.uuid4().hex}"
        file.touch()
        own = {name: self.filled(value) for name, value in step.get("env", {}).items()}
        environment = {**self.environment, **own, "GITHUB_OUTPUT": str(file)}
        done = self.workshop.bash(self.filled(step["run"]), environment, SHELLS[step.get("shell")])
        self.done.append(done)
        return done.returncode, {name: value for name, _, value in OUTPUT.findall(file.read_text(encoding="utf-8"))}

    def _composite(self, given: Mapping[str, str]) -> tuple[int, dict[str, str]]:
        action = parsed((ROOT / "action.yml").read_text(encoding="utf-8"))
        assert given.keys() <= action["inputs"].keys()
        inputs = {name: given.get(name, told.get("default", "")) for name, told in action["inputs"].items()}
        within = {f"inputs.{name}": value for name, value in inputs.items()}
        inner = Job(self.workshop, within, self.environment).run(action["runs"]["steps"])
        self.done += inner.done
        return inner.code, {name: inner.filled(told["value"]) for name, told in action["outputs"].items()}

    def _other(self, action: str, given: dict[str, str]) -> int:
        if action.startswith("actions/checkout@") and "path" in given:
            folder = self.workshop.folder
            git(folder, "worktree", "add", "-q", "--detach", str(folder / given["path"]), f"origin/{given['ref']}")
        self.used.append((action.partition("@")[0], given))
        needed = given.get("output-file-path") or (given.get("path") if "artifact" in action else None)
        return int(needed is not None and not (self.workshop.folder / Path(needed)).is_file())
