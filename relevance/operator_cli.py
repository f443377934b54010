"""What an operator does with a bundle: check it, serve it, export it."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from relevance import terminal
from relevance.errors import DataError
from relevance.options import AsJson, Bundle, open_bundle, path_of, print_answer

TOKEN = "RELEVANCE_TOKEN"
"""The variable that holds a writer's token: an argument could be read in the list of processes."""


def inspect(bundle: Bundle = None, as_json: AsJson = False) -> None:
    """Check a bundle and tell what it holds: manifest, counts, calibration."""
    report = _report(path_of(bundle))
    print_answer(report if as_json else terminal.report(report))


def serve(
    bundle: Annotated[Path, typer.Argument(envvar="RELEVANCE_BUNDLE", help="Folder made by `python -m index build`.")],
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
    settings = Settings(
        bundle=bundle, live=live, images=images, events=events, token=_token(token_file), queue=queue, deadline=deadline
    )
    serve_bundle(settings, host, port, workers)


def export(
    index: Annotated[str, typer.Argument(help="Name of the search engine's index.")],
    bundle: Bundle = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write here and not to stdout.")] = None,
    embeddings: Annotated[bool, typer.Option(help="With the vectors of the joint space.")] = True,
) -> None:
    """Write every listing's category and embedding as bulk updates for OpenSearch or Elasticsearch (NDJSON)."""
    from relevance.artifacts import writing_file
    from relevance.bulk import lines

    found = lines(open_bundle(bundle).current, index, embeddings)
    if out is None:
        for line in found:
            typer.echo(line)
        return
    with writing_file(out) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in found)


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


def _report(path: Path) -> dict[str, Any]:
    import numpy as np

    import relevance
    from relevance.bundle import BundleLayout, Calibration

    engine = relevance.open(path).current
    files = [path / name for name in engine.manifest["files"]]
    return {
        "bundle": str(path),
        "manifest": {name: value for name, value in engine.manifest.items() if name not in ("files", "queries")},
        "counts": {
            "files": len(files),
            "megabytes": round(sum(os.path.getsize(file) for file in files) / 1e6, 1),
            "listings": len(engine),
            "listings_with_photo": int(np.any(engine.visual.embeddings, axis=1).sum()),
            "categories_with_listings": int((~engine.categories.empty).sum()),
            "attributes": len(engine.columns.attributes),
        },
        "calibration": asdict(Calibration.read(BundleLayout(path).calibration)),
    }
