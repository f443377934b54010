"""The page in a real browser: what a person sees and does. Skipped where the system has no Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relevance.engine import Engine
from tests.browser import CHROMIUM, opened
from tests.service_process import Service, serving


@pytest.fixture(scope="module")
def service(tiny_chain: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("page") / "log"
    with serving(tiny_bundle, log, "--images", str(tiny_chain / "dataset")) as service:
        yield service


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, service: Service) -> Iterator[Any]:
    with opened(browser, service) as page:
        yield page


@pytest.fixture(scope="module")
def title(engine: Engine) -> str:
    """The title of a listing that the words find, with a photo and among few."""
    photographed = engine.visual.embeddings.any(axis=1).nonzero()[0].tolist()
    listings = engine.store.rows(photographed)
    titles = (listings[row].title for row in photographed)
    return next(t for t in titles if any(hit.title == t for hit in engine.search(t, 24).hits))
