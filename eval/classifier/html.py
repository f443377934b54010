"""Parts of a static page."""

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from eval.bootstrap import Estimate
from eval.classifier.gallery import Example

Cell = str | int | float | Estimate


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table that scrolls by itself on a narrow screen; numbers and estimates are kept on one line."""
    head = "".join(f"<th>{escape(name)}" for name in header)
    body = "\n".join(f"<tr>{''.join(map(_cell, row))}" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}<tbody>\n{body}\n</table></div>'


def _cell(value: Cell) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}"
    text = value.text() if isinstance(value, Estimate) else f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
    return f'<td class="number">{text}'


def percent(share: float) -> str:
    """`12.3 %`, not to be broken."""
    return f"{100 * share:.1f}\u00a0%"


def figure(drawn: str, caption: str, large: bool = False) -> str:
    """An SVG with a line under it."""
    return f"<figure{' class=large' * large}>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def beside(*parts: str) -> str:
    """Tables and figures beside each other, one below the other on a narrow screen."""
    return f'<div class="beside">{"".join(parts)}</div>'


def gallery(examples: Sequence[Example], images: str) -> str:
    """Photos with what they show and what they were taken for; `images`: the dataset's folder, seen from the page."""
    if not examples:
        return "<p>None.</p>"
    return f'<ul class="photos">{"".join(_photo(example, images) for example in examples)}</ul>'


def _photo(example: Example, images: str) -> str:
    source = escape(quote(f"{images}/{example.image}"))
    said = f"{escape(example.predicted)} ({example.probability:.2f})"
    answer = said if example.predicted == example.truth else f"{escape(example.truth)}<br>taken for {said}"
    photo = f'<img src="{source}" alt="" loading="lazy">'
    return f"<li>{photo}<div>{escape(example.title)}</div><small>{answer}</small></li>\n"
