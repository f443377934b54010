"""`relevance photos`: the photo classifier alone, for people, programs and other services."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relevance import terminal

if TYPE_CHECKING:
    from relevance.photos.answers import PhotoAnswer, PhotoReader

app = typer.Typer(
    help="Classify photos, here or over HTTP, with a trained classifier and no bundle.", no_args_is_help=True
)

Model = Annotated[
    Path,
    typer.Option(
        "--model",
        envvar="RELEVANCE_PHOTO_MODEL",
        help="A classifier folder, or one that holds it as classifier/ beside any attributes*/.",
    ),
]
Attributes = Annotated[
    list[Path] | None, typer.Option("--attributes", help="An attribute model's folder; repeat it for more.")
]
Threshold = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        max=1.0,
        help="How sure an answer has to be; below it, an ancestor is answered, or nothing. Default: the model's own.",
    ),
]
Threads = Annotated[int, typer.Option(min=1, help="Cores that one call of the model may use.")]
_BATCH = 8


@app.command()
def classify(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Image files.")],
    model: Model,
    attributes: Attributes = None,
    k: Annotated[int, typer.Option("-k", min=1, max=20, help="Most categories of a photo, with --json.")] = 5,
    embedding: Annotated[bool, typer.Option("--embedding", help="With --json, the visual embedding too.")] = False,
    threshold: Threshold = None,
    threads: Threads = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Tell what photos show. The exit code is 1 where a photo could not be used."""
    from relevance.photos.answers import PhotoReader, to_json

    reader = PhotoReader.open(model, attributes or [], threshold, threads)
    found = list(_classified(reader, photos))
    if as_json:
        rows = [{"error": a} if isinstance(a, str) else to_json(a, k, embedding) for a in found]
        photo = [{"photo": str(path)} | row for path, row in zip(photos, rows, strict=True)]
        typer.echo(terminal.json_text(photo))
    else:
        typer.echo(terminal.photos(list(zip(map(str, photos), found, strict=True))))
    if any(isinstance(answer, str) for answer in found):
        raise typer.Exit(1)


@app.command()
def serve(
    model: Model,
    attributes: Attributes = None,
    host: Annotated[
        str,
        typer.Option(
            envvar="RELEVANCE_HOST", help="Address to listen on; the default is reachable from this machine only."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, envvar="RELEVANCE_PORT")] = 8080,
    threshold: Threshold = None,
    threads: Threads = 1,
    batch: Annotated[int, typer.Option(min=1, help="Most photos that go through the model together.")] = 8,
    wait_ms: Annotated[float, typer.Option(min=0, help="Longest that a photo waits for others.")] = 2.0,
    decoders: Annotated[
        int | None, typer.Option(min=1, help="Photos decoded at once, each in up to 200 MB. Default: one a core.")
    ] = None,
    queue: Annotated[int, typer.Option(min=1, help="Requests at once; the next are turned away.")] = 32,
    deadline: Annotated[float, typer.Option(min=0.001, help="Seconds that a request may take.")] = 20.0,
) -> None:
    """Answer over HTTP: GET /ping, POST /invocations, POST /v1/models/photos:predict, GET /v2/health/ready."""
    from relevance.photos.answers import PhotoReader
    from relevance.photos.service import serve as serve_photos
    from relevance.photos.worker import Limits

    limits = Limits(batch, wait_ms / 1000, decoders or Limits.decoders, queue, deadline)
    serve_photos(PhotoReader.open(model, attributes or [], threshold, threads), limits, host, port)


def _classified(reader: "PhotoReader", photos: Sequence[Path]) -> "Iterator[PhotoAnswer | str]":
    """An answer for each photo, or the reason why there is none."""
    import numpy as np

    from relevance.images import load_many

    loaded = load_many(([path] for path in photos), reader.image_size, threads=2)
    while part := list(islice(loaded, _BATCH)):
        usable = [one.photo for one in part if one.photo is not None]
        answers = iter(reader(np.stack(usable)) if usable else [])
        for one in part:
            yield one.bad[0][1] if one.photo is None else next(answers)
