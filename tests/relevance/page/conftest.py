"""The page in a real browser. Skipped where the system has no Chromium."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import relevance
from relevance.engine import Engine
from tests.live_engines import WORD
from tests.relevance.page.shown import told
from tests.service_process import Service, serving

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session", autouse=True)
def chromium() -> str:
    """Where it is. Asked before anything else, so that nothing is built for tests that are skipped."""
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return CHROMIUM


@pytest.fixture(scope="module")
def service(tiny_chain: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("page") / "log"
    with serving(tiny_bundle, log, "--images", str(tiny_chain / "dataset")) as service:
        yield service


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    # At most a module long: the synchronous Playwright and the event loops of other tests do not go together.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, service: Service) -> Iterator[Any]:
    with _opened(browser, service) as page:
        yield page


@pytest.fixture
def unlucky(browser: Any, service: Service) -> Iterator[Any]:
    """A page whose requests may fail."""
    with _opened(browser, service, failing=True) as page:
        yield page


@pytest.fixture(scope="module")
def title(engine: Engine) -> str:
    """The title of a listing that the words find, with a photo and among few, that tells categories and related
    searches."""
    photographed = engine.visual.embeddings.any(axis=1).nonzero()[0].tolist()
    listings = engine.store.rows(photographed)
    titles = (listings[row].title for row in photographed)
    telling = (t for t in titles if engine.related(t, 6) and engine.category_filter(t).categories)
    return next(t for t in telling if any(hit.title == t for hit in engine.search(t, 24).hits))


@pytest.fixture(scope="module")
def two_kinds(engine: Engine) -> tuple[str, str]:
    """Leaves of two roots: the one that WORD, which means nothing, is nearest to, and one that it is far from."""
    ontology, cosines = engine.ontology, engine.read(WORD).categories
    leaves = sorted((i for i in range(len(ontology)) if ontology.is_leaf[i]), key=lambda i: -cosines[i])
    far = next(i for i in reversed(leaves) if ontology.paths[i][0] != ontology.paths[leaves[0]][0])
    return ontology.ids[leaves[0]], ontology.ids[far]


@pytest.fixture(scope="module")
def crowded(
    tiny_bundle: Path, two_kinds: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service where more listings of one category have WORD than a page shows, and a few of another do."""
    folder = tmp_path_factory.mktemp("crowded")
    many, few = two_kinds
    listings = [relevance.NewListing(f"m{i}", WORD, category_id=many) for i in range(60)]
    listings += [relevance.NewListing(f"f{i}", f"{WORD} among many other words {i}", category_id=few) for i in range(3)]
    with relevance.open(tiny_bundle, live=folder / "live") as written:
        written.upsert(listings)
    with serving(tiny_bundle, folder / "log", "--live", str(folder / "live")) as service:
        yield service


@pytest.fixture
def crowd(
    browser: Any, crowded: Service, engine: Engine, two_kinds: tuple[str, str]
) -> Iterator[tuple[Any, list[Any]]]:
    """The page after a search of WORD, with both categories as chips; and what it asked."""
    with _opened(browser, crowded) as page:
        paths = {i: engine.ontology.path_text(engine.ontology.position(i)) for i in two_kinds}
        asked = told(page, paths)
        page.goto(f"/?q={WORD}")
        page.wait_for_selector(".chip")
        yield page, asked


@contextmanager
def _opened(browser: Any, service: Service, failing: bool = False) -> Iterator[Any]:
    """A page that fails its test when a script does, or when it asks anybody but the service for anything, or, unless
    `failing`, is refused what it asks."""
    context = browser.new_context(base_url=service.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda line: broken.append(line.text) if _is_error(line, failing) else None)
    page.on("request", lambda asked: broken.append(asked.url) if not _own(asked.url, service) else None)
    yield page
    context.close()
    assert broken == []


def _is_error(line: Any, failing: bool) -> bool:
    """What the console calls one, but for a photo that a listing names and nobody has: the page shows a letter."""
    refused = failing and line.text.startswith("Failed to load resource")
    return bool(line.type == "error" and "/images/" not in line.location.get("url", "") and not refused)


def _own(url: str, service: Service) -> bool:
    return url.startswith((service.url + "/", "blob:", "data:"))
