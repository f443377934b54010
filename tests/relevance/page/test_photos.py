"""Similar listings: to one that is clicked, and to a photo."""

import json
from pathlib import Path
from typing import Any

from relevance.engine import Engine
from tests.relevance.page.shown import focused


def test_similar_listings_on_a_click_and_back_with_escape(page: Any, engine: Engine, title: str) -> None:
    page.goto(f"/?q={title}")
    page.click("#engine .card:has(img) >> nth=0")
    page.wait_for_selector("#detail .hits .card")
    assert page.locator("#detail .source").first.inner_text() == "photo"
    clicked = engine.catalogue.find(page.locator("#engine .card:has(img)").first.get_attribute("data-id"))
    assert clicked is not None
    assert all(str(value) in page.inner_text("#detail .listing") for value in json.loads(clicked.attributes).values())
    shown = page.locator("#detail .hits .card").first
    other = shown.locator(".title").inner_text()
    shown.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("title => document.querySelector('#detail-title').innerText === title", arg=other)
    assert page.evaluate("document.activeElement.className") == "close"
    page.keyboard.press("Escape")
    page.wait_for_selector("#detail", state="hidden")


def test_a_photo_that_is_chosen_or_dropped(page: Any, engine: Engine, tiny_chain: Path) -> None:
    row = int(engine.visual.embeddings.any(axis=1).argmax())
    photo = tiny_chain / "dataset" / str(engine.store.rows([row])[row].image)
    expected = [hit.title for hit in engine.similar(image=photo.read_bytes(), k=24)]
    page.goto("/")
    page.set_input_files("#photo", photo)
    page.wait_for_selector("#asked img")
    assert page.locator("#engine .title").all_inner_texts() == expected
    assert page.is_hidden("#compare"), "there are no words to compare with"
    page.focus("#asked .undo")
    page.keyboard.press("Enter")
    page.wait_for_selector("#welcome:not([hidden])")
    assert page.is_visible("#compare")
    assert focused(page) == "query"
    page.evaluate(
        """async ([bytes, name]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
            document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
        }""",
        [list(photo.read_bytes()), photo.name],
    )
    page.wait_for_selector("#asked img")
    assert page.locator("#engine .title").all_inner_texts() == expected


def test_a_file_that_is_no_photo_is_refused_in_words(page: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk")
    page.goto("/")
    page.set_input_files("#photo", tmp_path / "notes.txt")
    page.wait_for_selector("#notice.error")
    assert page.inner_text("#notice") == "That did not work: “notes.txt” is not a photo"
    page.check("#compare")
    page.wait_for_selector("#welcome:not([hidden])")
