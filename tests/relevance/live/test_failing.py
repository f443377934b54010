"""The latest state cannot be taken in: the last one goes on answering, and an operator can see why."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import relevance
from relevance import LiveEngine, NewListing
from relevance.deployment import Deployment
from relevance.live import engine as live_engine
from tests.live_engines import eventually

LOGGER = "relevance.live.engine"


@pytest.fixture
def deployment(tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A deployment of a good bundle, `good`, beside one that is none, `bad`."""
    monkeypatch.setattr("relevance.live.engine.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("relevance.live.engine.POLL_SECONDS", 0.01)
    root = tmp_path / "root"
    shutil.copytree(tiny_bundle, root / "bundles" / "good")
    (root / "bundles" / "bad").mkdir()
    _put_in_use(root, "good")
    return Deployment(root)


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Grows by one each time that an engine has looked for the bundle in use: whether that came to an end."""
    ended: list[bool] = []
    follow = LiveEngine._follow

    def counted(engine: LiveEngine) -> bool:
        ended.append(False)
        ended[-1] = follow(engine)
        return ended[-1]

    monkeypatch.setattr(LiveEngine, "_follow", counted)
    return ended


@pytest.fixture
def following(deployment: Deployment, tries: list[bool]) -> Iterator[LiveEngine]:
    with relevance.open(deployment.root) as engine:
        yield engine


def _put_in_use(root: Path, name: str) -> None:
    (root / "next").symlink_to(Path("bundles") / name)
    (root / "next").replace(root / "current")


def _wait_for_more(tries: list[bool]) -> None:
    before = len(tries)
    eventually(lambda: len(tries) >= before + 5)


def test_what_could_not_be_taken_in_is_taken_in_later(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relevance.live.engine.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("relevance.live.engine.POLL_SECONDS", 0.01)
    taken_in = live_engine.recoded
    fails = [True]

    def once(*given: Any) -> Any:
        if given[0] and fails.pop():
            fails.append(False)
            raise OSError("no memory just now")
        fails.append(False)
        return taken_in(*given)

    with relevance.open(tiny_bundle, live=tmp_path) as reader, relevance.open(tiny_bundle, live=tmp_path) as writer:
        monkeypatch.setattr(live_engine, "recoded", once)
        with monkeypatch.context() as own:
            own.setattr(writer, "_take_in", lambda: False)
            writer.upsert([NewListing("late", "a lamp")])
        eventually(lambda: reader.get("late") is not None)


def test_a_failure_is_told_once_when_it_begins_and_once_when_it_ends(
    deployment: Deployment, following: LiveEngine, tries: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    assert following.status().failure is None
    with caplog.at_level(logging.INFO, logger=LOGGER):
        _put_in_use(deployment.root, "bad")
        eventually(lambda: following.status().failure is not None)
        _wait_for_more(tries)
        # Another process opens the bundle in use meanwhile, so that it is not this one's turn: that mends nothing.
        with ExitStack() as turns:  # until it is ours: the engine takes its own between two tries
            eventually(lambda: turns.enter_context(Deployment(deployment.root).opening()))
            _wait_for_more(tries)
            assert following.status().failure is not None
        assert following.search("lamp").query == "lamp"
        _put_in_use(deployment.root, "good")
        eventually(lambda: following.status().failure is None)
    levels = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == LOGGER]
    assert [level for level, _ in levels] == ["ERROR", "INFO"]
    assert "bad" in levels[0][1]
