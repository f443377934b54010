"""The benchmark of backbones: it times real encoders, and refuses names that are none."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from training.__main__ import app
from training.classifier import measured_backbones
from training.classifier.measured_backbones import Row, report, seconds_a_call


def test_a_backbone_is_built_and_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured_backbones, "SECONDS", 0.0)
    out = tmp_path / "backbones.json"
    result = CliRunner().invoke(app, ["backbones", "--backbone", "small", "--out", str(out)])
    assert result.exit_code == 0, result.output
    (row,) = json.loads(out.read_text())
    assert (row["name"], row["side"]) == ("small", 64)
    assert row["parameters"] == pytest.approx(0.66, abs=0.05)
    assert row["photos_per_second"] > 0
    # Four bytes a weight, and the last layer's.
    assert row["mebibytes"] == pytest.approx(4 * row["parameters"] * 1e6 / 2**20, rel=0.5)


def test_an_unknown_backbone_is_refused_before_any_is_built() -> None:
    result = CliRunner().invoke(app, ["backbones", "--backbone", "small", "--backbone", "Inception"])
    assert result.exit_code != 0
    assert "InceptionResNetV2" in str(result.exception)


def test_the_time_of_a_call_is_the_median_without_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.5, 1.0, 4.0, 5.0, 5.7])
    monkeypatch.setattr("training.classifier.measured_backbones.time.thread_time", lambda: next(now))
    calls: list[int] = []
    assert seconds_a_call(lambda: calls.append(1)) == pytest.approx(0.7)
    assert len(calls) == 4


def test_the_fastest_stands_first() -> None:
    lines = report([Row("slow", 600, 64.1, 0.517, 250.0), Row("fast", 64, 0.66, 1234.0, 3.0)]).splitlines()
    assert lines[1].split() == ["fast", "64", "0.7", "1.23e+03", "3.0"]
    assert lines[2].split() == ["slow", "600", "64.1", "0.517", "250.0"]
