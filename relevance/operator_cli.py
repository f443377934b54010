"""What an operator does with a bundle: check it, serve it, export it."""

import os
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relevance import terminal
from relevance.errors import DataError, DataWarning
from relevance.options import BUNDLE, AsJson, Bundle, Live, open_bundle, print_answer

if TYPE_CHECKING:
    from relevance.engine import Engine

TOKEN = "RELEVANCE_TOKEN"
"""The variable that holds a writer's token: an argument could be read in the list of processes."""


def inspect(bundle: Bundle = None, as_json: AsJson = False) -> None:
    """Check a bundle and tell what it holds: manifest, counts, calibration."""
    with open_bundle(bundle) as engine:
        report = _report(engine.current)
    print_answer(report if as_json else terminal.report(_without_classes(report)))


def serve(
    bundle: Annotated[Path, typer.Argument(envvar="RELEVANCE_BUNDLE", help=BUNDLE)],
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is reachable from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
    live: Annotated[
        Path | None,
        typer.Option(
            envvar="RELEVANCE_LIVE", metavar="DIR", help="Folder of the listings changed since; writing needs a token."
        ),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that the listings' photos are relative to: the dataset.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Record behaviour here: events/ of the dataset. Needs a token.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Holds the writers' token, in place of ${TOKEN}.")
    ] = None,
    queue: Annotated[int, typer.Option(min=1, help="Requests at once, of a worker; the next are turned away.")] = 64,
    deadline: Annotated[float, typer.Option(min=0.001, help="Seconds that a request may take.")] = 10.0,
) -> None:
    """Answer the same operations over HTTP, with a page to try them on at /."""
    from relevance.service import Settings
    from relevance.service import serve as serve_bundle

    if images is not None and not images.is_dir():
        raise DataError(f"--images: expected a folder, found {'a file' if images.exists() else 'nothing'} at {images}")
    token = _token(token_file)
    if events is not None and token is None:
        told = f"--events: nothing will be recorded, as nobody may write: set {TOKEN} or give --token-file"
        warnings.warn(told, DataWarning, stacklevel=1)
    settings = Settings(bundle, live=live, images=images, events=events, token=token, queue=queue, deadline=deadline)
    serve_bundle(settings, host, port, workers)


def export(
    index: Annotated[str, typer.Argument(help="Name of the search engine's index.")],
    bundle: Bundle = None,
    live: Live = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write here and not to stdout.")] = None,
    embeddings: Annotated[bool, typer.Option(help="With the vectors of the joint space.")] = True,
) -> None:
    """Write every listing's category and embedding as bulk updates for OpenSearch or Elasticsearch (NDJSON)."""
    from relevance.bulk import lines

    with open_bundle(bundle, live) as engine:
        found = lines(engine.current, index, embeddings)
        if out is not None:
            _write_lines(out, found)
            return
        for line in found:
            typer.echo(line)


def _write_lines(out: Path, lines: Iterable[str]) -> None:
    from relevance.artifacts import writing_file

    with writing_file(out) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _token(file: Path | None) -> str | None:
    """The token that a file or the environment holds, None where neither does."""
    if file is None:
        return os.environ.get(TOKEN) or None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"--token-file: {file}: cannot be read ({error})") from error
    if not token:
        raise DataError(f"--token-file: {file}: expected a token, found nothing")
    return token


def _report(engine: "Engine") -> dict[str, Any]:
    import numpy as np

    from relevance.bundle import BundleLayout, Calibration

    files = [engine.root / name for name in engine.manifest["files"]]
    return {
        "bundle": str(engine.root),
        "manifest": {name: value for name, value in engine.manifest.items() if name not in ("files", "queries")},
        "counts": {
            "files": len(files),
            "megabytes": round(sum(os.path.getsize(file) for file in files) / 1e6, 1),
            "listings": len(engine),
            "listings_with_photo": int(np.any(engine.visual.embeddings, axis=1).sum()),
            "categories_with_listings": int((~engine.categories.empty).sum()),
            "attributes": len(engine.columns.attributes),
        },
        "calibration": asdict(Calibration.read(BundleLayout(engine.root).calibration)),
    }


def _without_classes(report: dict[str, Any]) -> dict[str, Any]:
    """The report with how many classes the photo model has, in place of their ids: hundreds are no line of a table."""
    manifest = report["manifest"]
    classes = {"class_ids": f"{len(manifest['class_ids']):,} classes"} if manifest.get("class_ids") else {}
    return report | {"manifest": manifest | classes}
