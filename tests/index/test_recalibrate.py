"""A bundle is fitted anew to newer behaviour: what it states holds again, and the old one stays as it was."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import index.recalibrate
import relevance
from index.held_out import Measured, measure
from index.promote import promote
from index.recalibrate import Recalibration, newer_span, report, run
from index.votes import Votes
from relevance.artifacts import write_manifest
from relevance.bundle import KIND, VERSION
from relevance.engine import Engine
from relevance.errors import ArtifactError, BundleError, DataError, DataWarning
from relevance.events import Behaviour, read_behaviour
from relevance.ontology import Ontology
from relevance.results import CategoryFilter, CategoryScore, Fallback, SearchResult

_LATER = 4_000_000_000_000
SEARCHES = 1500


@pytest.fixture
def bundle(tiny_bundle: Path) -> Path:
    return tiny_bundle


def _log(bundle: Path, folder: Path, start: int, moved: float, searches: int = SEARCHES) -> Path:
    """Behaviour as a service records it: people search a category by its name and choose two of its listings. Of the
    categories a share `moved` has another one's listings chosen instead."""
    engine, rng = Engine(bundle), np.random.default_rng(0)
    category = np.asarray(engine.columns.category)
    listed = np.unique(category)
    lead = {c: d for c, d in zip(listed.tolist(), np.roll(listed, 7).tolist(), strict=True) if rng.random() < moved}
    ids = engine.store.ids()
    lines: list[dict[str, object]] = []
    for number in range(searches):
        meant = int(rng.choice(listed))
        same: dict[str, object] = {"query_id": f"q{number}", "timestamp": start + number * 60_000}
        lines.append(same | {"user_query": engine.ontology.name(meant), "query_response_hit_ids": []})
        chosen = rng.choice(np.flatnonzero(category == lead.get(meant, meant)), 2).tolist()
        click = same | {"action_name": "click"}
        lines += [click | {"event_attributes": {"object": {"object_id": ids[row]}}} for row in chosen]
    folder.mkdir(parents=True)
    (folder / f"events-{start}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture(scope="module")
def drifted(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bundle calibrated on people's searches, and a later log in which a third of them mean something else."""
    root = tmp_path_factory.mktemp("drifted")
    run(tiny_bundle, _log(tiny_bundle, root / "before", _LATER, 0.0), root / "steady")
    return root / "steady", _log(tiny_bundle, root / "after", 2 * _LATER, 1 / 3)


def test_what_drifted_is_covered_again(drifted: tuple[Path, Path], tmp_path: Path) -> None:
    steady, log = drifted
    done = run(steady, log, tmp_path / "anew")
    assert done.stated == 0.95
    assert done.queries == SEARCHES
    # A third of the searches goes elsewhere, whatever the old filter was sure of.
    assert 0.5 < done.before.coverage < 0.8
    assert done.after.coverage > 0.93
    assert done.after.filtered + done.after.boosted > 0.9
    assert done.after.calibration_error < done.before.calibration_error
    assert done.remembered < 1
    assert f"-> {done.after.coverage:.1%}" in report(done)


def test_where_nothing_measures_the_report_says_so() -> None:
    nan = float("nan")
    nobody = Measured(0, nan, nan, nan, nan, nan, nan)
    done = Recalibration(None, 100, 0.95, 1.0, nobody, nobody)
    assert "what was gained is not known" in report(done)
    some = Measured(5, nan, nan, 0.0, 0.0, nan, 0.25)
    told = report(replace(done, before=some, after=replace(some, coverage=0.5, size=2.0)))
    assert "unknown -> 50.0%" in told
    assert "unknown -> 2.00" in told
    assert "25.0% -> 25.0%" in told


def test_models_and_listings_are_shared_and_the_old_bundle_stays(drifted: tuple[Path, Path], tmp_path: Path) -> None:
    steady, log = drifted
    before = {path: path.read_bytes() for path in (steady / "calibration.json", steady / "seen_queries.json")}
    out = tmp_path / "anew"
    run(steady, log, out)
    old, new = Engine(steady), Engine(out)
    assert {path: path.read_bytes() for path in before} == before
    assert old.manifest["fingerprint"] == new.manifest["fingerprint"]
    assert old.manifest["files"].keys() == new.manifest["files"].keys()
    changed = {name for name, digest in old.manifest["files"].items() if new.manifest["files"][name] != digest}
    assert changed == {"calibration.json", "seen_queries.json"}
    assert all((steady / n).samefile(out / n) for n in old.manifest["files"] if n not in changed)
    assert new.manifest["behaviour_until"] > old.manifest["behaviour_until"]
    assert new.manifest["listings"] == old.manifest["listings"]


def test_the_result_is_promoted_and_calibrated_again(drifted: tuple[Path, Path], tmp_path: Path) -> None:
    steady, log = drifted
    root = tmp_path / "serving"
    promote(steady, root)
    run(root, log, tmp_path / "anew")
    promote(tmp_path / "anew", root)
    with relevance.open(root) as engine:
        assert engine.search("anything").versions
        until = np.datetime64(engine.current.manifest["behaviour_until"].removesuffix("Z"))
    # The newest fifth measured and is new still.
    times = read_behaviour(log).query_times
    assert (times > until).mean() == pytest.approx(0.2, abs=0.01)


def test_what_is_left_out_is_told(bundle: Path, tmp_path: Path) -> None:
    log = _log(bundle, tmp_path / "log", _LATER, 0.0)
    recorded = log / f"events-{_LATER}.jsonl"
    lines = [json.loads(line) for line in recorded.read_text().splitlines()]
    clicks = [line for line in lines if "action_name" in line]
    for number, click in enumerate(clicks[:5]):
        click["query_id"] = f"another {number}"
    clicks[5]["event_attributes"]["object"]["object_id"] = "gone"
    recorded.write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = "log: left out: 1 events on unknown listings, 5 clicks or messages of an unknown query_id$"
    with pytest.warns(DataWarning, match=told):
        run(bundle, log, tmp_path / "anew")


def test_an_interrupted_run_leaves_nothing(
    drifted: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    steady, log = drifted
    there = sorted(tmp_path.iterdir())
    monkeypatch.setattr(index.recalibrate, "write_seen", stop)
    with pytest.raises(KeyboardInterrupt):
        run(steady, log, tmp_path / "anew")
    assert sorted(tmp_path.iterdir()) == there


def test_newer_span_takes_the_later_queries_by_time() -> None:
    minutes = np.arange(20) * np.timedelta64(1, "m") + np.datetime64("2026-01-01", "ms")
    behaviour = _behaviour(minutes)
    assert newer_span(behaviour, minutes[9]).tolist() == [-1] * 10 + [0] * 4 + [1] * 4 + [2] * 2
    assert newer_span(behaviour, None).tolist() == [0] * 8 + [1] * 8 + [2] * 4
    assert newer_span(behaviour, minutes[-1]).tolist() == [-1] * 20


def _behaviour(times: np.ndarray) -> Behaviour:
    nobody, n = np.empty(0, np.int32), len(times)
    names = [str(i) for i in range(n)]
    return Behaviour(names, names, names, names, times, [[]] * n, [], nobody, [], times[:0], nobody, 0, 0)


# What is wrong is said, and nothing written.


def test_too_little_that_is_new(bundle: Path, tmp_path: Path) -> None:
    log = _log(bundle, tmp_path / "log", _LATER, 0.0, searches=40)
    with pytest.raises(
        DataError, match=r"log: expected at least 30 queries .* the 40 searches after .*; wait for more"
    ):
        run(bundle, log, tmp_path / "anew")
    with pytest.raises(DataError, match="the 0 searches after 2200-01-01"):
        run(bundle, log, tmp_path / "anew", since="2200-01-01")
    assert not (tmp_path / "anew").exists()


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (lambda bundle: (bundle / "absent_words.json").unlink(), ArtifactError, "absent_words.json is missing"),
        (lambda bundle: shutil.rmtree(bundle), BundleError, "no such folder"),
    ],
)
def test_a_bundle_that_is_damaged(
    bundle: Path, tmp_path: Path, spoil: Callable[[Path], None], error: type[Exception], says: str
) -> None:
    own = tmp_path / "own"
    shutil.copytree(bundle, own)
    spoil(own)
    with pytest.raises((error, BundleError), match=says):
        run(own, tmp_path, tmp_path / "anew")


def test_a_bundle_of_an_earlier_release(bundle: Path, tmp_path: Path) -> None:
    log = _log(bundle, tmp_path / "log", _LATER, 0.0)
    own = tmp_path / "own"
    shutil.copytree(bundle, own)
    fields = json.loads((own / "manifest.json").read_text())
    fields = {n: v for n, v in fields.items() if n not in ("kind", "version", "created_at", "files", "behaviour_until")}
    write_manifest(own, KIND, VERSION, **fields)
    with pytest.raises(BundleError, match="what is newer is not known; give --since TIME"):
        run(own, log, tmp_path / "anew")
    assert run(own, log, tmp_path / "anew", since="2030-01-01T00:00:00Z").queries == SEARCHES
    (own / "absent_words.json").unlink()
    write_manifest(own, KIND, VERSION, **fields)
    with pytest.raises(BundleError, match=r"no absent_words.json to calibrate with; build it again"):
        run(own, log, tmp_path / "again", since="2030-01-01")


def test_other_wrong_inputs(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is the bundle itself"):
        run(bundle, tmp_path, bundle)
    with pytest.raises(DataError, match=r"nowhere"):
        run(bundle, tmp_path / "nowhere", tmp_path / "anew")
    log = _log(bundle, tmp_path / "log", _LATER, 0.0, searches=5)
    with pytest.raises(DataError, match=r"--since: expected a time such as .* found 'yesterday'"):
        run(bundle, log, tmp_path / "anew", since="yesterday")


# What is measured.


def test_measured_by_hand() -> None:
    """Three queries: of the first a quarter of the choices lies outside the filter, the second has a boost that holds
    all, the third has none and no answer."""

    class Listed:
        ontology = Ontology.from_paths(["a", "a1", "a2", "b"], [["A"], ["A", "1"], ["A", "2"], ["B"]])

        def search(self, query: str, k: int) -> SearchResult:
            shown = {
                "one": CategoryFilter("filter", (CategoryScore("a1", "A > 1", 0.9),), 0.95),
                "two": CategoryFilter("boost", (CategoryScore("a", "A", 0.6), CategoryScore("b", "B", 0.4)), 0.95),
                "three": CategoryFilter("none", (), 0.95),
            }[query]
            gone = query == "three"
            return SearchResult(query, (), shown, Fallback("", None, (), (), gone), gone)

    a1, a2, b = 1, 2, 3
    votes = Votes(
        ["one", "two", "three"],
        np.array([0, 0, 1, 2]),
        np.array([a1, b, a2, a1]),
        np.array([6.0, 2.0, 4.0, 3.0]),
        np.array([8.0, 4.0, 3.0]),
        np.array([2.0, 2.0, 2.0]),
        {},
    )
    found = measure(Listed(), votes)  # type: ignore[arg-type]
    assert found == Measured(
        queries=3,
        coverage=pytest.approx((6 + 4) / 12),
        size=pytest.approx((8 * 1 + 4 * 2) / 12),
        filtered=pytest.approx(8 / 15),
        boosted=pytest.approx(4 / 15),
        # Said 0.9 and came to 0.75 (weight 8); 0.6 and 1 (4); 0.4 and 0 (4): each in a bin of its own.
        calibration_error=pytest.approx((8 * 0.15 + 4 * 0.4 + 4 * 0.4) / 16),
        false_abstention=pytest.approx(3 / 15),
    )
