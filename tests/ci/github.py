"""As much of GitHub Actions as the recipes use: steps, composite actions, outputs, expressions."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ci.pages import ROOT, parse_yaml
from tests.ci.workshop import CompletedScript, Workshop, git

EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
OUTPUT = re.compile(r"^([\w-]+)<<(\w+)\n(.*?)\n?^\2\n", re.DOTALL | re.MULTILINE)
OURS = "OWNER/infer-bench@"
SHELLS = {"bash": ("-eo", "pipefail"), None: ("-e",)}


@dataclass
class Job:
    """Runs steps in their order. `code` is that of the first failure; `other_actions` are names and inputs."""

    workshop: Workshop
    contexts: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    code: int = 0
    other_actions: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    scripts: list[CompletedScript] = field(default_factory=list)

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

    def execute(self, steps: list[dict[str, Any]]) -> "Job":
        for step in steps:
            if self._should_run(step.get("if", "success()")):
                self._step(step)
        return self

    def _should_run(self, condition: str) -> bool:
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

    def fill(self, text: object) -> str:
        return EXPRESSION.sub(lambda match: self.value(match[1]), str(text))

    def _step(self, step: Mapping[str, Any]) -> None:
        inputs = {name: self.fill(value) for name, value in step.get("with", {}).items()}
        outputs: Mapping[str, str] = {}
        if "run" in step:
            code, outputs = self._script(step)
        elif step["uses"].startswith(OURS):
            code, outputs = self._composite(inputs)
        else:
            code = self._other(step["uses"], inputs)
        self.contexts |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in outputs.items()}
        self.code = self.code or code

    def _script(self, step: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
        file = self.workshop.temp / f"output-{uuid.uuid4().hex}"
        file.touch()
        own = {name: self.fill(value) for name, value in step.get("env", {}).items()}
        environment = {**self.environment, **own, "GITHUB_OUTPUT": str(file)}
        process = self.workshop.bash(self.fill(step["run"]), environment, SHELLS[step.get("shell")])
        self.scripts.append(process)
        return process.returncode, {name: value for name, _, value in OUTPUT.findall(file.read_text(encoding="utf-8"))}

    def _composite(self, inputs: Mapping[str, str]) -> tuple[int, dict[str, str]]:
        action = parse_yaml((ROOT / "action.yml").read_text(encoding="utf-8"))
        assert inputs.keys() <= action["inputs"].keys()
        inputs = {name: inputs.get(name, entry.get("default", "")) for name, entry in action["inputs"].items()}
        within = {f"inputs.{name}": value for name, value in inputs.items()}
        inner = Job(self.workshop, within, self.environment).execute(action["runs"]["steps"])
        self.scripts += inner.scripts
        return inner.code, {name: inner.fill(entry["value"]) for name, entry in action["outputs"].items()}

    def _other(self, action: str, inputs: dict[str, str]) -> int:
        if action.startswith("actions/checkout@") and "path" in inputs:
            folder = self.workshop.folder
            git(folder, "worktree", "add", "-q", "--detach", str(folder / inputs["path"]), f"origin/{inputs['ref']}")
        self.other_actions.append((action.partition("@")[0], inputs))
        file = inputs.get("output-file-path") or (inputs.get("path") if "artifact" in action else None)
        return int(file is not None and not (self.workshop.folder / Path(file)).is_file())
