"""The command `relevance` in a shell: help, completion, refusals in one line, interrupts, and what a terminal shows."""

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from typer.testing import CliRunner

import relevance
from relevance import cli
from relevance.errors import DataWarning
from tests.relevance.command_line import MAIN, refused, run

COMMANDS = (
    "search", "category-filter", "fallback", "related", "similar", "upsert", "delete", "inspect", "serve", "export",
    "photos",
)  # fmt: skip


def test_help_names_every_command_and_is_quick() -> None:
    start = time.monotonic()
    ran = run("--help")
    assert time.monotonic() - start < 10
    assert ran.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in ran.stdout
        assert CliRunner().invoke(cli.app, [command, "--help"]).exit_code == 0


def test_a_shell_can_complete() -> None:
    environment = os.environ | {"_RELEVANCE_COMPLETE": "complete_bash", "COMP_WORDS": "relevance s", "COMP_CWORD": "1"}
    ran = subprocess.run([sys.executable, "-c", MAIN], capture_output=True, text=True, env=environment, timeout=60)
    assert set(ran.stdout.split()) == {"search", "similar", "serve"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "x", "-k", "0"], "k: expected 1 to 1000, got 0"),
        (["search", "x", "--category", "nope"], "unknown category 'nope'"),
        (["search", "x", "--attribute", "nope=1"], "filters: no attribute 'nope'"),
        (["search", "x", "--near", "1,2"], "--near: expected LAT,LON,KM"),
        (["search", "x", "--near", "a,b,c"], "--near: expected LAT,LON,KM"),
        (["search", "x", "--attribute", "colour"], "--attribute: expected NAME=VALUE"),
        (["search", "x", "--price-min", "nan"], "filters: price: expected"),
        (["similar", "no such\nlisting"], "similar: no listing with id 'no such\\nlisting'"),
        (["similar"], "similar: give either"),
        (["similar", "x", "--image", "y"], "similar: give either"),
        (["similar", "--image", "/no/such/file"], "/no/such/file: cannot be read (No such file or directory)"),
        (["similar", "--image", __file__], "expected a photo, but it is not an image"),
    ],
)
def test_refusals(tiny_bundle: Path, arguments: list[str], message: str) -> None:
    assert message in refused(run(*arguments, bundle=tiny_bundle))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_json_is_whole_in_any_encoding(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    assert json.loads(run("search", "日本 café", "--json", bundle=tiny_bundle).stdout)["query"] == "日本 café"


def test_no_bundle() -> None:
    assert refused(run("search", "x")) == "no bundle named: give --bundle PATH or set RELEVANCE_BUNDLE"


@pytest.mark.parametrize("command", [["search", "x", "--bundle"], ["inspect", "--bundle"], ["serve"]])
def test_what_is_no_bundle_is_named(tmp_path: Path, command: list[str]) -> None:
    assert refused(run(*command, str(tmp_path / "none"))) == f"{tmp_path / 'none'}: no such folder"
    assert str(tmp_path) in refused(run(*command, str(tmp_path)))


def test_recording_without_a_token_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relevance.service.serve", lambda *_: None)
    monkeypatch.delenv("RELEVANCE_TOKEN", raising=False)
    with pytest.warns(DataWarning, match="--events: nothing will be recorded, as nobody may write"):
        CliRunner().invoke(cli.app, ["serve", str(tmp_path), "--events", str(tmp_path)])
    monkeypatch.setenv("RELEVANCE_TOKEN", "secret")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert CliRunner().invoke(cli.app, ["serve", str(tmp_path), "--events", str(tmp_path)]).exit_code == 0


def test_interrupting_gives_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "open_bundle", interrupted)
    monkeypatch.setattr(sys, "argv", ["relevance", "search", "x"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 130


def test_output_that_the_terminal_cannot_show_does_not_fail(tiny_bundle: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "RELEVANCE_BUNDLE": str(tiny_bundle)}
    command = [sys.executable, "-c", MAIN, "search", "任天堂 \udcff", "--json"]
    ran = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["query"] == "任天堂 \udcff"


def test_a_title_cannot_drive_the_terminal() -> None:
    hit = relevance.Hit("1", 0.5, 0.5, "lexical", "reason", "\x1b[2Jred\r\nchair\u202e", None, None, "", None)
    table = cli.terminal.hits([hit])
    assert table.isprintable() is False  # line breaks of the table itself
    assert all(line.isprintable() for line in table.splitlines())
    assert len(table.splitlines()) == 2
