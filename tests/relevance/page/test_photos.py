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
    assert page.text_content("#told") == page.text_content("#notice")
    page.check("#compare")
    page.wait_for_selector("#welcome:not([hidden])")


def test_what_is_no_photo_leaves_the_answer_as_it_is(page: Any, title: str, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("no photo")
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card")
    before = page.locator("#engine .title").all_inner_texts()
    page.set_input_files("#photo", tmp_path / "bad.jpg")
    page.wait_for_selector("#notice.error")
    assert page.inner_text("#notice") == "That did not work: “bad.jpg” is not a photo"
    assert page.locator("#engine .title").all_inner_texts() == before
    assert page.input_value("#query") == title


def test_a_photo_is_a_step_of_the_history(page: Any, engine: Engine, title: str, tiny_chain: Path) -> None:
    row = int(engine.visual.embeddings.any(axis=1).argmax())
    photo = tiny_chain / "dataset" / str(engine.store.rows([row])[row].image)
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card")
    page.click("#engine .card >> nth=0")
    page.wait_for_selector("#detail[open]")
    page.set_input_files("#photo", photo)
    page.wait_for_selector("#asked img")
    assert page.is_hidden("#detail"), "a listing would lie over the answer"
    assert "q=" not in page.url
    page.go_back()
    page.wait_for_selector("#asked", state="hidden")
    assert page.input_value("#query") == title
    page.go_forward()
    page.wait_for_selector("#asked img")
    page.reload()
    page.wait_for_selector("#welcome:not([hidden])")


def test_a_text_with_a_picture_of_it_is_no_photo(page: Any, title: str) -> None:
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card")
    page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(9)], "x.png", { type: "image/png" }));
            transfer.setData("text/plain", "sofa");
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
        }"""
    )
    page.wait_for_timeout(200)
    assert page.is_hidden("#notice.error")
    assert page.is_visible("#engine .card >> nth=0")


def test_an_error_of_a_closed_listing_is_not_the_open_ones(unlucky: Any, title: str) -> None:
    page, held = unlucky, list[Any]()
    page.goto(f"/?q={title}")
    page.wait_for_selector("#engine .card:has(img)")
    page.route("**/similar/*", lambda route: route.continue_() if held else held.append(route))
    page.click("#engine .card:has(img) >> nth=0")
    page.wait_for_selector("#detail[open]")
    while not held:
        page.wait_for_timeout(20)
    page.keyboard.press("Escape")
    page.click("#engine .card:has(img) >> nth=1")
    page.wait_for_selector("#detail .hits .card")
    held[0].fulfill(status=503, json={"error": "too many requests"})
    page.wait_for_timeout(200)
    assert page.inner_text("#similar-title") == "Looks alike"


def test_a_photo_that_takes_long_to_read_does_not_overtake_a_search(page: Any, tiny_chain: Path, title: str) -> None:
    photo = next((tiny_chain / "dataset").rglob("*.jpg"))
    page.goto("/")
    page.evaluate("""() => {
        const made = window.createImageBitmap;
        window.createImageBitmap = (file) => new Promise((done) => { window.read = () => done(made(file)); });
    }""")
    page.set_input_files("#photo", photo)
    page.fill("#query", title)
    page.keyboard.press("Enter")
    page.wait_for_selector("#engine .card")
    page.evaluate("async () => { window.read(); await new Promise((done) => setTimeout(done, 100)); }")
    assert page.is_hidden("#asked")
    assert page.locator("#engine .card").count() > 0
    assert page.input_value("#query") == title
