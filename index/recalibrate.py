"""`python -m index calibrate`: a bundle fitted anew to behaviour that is newer than what it was built from.

Models, listings and indexes stay, shared with the old bundle by links. Of the newer behaviour the first part is
remembered, the next one calibrates, and the newest tells what has been gained: none of it was trained on.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.calibrate import FEWEST_QUERIES, Calibrated, calibrate, tallied
from index.held_out import Measured, measure
from index.profile import calibrated_on
from relevance.absent import AbsentWords
from relevance.artifacts import link_or_copy, refuse_foreign, write_manifest, writing
from relevance.bundle import KIND, VERSION, BundleLayout
from relevance.deployment import bundle_at
from relevance.engine import Engine
from relevance.errors import BundleError, DataError
from relevance.events import Behaviour, read_behaviour, tell_left_out
from relevance.fields import milliseconds
from relevance.seen import write_seen
from relevance.splits import TEST, time_split

CALIBRATION_FROM, TEST_FROM = 0.4, 0.8
"""Shares of the newer queries, in time, after which they calibrate, and measure."""

_REST = -1
_NEVER = np.datetime64(0, "ms")
_OWN = ("created_at", "files", "kind", "version", "queries", "behaviour_until")


@dataclass(frozen=True)
class Recalibration:
    """since: what is newer was used, None for all; queries: how many there were; remembered: how much of the old
    memory's weight was kept; before, after: on the newest."""

    since: np.datetime64 | None
    queries: int
    stated: float
    remembered: float
    before: Measured
    after: Measured


def run(bundle: Path, events: Path, out: Path, since: str | None = None) -> Recalibration:
    """Writes `bundle` (or what is in use, for a deployment's folder) with a new calibration as `out`.

    events: a dataset's folder, an events file, or a folder of what a service recorded; since: ISO 8601, in place of the
    time up to which the bundle knows its behaviour. Raises BundleError or DataError, and nothing is written then. A
    DataWarning tells which behaviour was left out.
    """
    root = bundle_at(bundle)
    if out.resolve() in (root.resolve(), bundle.resolve()):
        raise DataError(f"--out {out}: is the bundle itself, which may be in use; name another folder")
    refuse_foreign(out, KIND)
    engine = _open(root)
    absent = _absent_words(root)
    rows = {listing_id: row for row, listing_id in enumerate(engine.store.ids())}
    behaviour = read_behaviour(events, rows.keys())
    tell_left_out(events, behaviour)
    after = _since(engine, since)
    span = newer_span(behaviour, after)
    newest = tallied(engine, behaviour, span == TEST, rows)
    before = measure(engine, newest)
    done = calibrate(engine, behaviour, span, rows, absent, engine.reader.seen.weights)
    if done is None:
        raise DataError(
            f"{events}: expected at least {FEWEST_QUERIES} queries with a click to calibrate on, among the "
            f"{_count(span):,} searches {_after(after)}; wait for more"
        )
    with writing(out, KIND) as temporary:
        _write(temporary, engine, done, calibrated_on(engine, behaviour, span))
        measured = measure(_open(temporary), newest)
    return Recalibration(
        since=after,
        queries=_count(span),
        stated=done.calibration.category.coverage,
        remembered=done.remembered,
        before=before,
        after=measured,
    )


def newer_span(behaviour: Behaviour, after: np.datetime64 | None) -> NDArray[np.int8]:
    """Returns int8 `[queries]`, the part of each query that is newer than `after`, as `time_split` has it but with
    other shares: the models are not trained, and the older memory need not be made anew. -1 for the others."""
    times = behaviour.query_times
    newer = np.ones(len(times), np.bool_) if after is None else times > after
    span = np.full(len(times), _REST, np.int8)
    span[newer] = time_split(times[newer], CALIBRATION_FROM, TEST_FROM)
    return span


def _open(root: Path) -> Engine:
    return Engine(root, clock=lambda: _NEVER)


def _absent_words(root: Path) -> AbsentWords:
    path = BundleLayout(root).towers.absent
    if not path.is_file():
        raise BundleError(f"{root}: has no {path.name} to calibrate with; build it again with `python -m index build`")
    return AbsentWords.read(path)


def _since(engine: Engine, given: str | None) -> np.datetime64 | None:
    """The time after which behaviour is new to the bundle."""
    if given is None and "behaviour_until" not in engine.manifest:
        raise BundleError(
            f"{engine.root}: does not tell up to when its behaviour goes, so that what is newer is not known; give "
            "--since TIME"
        )
    said = engine.manifest["behaviour_until"] if given is None else given
    try:
        moment = milliseconds(said)
    except ValueError:
        raise DataError(f"--since: expected a time such as 2026-01-31T12:00:00Z, found {given!r}") from None
    return None if moment is None else np.datetime64(moment, "ms")


def _count(span: NDArray[np.int8]) -> int:
    return int((span != _REST).sum())


def _after(moment: np.datetime64 | None) -> str:
    return "in it" if moment is None else f"after {moment} UTC"


def _write(folder: Path, engine: Engine, done: Calibrated, learned: Mapping[str, Any]) -> None:
    layout = BundleLayout(folder)
    fitted = (layout.calibration, layout.seen)
    for name in engine.manifest["files"]:
        if folder / name not in fitted:
            link_or_copy(engine.root / name, folder / name)
    done.calibration.write(layout.calibration)
    write_seen(layout.seen, done.seen, done.prior)
    kept = {name: value for name, value in engine.manifest.items() if name not in _OWN}
    write_manifest(folder, KIND, VERSION, **kept, **learned)


def report(done: Recalibration) -> str:
    """Returns what was used and what it changed, for the terminal."""
    before, after = done.before, done.after
    error = _change(before.calibration_error, after.calibration_error, "{:.3f}")
    if not after.queries:
        return (
            f"{done.queries:,} searches {_after(done.since)}; in the newest fifth of them, which only measures, "
            "nothing was chosen: what was gained is not known"
        )
    lines = (
        f"{done.queries:,} searches {_after(done.since)}; the newest fifth of them, {after.queries:,} distinct queries "
        "with choices, only measures:",
        f"  filter or boost holds what is chosen  {_change(before.coverage, after.coverage)}, of {done.stated:.0%}",
        f"  categories in it                      {_change(before.size, after.size, '{:.2f}')}",
        f"  share of choices with a filter        {_change(before.filtered, after.filtered)}",
        f"  share of choices with a boost         {_change(before.boosted, after.boosted)}",
        f"  calibration error of its shares       {error}",
        f"  answered by nothing, wrongly          {_change(before.false_abstention, after.false_abstention)}",
        f"of what was chosen before, {done.remembered:.0%} of the weight is still remembered",
    )
    return "\n".join(lines)


def _change(before: float, after: float, form: str = "{:.1%}") -> str:
    """What it was and is now; where nothing has a filter, nothing tells how well filters hold."""
    return " -> ".join("unknown" if math.isnan(value) else form.format(value) for value in (before, after))
