"""A browser for tests of the page, and what they ask of it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.service_process import Service

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE = {"width": 390, "height": 844}


@contextmanager
def opened(browser: Any, service: Service) -> Iterator[Any]:
    """A page that fails its test when a script does, or when it asks anybody but the service for anything."""
    context = browser.new_context(base_url=service.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda line: broken.append(line.text) if _is_error(line) else None)
    page.on("request", lambda asked: broken.append(asked.url) if not _own(asked.url, service) else None)
    yield page
    context.close()
    assert broken == []


def _is_error(line: Any) -> bool:
    """What the console calls one, but for a photo that a listing names and nobody has: the page shows a letter."""
    return bool(line.type == "error" and "/images/" not in line.location.get("url", ""))


def _own(url: str, service: Service) -> bool:
    return url.startswith((service.url + "/", "blob:", "data:"))


def ask(page: Any, query: str) -> None:
    page.fill("#query", query)
    page.press("#query", "Enter")


def told(page: Any, categories: dict[str, str]) -> list[Any]:
    """The service's answers, but with these categories (id -> path) as category filter: so small a model tells none.
    Returns what was asked, to which more is added."""
    asked: list[Any] = []
    filled = [{"category_id": i, "path": path, "probability": 0.61} for i, path in categories.items()]
    told = {"mode": "filter", "categories": filled, "coverage": 0.95}

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json)
        response = route.fetch()
        body = {**response.json(), "category_filter": told} if response.ok else response.json()
        route.fulfill(response=response, json=body)

    page.route("**/search", answer)
    return asked


def titles(page: Any, section: str = "engine") -> list[str]:
    return list(page.locator(f"#{section} .title").all_inner_texts())


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.id"))
