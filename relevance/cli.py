"""The command `relevance`: the runtime's operations for people (tables) and for programs (--json)."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relevance import terminal
from relevance.entry import run
from relevance.errors import BundleError, DataError
from relevance.photos import cli as photos

if TYPE_CHECKING:
    from relevance.filters import Filters
    from relevance.live.engine import LiveEngine
    from relevance.results import Hit

app = typer.Typer(
    help="Search relevance for classifieds and marketplaces.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(photos.app, name="photos")

Bundle = Annotated[
    Path | None,
    typer.Option("--bundle", envvar="RELEVANCE_BUNDLE", help="Folder made by `python -m index build`."),
]
Count = Annotated[int, typer.Option("-k", help="Most listings shown.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
QueryText = Annotated[str, typer.Argument(help="What is searched. After --, it may begin with a dash.")]
PriceMin = Annotated[float | None, typer.Option("--price-min", help="Lowest price.")]
PriceMax = Annotated[float | None, typer.Option("--price-max", help="Highest price.")]
Near = Annotated[str | None, typer.Option("--near", metavar="LAT,LON,KM", help="At most KM away from a place.")]
Category = Annotated[str | None, typer.Option("--category", metavar="ID", help="A category and what is under it.")]
MaxAge = Annotated[float | None, typer.Option("--max-age-days", help="Not older than this.")]
Locale = Annotated[str | None, typer.Option("--locale", help="Language of the listing, as the catalogue writes it.")]
Attribute = Annotated[
    list[str] | None,
    typer.Option("--attribute", metavar="NAME=VALUE", help="Repeat it for more; one name: any of."),
]
"""The options of a search, used by `search` and `fallback`."""


@app.command()
def search(
    query: QueryText,
    bundle: Bundle = None,
    k: Count = 10,
    as_json: AsJson = False,
    price_min: PriceMin = None,
    price_max: PriceMax = None,
    near: Near = None,
    category: Category = None,
    max_age_days: MaxAge = None,
    locale: Locale = None,
    attribute: Attribute = None,
) -> None:
    """Search listings; where the words find nothing, the fallback answers or says that nothing does."""
    filters = _filters(price_min, price_max, near, category, max_age_days, locale, attribute)
    result = _open(bundle).search(query, k, filters)
    _print(result.to_dict() if as_json else terminal.search_result(result))


@app.command("category-filter")
def category_filter(query: QueryText, bundle: Bundle = None, as_json: AsJson = False) -> None:
    """Tell which categories a query is about, for a search engine of your own."""
    found = _open(bundle).category_filter(query)
    _print(asdict(found) if as_json else terminal.category_filter(found))


@app.command()
def fallback(
    query: QueryText,
    bundle: Bundle = None,
    k: Count = 10,
    as_json: AsJson = False,
    price_min: PriceMin = None,
    price_max: PriceMax = None,
    near: Near = None,
    category: Category = None,
    max_age_days: MaxAge = None,
    locale: Locale = None,
    attribute: Attribute = None,
) -> None:
    """Find listings for a query whose words found none in a search engine of your own."""
    filters = _filters(price_min, price_max, near, category, max_age_days, locale, attribute)
    found = _open(bundle).fallback(query, filters, k)
    _print(asdict(found) if as_json else terminal.fallback(found))


@app.command()
def similar(
    listing_id: Annotated[str | None, typer.Argument(help="The listing whose first photo is compared.")] = None,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="FILE", help="A photo, in place of a listing.")
    ] = None,
    bundle: Bundle = None,
    k: Count = 10,
    as_json: AsJson = False,
) -> None:
    """Find listings that look like a listing or like a photo."""
    if (listing_id is None) == (image is None):
        raise DataError("similar: give either a LISTING_ID or --image FILE")
    engine = _open(bundle)
    hits = engine.similar(listing_id, k=k) if image is None else _similar_to_file(engine, image, k)
    _print([asdict(hit) for hit in hits] if as_json else terminal.hits(hits))


@app.command()
def inspect(bundle: Bundle = None, as_json: AsJson = False) -> None:
    """Check a bundle and tell what it holds: manifest, counts, calibration."""
    report = _report(_path(bundle))
    _print(report if as_json else terminal.report(report))


@app.command()
def serve(
    bundle: Annotated[Path, typer.Argument(envvar="RELEVANCE_BUNDLE", help="Folder made by `python -m index build`.")],
    host: Annotated[
        str, typer.Option(help="Address to listen on; the default is reachable from this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
) -> None:
    """Answer the same operations over HTTP."""
    from relevance.service import serve as serve_bundle

    serve_bundle(bundle, host, port)


def _path(bundle: Path | None) -> Path:
    if bundle is None:
        raise BundleError("no bundle named: give --bundle PATH or set RELEVANCE_BUNDLE")
    return bundle


def _open(bundle: Path | None) -> "LiveEngine":
    import relevance

    return relevance.open(_path(bundle))


def _filters(
    price_min: float | None,
    price_max: float | None,
    near: str | None,
    category: str | None,
    max_age_days: float | None,
    locale: str | None,
    attributes: list[str] | None,
) -> "Filters":
    from relevance.filters import Filters

    return Filters(
        price=None if price_min is None and price_max is None else (price_min, price_max),
        near=None if near is None else _near(near),
        category=category,
        max_age_days=max_age_days,
        locale=locale,
        attributes=_attributes(attributes or []),
    )


def _near(text: str) -> tuple[float, float, float]:
    try:
        latitude, longitude, kilometres = map(float, text.split(","))
    except ValueError:
        raise DataError(f"--near: expected LAT,LON,KM such as 52.37,4.89,25, got {text!r}") from None
    return latitude, longitude, kilometres


def _attributes(pairs: list[str]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise DataError(f"--attribute: expected NAME=VALUE such as colour=red, got {pair!r}")
        values.setdefault(name, []).append(value)
    return values


def _similar_to_file(engine: "LiveEngine", image: Path, k: int) -> "tuple[Hit, ...]":
    from relevance.images import MAX_BYTES, PhotoError

    try:
        with open(image, "rb") as file:
            return engine.similar(image=file.read(MAX_BYTES + 1), k=k)
    except OSError as error:
        raise DataError(f"{image}: cannot be read ({error.strerror})") from error
    except PhotoError as error:
        raise DataError(f"{image}: expected a photo, but it is {error}") from error


def _report(path: Path) -> dict[str, Any]:
    import numpy as np

    import relevance
    from relevance.bundle import BundleLayout, Calibration

    engine = relevance.open(path).current
    files = [path / name for name in engine.manifest["files"]]
    return {
        "bundle": str(path),
        "manifest": {name: value for name, value in engine.manifest.items() if name != "files"},
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


def _print(answer: Any) -> None:
    typer.echo(answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, indent=2))


def main() -> None:
    """Runs the command line; what the user can mend is one line on stderr and exit code 2."""
    # A title or an argument may hold what the terminal's encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    run(app, "relevance")
