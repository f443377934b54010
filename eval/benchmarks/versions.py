"""A bundle and its next version, which tell themselves apart in every part of an answer: mixing them would be seen.

Mental model: every title and every category path of the next version begins with "next ", and its fingerprint differs.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from relevance.artifacts import MANIFEST, read_manifest, write_manifest, writing
from relevance.bundle import KIND, VERSION, BundleLayout, fingerprint
from relevance.ontology import Ontology

MARK = "next "
_OWN = ("created_at", "files", "kind", "version")


def write_next(bundle: Path, out: Path) -> str:
    """Writes the next version of `bundle`, of the same listings and models; returns its fingerprint, as answered."""
    manifest = read_manifest(bundle, KIND, VERSION)
    with writing(out, KIND) as temporary:
        shutil.copytree(bundle, temporary, copy_function=_link_or_copy, dirs_exist_ok=True)
        layout = BundleLayout(temporary)
        for path in (layout.store, layout.categories, temporary / MANIFEST):
            path.unlink()
        _mark_titles(BundleLayout(bundle).store, layout.store)
        ontology = Ontology.read(BundleLayout(bundle).categories)
        marked = Ontology.from_paths(ontology.ids, [(MARK + path[0], *path[1:]) for path in ontology.paths])
        marked.write(layout.categories)
        fields = {name: value for name, value in manifest.items() if name not in _OWN}
        fields["ontology_fingerprint"] = marked.fingerprint
        fields["fingerprint"] = fingerprint(temporary, marked.fingerprint)
        write_manifest(temporary, KIND, VERSION, **fields)
    return str(fields["fingerprint"][:16])


def versions_in(answer: dict[str, Any], of_next: str, is_live: Callable[[str], bool]) -> set[str]:
    """Returns the versions that the parts of a search's answer are of, "first" or "next"; both where it mixes them.

    of_next: the fingerprint of the next version; is_live: whether a listing id is of one written live, whose title is
    the same in both."""
    marked = {answer["versions"]["fingerprint"] == of_next}
    marked |= {hit["title"].startswith(MARK) for hit in answer["hits"] if not is_live(hit["listing_id"])}
    paths = [category["path"] for category in answer["category_filter"]["categories"]]
    paths += [hit["category"] for hit in answer["hits"] if hit["category"]]
    marked |= {path.startswith(MARK) for path in paths}
    return {"next" if each else "first" for each in marked}


def _mark_titles(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    connection = sqlite3.connect(target)
    try:
        with connection:
            connection.execute("UPDATE listings SET title = ? || title", (MARK,))
    finally:
        connection.close()


def _link_or_copy(source: str, target: str) -> None:
    """A link where the file system can: files of a bundle are never written again."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
