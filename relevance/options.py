"""What the commands share: options, opening a bundle, printing an answer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relevance.errors import BundleError, DataError

if TYPE_CHECKING:
    from relevance.filters import Filters
    from relevance.live.engine import LiveEngine

BUNDLE = "Folder made by `python -m index build`, or kept by `promote`."

Bundle = Annotated[
    Path | None,
    typer.Option("--bundle", envvar="RELEVANCE_BUNDLE", help=BUNDLE),
]
_LIVE = typer.Option("--live", envvar="RELEVANCE_LIVE", metavar="DIR", help="Folder of the listings changed since.")
Live = Annotated[Path | None, _LIVE]
WrittenLive = Annotated[Path, _LIVE]
"""The same folder, to write to: no command that writes does without."""

Count = Annotated[int, typer.Option("-k", help="Most listings shown.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
QueryText = Annotated[str, typer.Argument(help="What is searched. After --, it may begin with a dash.")]
PriceMin = Annotated[float | None, typer.Option("--price-min", help="Lowest price.")]
PriceMax = Annotated[float | None, typer.Option("--price-max", help="Highest price.")]
Near = Annotated[str | None, typer.Option("--near", metavar="LAT,LON,KM", help="At most KM away from a place.")]
Category = Annotated[str | None, typer.Option("--category", metavar="ID", help="A category and what is under it.")]
NotCategory = Annotated[
    list[str] | None,
    typer.Option("--not-category", metavar="ID", help="Without a category and what is under it; repeat it for more."),
]
MaxAge = Annotated[float | None, typer.Option("--max-age-days", help="Not older than this.")]
Locale = Annotated[str | None, typer.Option("--locale", help="Language of the listing, as the catalogue writes it.")]
Attribute = Annotated[
    list[str] | None,
    typer.Option("--attribute", metavar="NAME=VALUE", help="Repeat it for more; one name: any of."),
]
"""The options of a search, used by `search` and `fallback`."""


def path_of(bundle: Path | None) -> Path:
    """The bundle that was named; raises BundleError where none was."""
    if bundle is None:
        raise BundleError("no bundle named: give --bundle PATH or set RELEVANCE_BUNDLE")
    return bundle


def open_bundle(bundle: Path | None, live: Path | None = None) -> "LiveEngine":
    """The engine over the bundle that was named, with the live listings, which it can only read. Close it."""
    import relevance

    return relevance.open(path_of(bundle), live=live, read_only=True)


def read_filters(
    price_min: float | None,
    price_max: float | None,
    near: str | None,
    category: str | None,
    max_age_days: float | None,
    locale: str | None,
    attributes: list[str] | None,
    not_categories: list[str] | None,
) -> "Filters":
    """The filters that the options of a search name; raises DataError naming the option that is wrong."""
    from relevance.filters import Filters

    return Filters(
        price=None if price_min is None and price_max is None else (price_min, price_max),
        near=None if near is None else _near(near),
        category=category,
        max_age_days=max_age_days,
        locale=locale,
        attributes=_attributes(attributes or []),
        not_categories=not_categories or (),
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


def print_answer(answer: Any) -> None:
    """Prints text as it is and anything else as JSON."""
    from relevance.terminal import json_text

    typer.echo(answer if isinstance(answer, str) else json_text(answer))
