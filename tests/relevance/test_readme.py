"""The README's commands exist, with the options it gives them, and its Python runs."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

import eval.__main__
import index.__main__
import relevance
import relevance.cli
import training.__main__

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
APPS = {
    "python -m eval": eval.__main__.app,
    "python -m index": index.__main__.app,
    "python -m training": training.__main__.app,
    "relevance": relevance.cli.app,
}


def _commands() -> list[tuple[str, list[str]]]:
    """(program, words) of every command line in the README."""
    text = README.replace("\\\n", " ")
    found = []
    for line in re.findall(r"^ *\$ (.*)$", text, flags=re.MULTILINE) + re.findall(r"`([^`]+)`", text):
        for program in APPS:
            line = " ".join(line.split())
            if line.startswith(program + " "):
                found.append((program, shlex.split(line[len(program) :].split(" #")[0])))
    return found


@pytest.mark.parametrize(("program", "words"), _commands(), ids=lambda value: str(value)[:60])
def test_commands_and_options_exist(program: str, words: list[str]) -> None:
    command: Any = typer.main.get_command(APPS[program])
    while hasattr(command, "commands"):
        assert words[0] in command.commands
        command, words = command.commands[words[0]], words[1:]
    known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_there_are_commands_for_every_stage() -> None:
    assert {program for program, _ in _commands()} == set(APPS)


def test_the_python_examples_run(tiny_bundle: Path, tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    engine = relevance.Engine(tiny_bundle)
    own = next(row.listing_id for row in engine.store.rows([0]).values())
    ran = "\n".join(code).replace("build/demo/bundle", str(tiny_bundle)).replace("L0000017", own)
    ran = ran.replace("build/demo/live", str(tmp_path))
    scope: dict[str, object] = {}
    exec(ran, scope)
    assert isinstance(scope["result"], relevance.SearchResult)
    assert isinstance(scope["engine"], relevance.LiveEngine)
    assert scope["engine"].get("new-1") is not None
