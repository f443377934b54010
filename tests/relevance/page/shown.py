"""What the tests of the page ask it, and what it then shows."""

from typing import Any

PHONE = {"width": 390, "height": 844}


def ask(page: Any, query: str) -> None:
    page.fill("#query", query)
    page.press("#query", "Enter")


def told(page: Any, categories: dict[str, str]) -> list[Any]:
    """The service's answers, but with these categories (id -> path) as category filter: so small a model tells none.
    Returns what was asked, to which more is added."""
    asked: list[Any] = []
    filled = [{"category_id": i, "path": path, "probability": 0.61} for i, path in categories.items()]
    category_filter = {"mode": "filter", "categories": filled, "coverage": 0.95}

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json)
        response = route.fetch()
        body = {**response.json(), "category_filter": category_filter} if response.ok else response.json()
        route.fulfill(response=response, json=body)

    page.route("**/search", answer)
    return asked


def titles(page: Any, section: str = "engine") -> list[str]:
    return list(page.locator(f"#{section} .title").all_inner_texts())


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.id"))
