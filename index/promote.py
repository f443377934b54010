"""`python -m index promote` and `compact`: a bundle is checked, takes in the live listings, and is put in use."""

from __future__ import annotations

import shutil
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from index.checks import check_judgments, check_smoke
from relevance.artifacts import MANIFEST, link_or_copy, writing
from relevance.bundle import KIND, open_manifest
from relevance.deployment import BUNDLES, Deployment, bundle_at
from relevance.errors import DataError
from relevance.live.engine import LiveEngine
from relevance.live.store import LiveStore
from relevance.ontology import Ontology


@dataclass(frozen=True)
class Promotion:
    """What was put in use, and what was seen on the way."""

    bundle: Path
    listings: int
    checks: tuple[str, ...]


def promote(
    new: Path,
    at: Path,
    live: Path | None = None,
    smoke: Path | None = None,
    judgments: Path | None = None,
    tolerance: float = 0.01,
) -> Promotion:
    """Checks the bundle `new`, copies it into the deployment `at` and puts it in use; whoever follows `at` swaps to it.

    new: a bundle, or another deployment, whose bundle in use is meant.
    live: the live listings of the deployment; those written before or during the build are encoded by the new models
    and become part of what is put in use, those written from now on are taken in by whoever opens it. Raises
    BundleError for a bundle that is damaged or made of parts that disagree, DataError where it fails a check or `at`
    is no place for a deployment, ArtifactError where that cannot be made or another process promotes or compacts:
    what is in use has not changed then (folders that were missing may have been made).
    """
    new = bundle_at(new)
    _refuse_in_bundle(at, new)
    deployment = Deployment(at)
    with deployment.changing(), LiveEngine(new, live=live) as engine:
        _refuse_bundles_of_others(deployment, new)
        checks = [f"opened: {len(engine):,} listings, fingerprint {engine.versions['fingerprint']}"]
        if smoke is not None:
            checks.append(check_smoke(engine.current, smoke))
        if judgments is not None and deployment.current is not None:
            with LiveEngine(deployment.current, live=live) as current:
                checks.append(check_judgments(engine.current, current.current, judgments, tolerance))
        checks += _unknown_categories(engine.current.ontology, live)
        manifest = engine.current.manifest
        target = deployment.place(f"{manifest['created_at'][:19].replace(':', '')}-{manifest['fingerprint'][:8]}")
        listings = _install(engine, new, target)
        open_manifest(target)
        deployment.switch(target)
    return Promotion(target, listings, tuple(checks))


def roll_back(at: Path) -> Path:
    """Puts the previous bundle of a deployment in use again and returns it. Live listings are carried over as ever.
    Raises BundleError where there is none, DataError where `at` is a bundle itself."""
    _refuse_in_bundle(at)
    deployment = Deployment(at)
    deployment.to_go_back_to()  # before a folder that is spelt wrong is made
    with deployment.changing():
        open_manifest(deployment.to_go_back_to())
        return deployment.rollback()


def compact_bundle(bundle: Path, live: Path, out: Path | None) -> int:
    """Writes a bundle with the live listings as part of its snapshot; returns how many listings it has.

    bundle: a deployment, in which the result is put in use, or a bundle, and the result is `out`. Raises DataError
    where `live` holds no listings: a folder that is spelt wrong would become an empty store.
    """
    LiveStore(live, read_only=True).close()
    if bundle_at(bundle) != bundle:
        if out is not None:
            raise DataError(f"{bundle}: its bundles lie in it; leave out --out")
        with LiveEngine(bundle, live=live) as engine:
            return engine.compact()
    if out is None:
        raise DataError(f"{bundle}: not a folder kept by `promote`; name the bundle to write by --out")
    with LiveEngine(bundle, live=live) as engine:
        return engine.write_snapshot(out)


def _refuse_in_bundle(at: Path, new: Path | None = None) -> None:
    """A deployment's folder is beside bundles, never one: its own folders would lie among the bundle's files, and a
    bundle that is copied into itself has no end."""
    if new is not None and at.resolve().is_relative_to(new.resolve()):
        raise DataError(f"--at: expected a folder outside the bundle {new}, found {at}")
    if (at / MANIFEST).exists():
        raise DataError(f"--at: expected a folder that `promote` keeps, or one to make, found an artifact at {at}")


def _refuse_bundles_of_others(deployment: Deployment, new: Path) -> None:
    """Artifacts in a deployment's folder of bundles are removed once they are not in use: raises DataError for a folder
    of bundles that no deployment has in use, and for a bundle to promote that lies there and is not in use."""
    bundles = deployment.root / BUNDLES
    others = [path.name for path in bundles.iterdir() if path.name[0] != "."] if bundles.is_dir() else []
    if others and deployment.current is None:
        raise DataError(f"--at: {bundles} holds {', '.join(sorted(others)[:5])}, none in use; choose another folder")
    in_use = [path.resolve() for path in (deployment.current, deployment.previous) if path is not None]
    if new.resolve().is_relative_to(bundles.resolve()) and new.resolve() not in in_use:
        raise DataError(f"{new}: lies in {bundles}, where promote removes what is not in use; move it elsewhere first")


def _unknown_categories(ontology: Ontology, live: Path | None) -> list[str]:
    """What is to be said of live listings whose category the bundle does not have."""
    if live is None:
        return []
    with closing(LiveStore(live)) as store:
        named = (state.listing.category_id for state in store.since(0) if state.listing is not None)
        unknown = Counter(name for name in named if name and ontology.get(name) is None)
    if not unknown:
        return []
    told = ", ".join(f"{name}: {n:,}" for name, n in unknown.most_common(5))
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    return [
        f"live listings of categories that this bundle does not have: {unknown.total():,} ({told}{more}); their "
        "photo or text tells where they lie"
    ]


def _install(engine: LiveEngine, new: Path, target: Path) -> int:
    """Copies the bundle to `target`, with the live listings where there are any."""
    if engine.status().change:
        return engine.write_snapshot(target)
    with writing(target, KIND) as temporary:
        shutil.copytree(new, temporary, copy_function=link_or_copy, dirs_exist_ok=True)
    return len(engine)
