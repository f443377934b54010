"""Plots as SVG that can stand in a page beside others, the same bytes for the same figures."""

import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

BLUE, ORANGE, GREY, LIGHT = "#2b6cb0", "#d9822b", "#8a8a8a", "#b8b8b8"
_STYLE: Any = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 11,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "svg.fonttype": "none",
}


def svg(name: str, description: str, draw: Callable[[Any], None], size: tuple[float, float] = (5.4, 3.8)) -> str:
    """Returns what `draw` paints on the axes that it is given. name: in no other plot of the page; description: for who
    cannot see it; size: width and height in inches (an inch has 96 pixels, less on a narrow screen)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    file = io.StringIO()
    with matplotlib.rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.set_axisbelow(True)
        draw(axes)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    drawn = _own_names(name, text[text.index("<svg") :])
    return drawn.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1)


def _own_names(name: str, drawn: str) -> str:
    """Ids count from 1 in every drawing; in one page they have to differ."""
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\1{name}-", drawn)
