"""The ablation: what is compared with what, what is made only once, and what the table says."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.__main__ import app
from eval.ablation import runs as made
from eval.ablation.effects import effect, effects
from eval.ablation.recent import recent
from eval.ablation.report import cell, markdown
from eval.ablation.runs import Run, Runs, Settings
from relevance.dataset import Dataset
from relevance.errors import ArtifactError
from relevance.events import read_behaviour

SETTINGS = Settings("some/dataset", None, None, None, 2, None, None, None)


def run(ingredient: str, seed: int, **metrics: float | None) -> Run:
    return Run(ingredient, seed, 10.0 + seed, {name.replace("_", " "): value for name, value in metrics.items()})


def test_differences_are_taken_seed_by_seed() -> None:
    """Seeds differ by 0.3, the ingredient by 0.02: the spread is that of the differences alone."""
    found = effects(
        [
            run("everything", 0, recall=0.5, wrongly=0.1),
            run("everything", 1, recall=0.8, wrongly=0.1),
            run("rewrites", 0, recall=0.48, wrongly=None),
            run("rewrites", 1, recall=0.779, wrongly=0.3),
            run("rewrites", 2, recall=0.0, wrongly=0.0),
        ]
    )
    assert found["rewrites"]["recall"].difference == pytest.approx(-0.0205)
    assert found["rewrites"]["recall"].spread == pytest.approx(0.0005 * 2**0.5)
    assert (found["rewrites"]["recall"].seeds, found["rewrites"]["recall"].verdict) == (2, "helps")
    assert found["rewrites"]["wrongly"].difference == pytest.approx(0.2)
    assert (found["rewrites"]["wrongly"].seeds, found["rewrites"]["wrongly"].verdict) == (1, "")


def test_an_effect_is_clear_where_its_interval_leaves_zero_out() -> None:
    """Differences 1, 2, 3: deviation 1; Student's t with two degrees of freedom is 4.303, over the root of 3."""
    found = effect([0.1, 0.2, 0.3], better=1)
    assert (found.difference, found.spread) == (pytest.approx(0.2), pytest.approx(0.1))
    assert found.margin == pytest.approx(0.1 * 4.3027 / 3**0.5, rel=1e-4)
    assert found.verdict == ""
    assert effect([0.1, 0.11, 0.12], better=1).verdict == "harms"
    assert effect([0.1, 0.11, 0.12], better=-1).verdict == "helps"
    assert effect([0.1, 0.1, 0.1], better=1).verdict == ""  # one query of ten, each time
    assert effect([0.0007, 0.0008, 0.0009], better=1).verdict == ""
    assert cell(effect([0.1, 0.11, 0.12], better=1)) == "**+0.110 ± 0.010**"
    assert cell(effect([0.1], better=1)) == "+0.100"
    assert cell(None) == "-"


def test_the_table_names_what_helps_and_what_does_not() -> None:
    values = {
        "everything": (0.70, 0.71, 0.72),
        "ngrams": (0.60, 0.60, 0.62),
        "padding": (0.69, 0.72, 0.72),
        "log-q": (0.75, 0.77, 0.77),
    }
    listed = [
        Run(name, seed, 9.0, {"recall@10": value, "cold recall@10": None})
        for name, own in values.items()
        for seed, value in enumerate(own)
    ]
    text = markdown(SETTINGS, listed, simulated=True)
    assert "**Behaviour is simulated.**" in text
    assert "some/dataset: 2 epochs, 3 seeds." in text
    assert "| (everything on) | 9 | 0.710 |" in text
    assert "| character n-grams | 9 | **-0.103 ± 0.006** |" in text
    assert "- helps: character n-grams" in text
    assert "- harms: logQ correction" in text
    assert "- not shown to help or harm: padding with words that say little" in text


class Stages:
    """Stands in for the stages: towers whose recall depends on what was left out."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str) -> None:
        self.commands.append(arguments)
        towers = Path(arguments[arguments.index("--out") + 1])
        towers.mkdir(parents=True)
        recall = (0.5 if "--without" in arguments else 0.6) + 0.002 * ("1" in arguments and "--without" in arguments)
        (towers / "manifest.json").write_text(json.dumps({"metrics": {"recall@10": recall, "recall@100": 0.9}}))


def test_a_finished_run_is_not_made_again(tiny_chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = Stages()
    monkeypatch.setattr(made, "run_stage", stages)
    arguments = ["ablation", "--dataset", str(tiny_chain / "dataset"), "--out", str(tmp_path / "out"), "--epochs", "2"]
    arguments += ["--only", "rewrites", "--only", "ngrams"]
    ran = CliRunner().invoke(app, [*arguments, "--seeds", "1"])
    assert ran.exit_code == 0, ran.output
    assert len(stages.commands) == 3
    assert stages.commands[1][-2:] == ("--without", "rewrites")
    # A second seed: its three runs are made, and no others.
    again = CliRunner().invoke(app, [*arguments, "--seeds", "2"])
    assert again.exit_code == 0, again.output
    assert len(stages.commands) == 6
    assert all(command[command.index("--seed") + 1] == "1" for command in stages.commands[3:])
    written = json.loads((tmp_path / "out" / "ablation.json").read_text(encoding="utf-8"))
    assert written["simulated"] is True
    assert written["effects"]["rewrites"]["recall@10"]["difference"] == pytest.approx(-0.099)
    assert written["effects"]["rewrites"]["recall@100"]["verdict"] == ""
    assert "**-0.099 ± 0.001**" in (tmp_path / "out" / "ablation.md").read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "ablation.json", "ablation.md", "runs", "settings.json"
    }  # fmt: skip


def test_the_seconds_of_a_training_are_those_of_all_of_it(
    tiny_chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was stopped leaves its finished epochs beside its output; the next run does not go on from them."""
    begun: list[Path] = []

    def stopped(*arguments: str) -> None:
        out = Path(arguments[arguments.index("--out") + 1])
        begun.append(out)
        assert not out.with_name(f"{out.name}.training.npz").exists()
        out.with_name(f"{out.name}.training.npz").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(made, "run_stage", stopped)
    runs = Runs(tmp_path, SETTINGS, [], 2)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            runs.run(tiny_chain / "dataset", "ngrams", 0)
    assert len(begun) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    with pytest.raises(ArtifactError, match="expected a folder of ablation runs, or none"):
        Runs(tmp_path, SETTINGS, [], 2)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_runs_with_other_settings_are_not_mixed(tmp_path: Path) -> None:
    Runs(tmp_path, SETTINGS, [], 2)
    Runs(tmp_path, SETTINGS, [], 2)
    other = Settings("some/dataset", None, None, None, 8, None, None, None)
    with pytest.raises(ArtifactError, match="its runs were made with epochs 2, not 8; choose another --out"):
        Runs(tmp_path, other, [], 2)


def test_what_cannot_be_is_refused_before_any_run(tiny_chain: Path, tmp_path: Path) -> None:
    arguments = ["ablation", "--dataset", str(tiny_chain / "dataset"), "--out", str(tmp_path / "out")]
    unknown = CliRunner().invoke(app, [*arguments, "--only", "salt"])
    assert "--only salt: no such ingredient; there are text-prior" in str(unknown.exception)
    half = CliRunner().invoke(app, [*arguments, "--queries", "queries.csv"])
    assert "--queries and --judgments go together" in str(half.exception)
    assert not (tmp_path / "out").exists()


def test_the_latest_sessions_are_a_dataset(tiny_chain: Path, tmp_path: Path) -> None:
    whole = read_behaviour(tiny_chain / "dataset")
    part = read_behaviour(recent(tiny_chain / "dataset", 200, tmp_path / "part"))
    assert len(set(part.query_sessions)) == 200
    assert part.query_times.min() > whole.query_times.min()
    assert part.query_times.max() == whole.query_times.max()
    kept = set(part.query_sessions)
    rows = [row for row, session in enumerate(whole.query_sessions) if session in kept]
    assert part.query_ids == [whole.query_ids[row] for row in rows]
    assert part.hit_ids == [whole.hit_ids[row] for row in rows]
    events = [at for at, query in enumerate(whole.event_query.tolist()) if query in set(rows)]
    assert part.event_listing == [whole.event_listing[at] for at in events]
    assert part.event_positions.tolist() == whole.event_positions[events].tolist()
    assert part.actions == [whole.actions[at] for at in events]


def test_the_latest_sessions_know_which_categories_moved(tiny_chain: Path, tmp_path: Path) -> None:
    source = tmp_path / "dataset"
    shutil.copytree(tiny_chain / "dataset", source)
    (source / "moved.csv").write_text("category_id,moved_to\ngone,\n")
    part = Dataset.open(recent(source, 5, tmp_path / "part"))
    assert part.read_ontology().moved == {"gone": None}
