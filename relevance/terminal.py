"""Answers as plain text for people (aligned columns, no control characters from a listing's text), and as JSON."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from relevance.photos.answers import PhotoAnswer
from relevance.results import CategoryFilter, CategoryScore, Fallback, Hit, SearchResult

_WIDEST = 48
_HEADER = ("", "relevance", "source", "price", "title", "category", "listing", "reason")


def json_text(answer: Any) -> str:
    """Returns JSON for programs: in ASCII where stdout has another encoding than UTF-8, and letters would be lost."""
    utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
    return json.dumps(answer, ensure_ascii=not utf8, indent=2)


def search_result(result: SearchResult) -> str:
    """Returns the category filter, what the fallback did, and the hits."""
    parts = [_filter_line(result.category_filter)]
    if result.fallback is not None:
        parts.append(fallback(result.fallback))
    elif result.hits:
        parts.append(hits(result.hits))
    return "\n\n".join(parts)


def category_filter(found: CategoryFilter) -> str:
    """Returns the mode and one line a category."""
    rows = [(f"{c.probability:.2f}", c.category_id, c.path) for c in found.categories]
    mode = f"mode: {found.mode}, made to hold the right category in {found.coverage:.0%} of searches"
    return "\n".join([mode, *_table([("probability", "id", "category"), *rows])]) if rows else "mode: none"


def fallback(found: Fallback) -> str:
    """Returns why the fallback answered, what it changed, and its hits or that there are none."""
    lines = [f"fallback: {found.trigger}"]
    if found.corrected_query is not None:
        lines.append(f"read as: {one_line(found.corrected_query)}")
    if found.relaxed:
        lines.append(f"given up to find these: {', '.join(found.relaxed)}")
    answer = "nothing in this catalogue answers the query" if found.abstained else hits(found.hits)
    return "\n".join([*lines, "", answer])


def hits(found: Sequence[Hit]) -> str:
    """Returns a table with one line a hit."""
    if not found:
        return "no listings"
    rows = [
        (
            str(rank),
            f"{hit.score:.3f}" if hit.relevance is None else f"{hit.relevance:.2f}",
            hit.source,
            "" if hit.price is None else f"{hit.price:.2f}",
            hit.title,
            hit.category.rpartition(" > ")[2],
            hit.listing_id,
            hit.reason,
        )
        for rank, hit in enumerate(found, 1)
    ]
    header = _HEADER if found[0].relevance is not None else ("", "cosine", *_HEADER[2:])
    return "\n".join(_table([header, *rows]))


def queries(found: Sequence[str]) -> str:
    """Returns a line a query."""
    return "\n".join(map(one_line, found)) or "no related queries"


def photos(found: Sequence[tuple[str, PhotoAnswer | str]]) -> str:
    """Returns a line a photo: its name, the category that is sure enough with its probability, and its attributes; for
    a photo that could not be used, the reason."""
    rows = [("photo", "probability", "category", "attributes")]
    for name, answer in found:
        if isinstance(answer, str):
            rows.append((name, "", f"not used: {answer}", ""))
            continue
        category = ("", "undecided") if answer.answer is None else _probable(answer.answer)
        rows.append((name, *category, ", ".join(f"{n}: {a.value}" for n, a in answer.attributes.items())))
    return "\n".join(_table(rows))


def upserted(total: dict[str, Any]) -> str:
    """Returns how many listings were written, and a line for each that was not."""
    rows = [
        (f"row {each['row']}", each["listing_id"], f"{kind}: {each['reason']}")
        for kind in ("rejected", "ignored")
        for each in total[kind]
    ]
    return "\n".join([f"written {total['accepted']}", *(_table(rows) if rows else ())])


def _probable(category: CategoryScore) -> tuple[str, str]:
    return f"{category.probability:.2f}", category.path


def report(values: dict[str, Any]) -> str:
    """Returns nested values as aligned lines `part.name  value`."""
    return "\n".join(_table(list(_flat("", values))))


def one_line(text: str) -> str:
    """Returns `text` with everything that is not printable (line breaks, escape sequences) as spaces."""
    return "".join(c if c.isprintable() else " " for c in text)


def _filter_line(found: CategoryFilter) -> str:
    names = "; ".join(f"{one_line(c.path)} ({c.probability:.2f})" for c in found.categories)
    return f"categories: {found.mode}" + (f": {names}" if names else "")


def _flat(prefix: str, values: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        elif isinstance(value, list | tuple):
            yield f"{prefix}{name}", ", ".join(map(_number, value))
        else:
            yield f"{prefix}{name}", _number(value)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [[_cut(cell) if i < len(row) - 1 else one_line(cell) for i, cell in enumerate(row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _cut(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
