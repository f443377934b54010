"""The command `relevance`: the runtime's operations for people (tables) and for programs (--json)."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relevance import live_cli, operator_cli, terminal
from relevance.entry import run
from relevance.errors import DataError
from relevance.options import (
    AsJson,
    Attribute,
    Bundle,
    Category,
    Count,
    Live,
    Locale,
    MaxAge,
    Near,
    NotCategory,
    PriceMax,
    PriceMin,
    QueryText,
    open_bundle,
    print_answer,
    read_filters,
)
from relevance.photos import cli as photos

if TYPE_CHECKING:
    from relevance.live.engine import LiveEngine
    from relevance.results import Hit

app = typer.Typer(
    help="Search relevance for classifieds and marketplaces.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def search(
    query: QueryText,
    bundle: Bundle = None,
    live: Live = None,
    k: Count = 10,
    as_json: AsJson = False,
    price_min: PriceMin = None,
    price_max: PriceMax = None,
    near: Near = None,
    category: Category = None,
    max_age_days: MaxAge = None,
    locale: Locale = None,
    attribute: Attribute = None,
    not_category: NotCategory = None,
) -> None:
    """Search listings; where the words find nothing, the fallback answers or says that nothing does."""
    filters = read_filters(price_min, price_max, near, category, max_age_days, locale, attribute, not_category)
    with open_bundle(bundle, live) as engine:
        result = engine.search(query, k, filters)
    print_answer(result.to_dict() if as_json else terminal.search_result(result))


@app.command("category-filter")
def category_filter(query: QueryText, bundle: Bundle = None, live: Live = None, as_json: AsJson = False) -> None:
    """Tell which categories a query is about, for a search engine of your own."""
    with open_bundle(bundle, live) as engine:
        found = engine.category_filter(query)
    print_answer(asdict(found) if as_json else terminal.category_filter(found))


@app.command()
def fallback(
    query: QueryText,
    bundle: Bundle = None,
    live: Live = None,
    k: Count = 10,
    as_json: AsJson = False,
    price_min: PriceMin = None,
    price_max: PriceMax = None,
    near: Near = None,
    category: Category = None,
    max_age_days: MaxAge = None,
    locale: Locale = None,
    attribute: Attribute = None,
    not_category: NotCategory = None,
) -> None:
    """Find listings for a query whose words found none in a search engine of your own."""
    filters = read_filters(price_min, price_max, near, category, max_age_days, locale, attribute, not_category)
    with open_bundle(bundle, live) as engine:
        found = engine.fallback(query, filters, k)
    print_answer(asdict(found) if as_json else terminal.fallback(found))


@app.command()
def related(
    query: QueryText,
    bundle: Bundle = None,
    live: Live = None,
    k: Annotated[int, typer.Option("-k", help="Most queries shown.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Tell queries to try next, from what people searched in the same session and from what means nearly the same."""
    with open_bundle(bundle, live) as engine:
        found = engine.related(query, k)
    print_answer(list(found) if as_json else terminal.queries(found))


@app.command()
def similar(
    listing_id: Annotated[str | None, typer.Argument(help="The listing whose first photo is compared.")] = None,
    image: Annotated[
        Path | None, typer.Option("--image", metavar="FILE", help="A photo, in place of a listing.")
    ] = None,
    bundle: Bundle = None,
    live: Live = None,
    k: Count = 10,
    as_json: AsJson = False,
) -> None:
    """Find listings that look like a listing or like a photo."""
    if (listing_id is None) == (image is None):
        raise DataError("similar: give either a LISTING_ID or --image FILE")
    with open_bundle(bundle, live) as engine:
        hits = engine.similar(listing_id, k=k) if image is None else _similar_to_file(engine, image, k)
    nothing = "no listings: it has no photo that can be used, or there is no other photo"
    print_answer([asdict(hit) for hit in hits] if as_json else terminal.hits(hits) if hits else nothing)


for command in (live_cli.upsert, live_cli.delete, operator_cli.inspect, operator_cli.serve, operator_cli.export):
    app.command()(command)
app.add_typer(photos.app, name="photos")


def _similar_to_file(engine: "LiveEngine", image: Path, k: int) -> "tuple[Hit, ...]":
    from relevance.images import MAX_BYTES, PhotoError

    try:
        with open(image, "rb") as file:
            return engine.similar(image=file.read(MAX_BYTES + 1), k=k)
    except OSError as error:
        raise DataError(f"{image}: cannot be read ({error.strerror})") from error
    except PhotoError as error:
        raise DataError(f"{image}: expected a photo, but it is {error}") from error


def main() -> None:
    """Runs the command line; what the user can mend is one line on stderr and exit code 2."""
    # A title or an argument may hold what the terminal's encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    run(app, "relevance")
