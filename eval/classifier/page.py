"""The report as one static page: no script, nothing loaded from elsewhere but the listings' photos beside it."""

import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from eval.classifier import sections
from eval.classifier.gallery import Example
from eval.classifier.html import gallery

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Photo classifier: report</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 1px solid #ddd; padding-top: 1rem; }
.big { font-size: 1.6rem; margin: .5rem 0; } .wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top; }
thead th { border-bottom: 1px solid #bbb; font-weight: 600; } tbody tr + tr { border-top: 1px solid #eee; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.beside { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-start; }
.beside > .wide { flex: 0 1 auto; } .beside > figure { flex: 1 1 20rem; }
figure { margin: 0; min-width: 0; max-width: 34rem; } figcaption { color: #555; font-size: .9rem; }
figure.large { max-width: 44rem; } svg { max-width: 100%; height: auto; }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1.2rem; padding: 0;
  list-style: none; }
.photos img { width: 100%; height: 9rem; object-fit: contain; background: #f3f3f3; }
.photos li { overflow-wrap: anywhere; line-height: 1.3; } .photos small { color: #555; }
@media (max-width: 34rem) { table { font-size: .85rem; } td, th { padding-right: .6rem; } }
nav a { margin-right: 1rem; white-space: nowrap; }
</style>
<h1>Photo classifier: report</h1>
$lead
<nav>$contents</nav>
$sections
<h2 id="photos">Photos</h2>
$photos
</html>
""")


def page(result: Mapping[str, Any], examples: Mapping[str, Sequence[Example]], dataset: Path, out: Path) -> str:
    """Returns the page as HTML. Photos are linked where they lie in `dataset`, relative to `out`; both absolute."""
    images = os.path.relpath(dataset, out)
    parts = sections.sections(result)
    links = [(part.anchor, part.title) for part in parts] + [("photos", "Photos")]
    return _PAGE.substitute(
        lead=sections.lead(result),
        contents="\n".join(f'<a href="#{anchor}">{escape(title)}</a>' for anchor, title in links),
        sections="\n".join(f'<h2 id="{part.anchor}">{escape(part.title)}</h2>\n{part.body}' for part in parts),
        photos="\n".join(f"<h3>{escape(kind)}</h3>\n{gallery(own, images)}" for kind, own in examples.items()),
    )
