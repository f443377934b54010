"""The image starts what the command line has. (No container engine is needed: the same words are run as a process.)"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from relevance.cli import main

DOCKERFILE = (Path(__file__).resolve().parents[2] / "Dockerfile").read_text(encoding="utf-8")


def instruction(name: str) -> list[str]:
    """The words of an instruction in exec form, in which a container's signals reach the process itself."""
    (words,) = re.findall(rf"^{name} (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return list(json.loads(words))


def environment() -> dict[str, str]:
    (pairs,) = re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)
    return dict(pair.split("=") for pair in pairs.split())


def test_the_entry_point_and_the_containers_argument_are_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert instruction("CMD") == ["serve"]  # what SageMaker gives as the argument
    monkeypatch.setattr(sys, "argv", [*instruction("ENTRYPOINT"), *instruction("CMD"), "--help"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    help_text = capsys.readouterr().out
    assert all(name in help_text for name in environment())
    assert environment()["RELEVANCE_PHOTO_MODEL"] == "/opt/ml/model"


def test_the_port_is_the_commands_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", [*instruction("ENTRYPOINT"), "serve", "--help"])
    with pytest.raises(SystemExit):
        main()
    (port,) = re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert f"default: {port}" in " ".join(capsys.readouterr().out.split())


def test_without_a_model_it_ends_and_says_so() -> None:
    words = ", ".join(map(repr, [*instruction("ENTRYPOINT"), *instruction("CMD")]))
    command = [sys.executable, "-c", f"import sys; sys.argv = [{words}]; from relevance.cli import main; main()"]
    variables = os.environ | environment()
    ran = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=120, check=False)
    assert (ran.returncode, ran.stderr) == (2, "error: /opt/ml/model: no such folder\n")
