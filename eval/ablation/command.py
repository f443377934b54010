"""`python -m eval ablation`: what each ingredient of the towers brings."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def command(
    dataset: Annotated[Path, typer.Option(help="Dataset folder with events.")],
    out: Annotated[Path, typer.Option(help="Folder for the runs, ablation.md and ablation.json.")],
    listings: Annotated[Path | None, typer.Option(help="Listing index; without it, no photos.")] = None,
    text_prior: Annotated[str | None, typer.Option(help="Model2Vec model, as for `training towers`.")] = None,
    lexicon: Annotated[str | None, typer.Option(help="WordNet database, as for `training towers`.")] = None,
    queries: Annotated[Path | None, typer.Option(help="Judged queries: column query, optional kind.")] = None,
    judgments: Annotated[Path | None, typer.Option(help="Columns query, listing_id, grade.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings without each ingredient.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="Of each training.")] = 4,
    sessions: Annotated[int | None, typer.Option(min=1, help="Use only the latest so many sessions.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="An ingredient to look at. Repeatable; default: all.")] = None,
) -> None:
    """Train the towers anew without each of their ingredients, and tell what is lost. Goes on where it was stopped."""
    from tqdm import tqdm

    from eval.ablation.ingredients import EVERYTHING, INGREDIENTS, OF_LEXICON, OF_PRIOR
    from eval.ablation.recent import recent
    from eval.ablation.report import as_json, markdown
    from eval.ablation.runs import Runs, Settings
    from eval.grades import RELEVANT
    from eval.inputs import read_judgments, read_queries
    from eval.search import join
    from relevance.artifacts import write_text_atomic
    from relevance.dataset import Dataset
    from relevance.errors import DataError

    if (queries is None) != (judgments is None):
        raise DataError("--queries and --judgments go together: give both or neither")
    for name in only or ():
        if name not in INGREDIENTS:
            raise DataError(f"--only {name}: no such ingredient; there are {', '.join(INGREDIENTS)}")
    missing = (*(() if text_prior else OF_PRIOR), *(() if lexicon else OF_LEXICON))
    chosen = only or [name for name in INGREDIENTS if name not in missing]
    judged = []
    if queries and judgments:
        judged = join(read_queries(queries), read_judgments(judgments, "listing_id", "grade"), RELEVANT)
    simulated = Dataset.open(dataset).truth_dir.is_dir()
    paths = [None if path is None else str(path) for path in (listings, queries, judgments)]
    settings = Settings(str(dataset), paths[0], text_prior, lexicon, epochs, sessions, paths[1], paths[2])
    runs = Runs(out, settings, judged, RELEVANT)
    part = recent(dataset, sessions, out / "dataset") if sessions else dataset
    made = []
    with tqdm(total=seeds * (1 + len(chosen)), desc="ablation", unit="run", file=sys.stderr) as progress:
        for seed in range(seeds):
            for name in (EVERYTHING, *chosen):
                progress.set_postfix_str(f"{name}, seed {seed}")
                made.append(runs.run(part, name, seed))
                progress.update()
    write_text_atomic(out / "ablation.json", json.dumps(as_json(settings, made, simulated), indent=1) + "\n")
    text = markdown(settings, made, simulated)
    write_text_atomic(out / "ablation.md", text + "\n")
    typer.echo(text)
