"""One training without one ingredient, by the commands that everybody uses, and what it is worth."""

import json
import resource
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from eval.ablation.ingredients import EVERYTHING, HELD_OUT, WRONGLY
from eval.search import OVERALL, Judged, evaluate
from eval.stages import run_stage
from relevance.artifacts import write_text_atomic
from relevance.engine import Engine
from relevance.errors import ArtifactError

HITS = 100
"""Hits asked for each judged query."""


@dataclass(frozen=True)
class Settings:
    """What all runs of an ablation share."""

    dataset: str
    listings: str | None
    text_prior: str | None
    lexicon: str | None
    epochs: int
    sessions: int | None
    queries: str | None
    judgments: str | None


@dataclass(frozen=True)
class Run:
    """seconds: processor time of the training; metrics: by name, None where there is nothing to measure."""

    ingredient: str
    seed: int
    seconds: float
    metrics: dict[str, float | None]


class Runs:
    """The runs of one ablation, one file each in `root`: what is there is not made again."""

    def __init__(self, root: Path, settings: Settings, judged: Sequence[Judged], relevant: int) -> None:
        """Raises ArtifactError where `root` holds something else than runs, or runs with other settings."""
        self._root, self._settings, self._judged, self._relevant = root, settings, judged, relevant
        path = root / "settings.json"
        if not path.is_file() and (root.is_file() or (root.is_dir() and any(root.iterdir()))):
            raise ArtifactError(f"{root}: expected a folder of ablation runs, or none; choose another --out")
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else asdict(settings)
        name = next((name for name, value in asdict(settings).items() if found.get(name) != value), None)
        if name is not None:
            raise ArtifactError(
                f"{root}: its runs were made with {name} {found.get(name)!r}, not {asdict(settings)[name]!r}; "
                "choose another --out"
            )
        write_text_atomic(path, json.dumps(asdict(settings), indent=1) + "\n")

    def run(self, dataset: Path, ingredient: str, seed: int) -> Run:
        """Returns a run, made or found; dataset: the part that is learned from. Raises TrainingError where a command
        fails."""
        path = self._root / "runs" / f"{ingredient}-{seed}.json"
        if path.is_file():
            return Run(**json.loads(path.read_text(encoding="utf-8")))
        # A new folder each time: an interrupted training begins anew, or its seconds would be of the rest alone.
        with TemporaryDirectory(dir=self._root) as folder:
            done = self._made(dataset, ingredient, seed, Path(folder))
        write_text_atomic(path, json.dumps(asdict(done), indent=1) + "\n")
        return done

    def _made(self, dataset: Path, ingredient: str, seed: int, folder: Path) -> Run:
        towers, bundle = folder / "towers", folder / "bundle"
        before = _children_seconds()
        run_stage("training", "towers", str(dataset), "--out", str(towers), *self._training(ingredient, seed))
        seconds = _children_seconds() - before
        metrics = held_out(json.loads((towers / "manifest.json").read_text(encoding="utf-8"))["metrics"])
        if self._judged:
            run_stage("index", "build", str(dataset), "--towers", str(towers), "--out", str(bundle), *self._listings())
            metrics |= of_judged(Engine(bundle), self._judged, self._relevant)
        return Run(ingredient, seed, round(seconds, 1), metrics)

    def _training(self, ingredient: str, seed: int) -> list[str]:
        prior = ["--text-prior", self._settings.text_prior] if self._settings.text_prior else []
        lexicon = ["--lexicon", self._settings.lexicon] if self._settings.lexicon else []
        off = [] if ingredient == EVERYTHING else ["--without", ingredient]
        return [*self._listings(), *prior, *lexicon, "--epochs", str(self._settings.epochs), "--seed", str(seed), *off]

    def _listings(self) -> list[str]:
        return ["--listings", self._settings.listings] if self._settings.listings else []


def held_out(metrics: dict[str, Any]) -> dict[str, float | None]:
    """Returns the figures of a towers' manifest that an ablation compares, by the names in HELD_OUT."""
    cold = metrics.get("recall@10_of", {}).get("cold_listings", {"pairs": 0})
    values = (
        metrics.get("recall@10"),
        metrics.get("recall@100"),
        metrics.get("unseen_queries", {}).get("recall@10"),
        cold["recall"] if cold["pairs"] else None,
        (metrics.get("category_accuracy") or [None])[-1],
    )
    return dict(zip((metric.name for metric in HELD_OUT), values, strict=True))


def of_judged(engine: Engine, judged: Sequence[Judged], relevant: int) -> dict[str, float | None]:
    """Returns NDCG@10 of all judged queries and of each kind, and how often the engine abstains, rightly and
    wrongly."""
    figures = evaluate(engine, judged, HITS, relevant)["figures"]
    own = {kind: systems["engine"] for kind, systems in figures.items()}
    found = {
        "NDCG@10" if kind == OVERALL else f"NDCG@10 {kind}": estimates["ndcg@10"]
        for kind, estimates in own.items()
        if estimates["ndcg@10"].n
    }
    found["abstains rightly"] = own[OVERALL]["correct_abstention"]
    found[WRONGLY.name] = own[OVERALL]["false_abstention"]
    return {name: round(estimate.value, 6) if estimate.n else None for name, estimate in found.items()}


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
