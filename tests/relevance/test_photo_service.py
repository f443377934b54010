"""The photo service, asked over HTTP as a real process."""

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from relevance.photos.cost import MAX_MEMORY
from relevance.photos.requests import MAX_PHOTOS
from relevance.photos.service import MAX_BODY_BYTES
from relevance.photos.worker import Limits
from tests.photo_server import Server, running, write_model
from tests.photos import encoded, jpeg, png, turned

RED, GREEN, BLUE = (encoded(Image.new("RGB", (24, 16), colour)) for colour in ("red", "lime", "blue"))
JSON = {"content-type": "application/json"}
PREDICT = "/v1/models/photos:predict"


def b64(photo: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(photo).decode()}


def named(photo: bytes) -> dict[str, dict[str, str]]:
    return {"photo_bytes": b64(photo)}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[Server]:
    """With the usual options. Whatever the tests sent, in the end it stops well and has nothing to complain of."""
    with running(model) as server:
        yield server
        server.terminate()
        code, errors = server.ended()
        assert (code, "Traceback" in errors) == (0, False), errors


@pytest.fixture(scope="module")
def strict(model: Path) -> Iterator[Server]:
    """With narrow limits."""
    limits = "--threshold 0.9 --batch 4 --wait-ms 300 --deadline 6"
    with running(model, *limits.split()) as server:
        yield server


def test_health(server: Server) -> None:
    for path in ("/ping", "/v2/health/ready", "/v2/health/live"):
        started = time.monotonic()
        assert httpx.get(server.url + path).status_code == 200
        assert time.monotonic() - started < 2
    status = httpx.get(server.url + "/v1/models/photos").json()
    assert status["model_version_status"][0]["state"] == "AVAILABLE"


@pytest.mark.parametrize(
    "kind", ["image/png", "application/octet-stream", "application/x-image", "Image/JPEG; q=1", None]
)
def test_bytes_of_a_photo(server: Server, kind: str | None) -> None:
    answer = server.post(content=GREEN, headers={} if kind is None else {"content-type": kind})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    # The mean colour is m = (0, 255, 0): probabilities softmax(m / 32), embedding m / |m|.
    expected = np.exp([0, 255 / 32, 0]) / np.exp([0, 255 / 32, 0]).sum()
    assert found["categories"][0] == {
        "category_id": "green",
        "path": "cold > green",
        "probability": pytest.approx(expected[1], abs=1e-5),
    }
    assert [c["probability"] for c in found["categories"]][1:] == pytest.approx([expected[0]] * 2, abs=1e-5)
    assert found["answer"]["path"] == "cold > green"
    assert found["embedding"] == pytest.approx([0, 1, 0], abs=1e-5)
    assert found["attributes"]["paint"]["value"] == "lime"
    assert found["attributes"]["paint"]["probability"] == pytest.approx(1, abs=1e-4)


def test_a_chain_that_is_not_triggered_says_nothing(server: Server) -> None:
    assert server.post(content=RED).json()["attributes"] == {}


def test_what_cannot_be_told_apart_is_answered_by_the_ancestor(server: Server) -> None:
    cold = server.post(content=encoded(Image.new("RGB", (8, 8), (0, 200, 200)))).json()
    assert cold["answer"]["path"] == "cold"
    assert server.post(content=encoded(Image.new("RGB", (8, 8), (250, 250, 250)))).json()["answer"]["path"] == "cold"


def test_what_is_not_sure_enough_is_not_answered(strict: Server) -> None:
    found = strict.post(content=encoded(Image.new("RGB", (8, 8), "white"))).json()
    assert found["answer"] is None
    assert len(found["categories"]) == 3


def test_options_of_the_answer(server: Server) -> None:
    found = server.post("/invocations?k=1&embedding=false", content=BLUE).json()
    assert [c["path"] for c in found["categories"]] == ["cold > blue"]
    assert "embedding" not in found
    for wrong in ("k=0", "k=21", "k=x", "embedding=perhaps"):
        answer = server.post(f"/invocations?{wrong}", content=BLUE)
        assert (answer.status_code, list(answer.json())) == (422, ["error"])


def test_json_of_one_photo_is_answered_as_its_bytes(server: Server) -> None:
    assert server.post(json=named(GREEN)).json() == server.post(content=GREEN).json()


@pytest.mark.parametrize("path", ["/invocations", PREDICT, "/v1/models/photos/versions/1:predict"])
def test_rows(server: Server, path: str) -> None:
    answer = server.post(path, json={"instances": [b64(RED), named(BLUE)], "signature_name": "serving_default"})
    assert answer.status_code == 200
    assert [p["answer"]["category_id"] for p in answer.json()["predictions"]] == ["red", "blue"]


@pytest.mark.parametrize(
    "inputs", [[b64(RED), b64(b"no"), b64(BLUE)], {"photo_bytes": [b64(RED), b64(b"no"), b64(BLUE)]}]
)
def test_columns(server: Server, inputs: Any) -> None:
    outputs = server.post(PREDICT, json={"inputs": inputs}).json()["outputs"]
    assert [a and a["category_id"] for a in outputs["answer"]] == ["red", None, "blue"]
    assert outputs["error"] == [None, "not an image", None]
    assert [e and len(e) for e in outputs["embedding"]] == [3, None, 3]


def test_answers_are_as_described(server: Server) -> None:
    described = httpx.get(f"{server.url}/openapi.json").json()
    schemas = described["components"]["schemas"]
    asked = {"single": named(RED), "rows": {"instances": [b64(RED)]}, "columns": {"inputs": [b64(RED)]}}
    answers = {form: server.post(PREDICT, json=body).json() for form, body in asked.items()}
    assert answers["single"].keys() == schemas["PhotoAnswer"]["properties"].keys()
    assert answers["rows"].keys() == schemas["Rows"]["properties"].keys()
    assert answers["columns"]["outputs"].keys() == schemas["Fields"]["properties"].keys()
    short = server.post(f"{PREDICT}?embedding=false", json=asked["single"]).json()
    assert set(schemas["PhotoAnswer"]["required"]) == short.keys()

    for path, kinds in (("/invocations", {"image/*", "application/json"}), (PREDICT, {"application/json"})):
        endpoint = described["paths"][path.replace("photos", "{name}")]["post"]
        assert endpoint["requestBody"]["content"].keys() == kinds
        bodies = {
            status: answer["content"]["application/json"]["schema"] for status, answer in endpoint["responses"].items()
        }
        forms = {one["$ref"].rpartition("/")[2] for one in bodies.pop("200")["anyOf"]}
        assert forms == {"PhotoAnswer", "Rows", "Columns"}
        assert bodies.keys() >= {"400", "413", "415", "422", "503", "504"}
        assert all(body == {"$ref": "#/components/schemas/Refusal"} for body in bodies.values())
    assert "HTTPValidationError" not in schemas
    assert httpx.get(f"{server.url}/docs").status_code == 404


def bad_photos() -> dict[str, tuple[bytes, str]]:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8))
    photo = encoded(noise, "JPEG")
    return {
        "truncated": (photo[: len(photo) // 2], "truncated"),
        "zero bytes": (b"", "empty"),
        "text named .jpg": (b"a photo of a chair", "not an image"),
        "only a signature": (b"\x89PNG\r\n\x1a\n", "truncated"),
        "20,000 x 20,000": (png(20_000, 20_000, pixels=bytes(10_000_000)), "too large"),
        "endless metadata": (png(40, 30, before=b"\0\0\0\0abcd\0\0\0\0" * 100_000), "too large"),
    }


BAD = bad_photos()


def odd_photos() -> dict[str, bytes]:
    red = Image.new("RGB", (24, 16), "red")
    return {
        "cmyk": encoded(Image.new("CMYK", (24, 16), (0, 255, 255, 0)), "JPEG"),
        "palette": encoded(red.convert("P", palette=Image.Palette.ADAPTIVE)),
        "animated gif": encoded(red, "GIF", save_all=True, append_images=[Image.new("RGB", (24, 16), "blue")]),
        "animated webp": encoded(red, "WEBP", save_all=True, append_images=[Image.new("RGB", (24, 16), "blue")]),
        "animated png": encoded(red, save_all=True, append_images=[Image.new("RGB", (24, 16), "blue")]),
        "sideways": turned(red, 6),
        "one pixel": encoded(Image.new("RGB", (1, 1), "red")),
        "avif": encoded(red, "AVIF"),
        "bmp": encoded(red, "BMP"),
        "half transparent": encoded(Image.new("RGBA", (24, 16), (255, 0, 0, 200))),
    }


@pytest.mark.parametrize("kind", odd_photos())
def test_odd_photos_are_answered_right(server: Server, kind: str) -> None:
    answer = server.post(content=odd_photos()[kind], headers={"content-type": "image/jpeg"})
    assert (answer.status_code, answer.json()["answer"]["category_id"]) == (200, "red")


def test_deep_grey_is_answered_right(server: Server) -> None:
    deep = encoded(Image.fromarray(np.full((16, 24), 40_000, np.uint16)))
    assert server.post(content=deep).json()["embedding"] == pytest.approx([1 / 3**0.5] * 3, abs=1e-5)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_photo_alone_is_refused_with_its_reason(server: Server, kind: str) -> None:
    photo, reason = BAD[kind]
    expected = (422, {"error": f"expected a photo in the body, but it is {reason}"})
    for request in ({"content": photo}, {"json": named(photo)}):
        answer = server.post(**request)
        assert (answer.status_code, answer.json()) == expected


def test_bad_photos_cost_the_others_nothing(server: Server) -> None:
    before = server.metrics()
    instances = [b64(RED), *(b64(photo) for photo, _ in BAD.values()), {"b64": "§"}, b64(BLUE)]
    predictions = server.post(PREDICT, json={"instances": instances}).json()["predictions"]
    alone = [server.post(PREDICT, json={"instances": [b64(photo)]}).json()["predictions"][0] for photo in (RED, BLUE)]
    assert [predictions[0], predictions[-1]] == alone
    refused = [{"error": reason} for _, reason in BAD.values()]
    assert predictions[1:-1] == [*refused, {"error": "expected the photo in base 64"}]
    assert server.metrics()["bad_photos"] - before["bad_photos"] == len(BAD) + 1


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/invocations", "not json", 400, "body: Invalid JSON"),
        ("/invocations", "[1]", 400, "body: Input should be an object"),
        ("/invocations", "{}", 400, "expected one of photo_bytes, instances and inputs"),
        ("/invocations", json.dumps({"instances": []}), 400, "instances: "),
        ("/invocations", json.dumps({"instances": [1]}), 400, "instances.0"),
        ("/invocations", json.dumps({"instances": [b64(RED), {"url": "http://x"}]}), 400, "instances.1.b64"),
        ("/invocations", json.dumps({"instances": [b64(RED)] * (MAX_PHOTOS + 1)}), 400, f"at most {MAX_PHOTOS}"),
        ("/invocations", json.dumps(named(RED) | {"instances": [b64(RED)]}), 400, "expected one of"),
        ("/invocations", json.dumps({"photo_bytes": {"b64": "§"}}), 400, "expected the photo in base 64"),
        ("/invocations", "[" * 100_000, 400, "body: Invalid JSON"),
        (PREDICT, json.dumps({"instances": [b64(RED)], "signature_name": "x"}), 400, "signature_name"),
        ("/v1/models/other:predict", json.dumps({"instances": [b64(RED)]}), 404, "'other'"),
        ("/v1/models/photos/versions/2:predict", json.dumps({"instances": [b64(RED)]}), 404, "version 2"),
        ("/nothing", "{}", 404, "Not Found"),
        ("/ping", "{}", 405, "Method Not Allowed"),
    ],
)
def test_errors_are_one_sentence(server: Server, path: str, body: str, status: int, message: str) -> None:
    answer = server.post(path, content=body, headers=JSON)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert message in answer.json()["error"]
    assert "Traceback" not in answer.text


def test_another_content_type_is_refused(server: Server) -> None:
    answer = server.post(content="a,b", headers={"content-type": "text/csv"})
    assert (answer.status_code, list(answer.json())) == (415, ["error"])


def test_bodies_are_bounded(server: Server) -> None:
    status, text = server.half(b"x", declared=MAX_BODY_BYTES + 1).answer()
    assert (status, text.endswith(f'{{"error":"expected a body of at most {MAX_BODY_BYTES} bytes"}}')) == (413, True)
    answer = server.post(content=(bytes(2**20) for _ in range(26)))  # chunked: of no declared length
    assert (answer.status_code, list(answer.json())) == (413, ["error"])
    assert server.post(content=iter([RED[:20], RED[20:]])).json()["answer"]["category_id"] == "red"


@pytest.mark.parametrize("photo", [BAD["20,000 x 20,000"][0], jpeg(12_000, 9_000)], ids=["bomb", "108 megapixels"])
def test_one_photo_takes_less_than_200_megabytes(server: Server, photo: bytes) -> None:
    server.post(content=RED)
    before = server.memory("VmRSS")
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # the peak starts anew
    answer = server.post(content=photo)
    assert answer.status_code in (200, 422)
    assert server.memory("VmHWM") - before < MAX_MEMORY


def test_requests_at_once_are_computed_together(strict: Server) -> None:
    before = strict.metrics()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda photo: strict.post(content=photo).json(), [RED, GREEN, BLUE, RED] * 2))
    colours = [one["categories"][0]["category_id"] for one in found]
    assert colours == ["red", "green", "blue", "red"] * 2
    now = strict.metrics()
    assert now["photos_in_batches"] - before["photos_in_batches"] == 8
    assert 2 <= now["batches"] - before["batches"] < 8


def test_a_request_has_a_deadline(strict: Server) -> None:
    started = time.monotonic()
    status, text = strict.half(GREEN).answer()
    assert 5.9 < time.monotonic() - started < 20
    assert status == 504
    assert text.endswith('{"error":"no answer within 6 seconds"}')
    assert strict.post(content=GREEN).status_code == 200
    assert strict.metrics()["too_late"] == 1


def test_too_many_requests_are_turned_away(server: Server) -> None:
    before = server.metrics()
    waiting = [server.half(GREEN) for _ in range(Limits.queue)]
    _until(lambda: server.metrics()["running"] == Limits.queue)
    answer = server.post(content=GREEN)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert list(answer.json()) == ["error"]
    assert httpx.get(f"{server.url}/ping").status_code == 200
    assert [request.finish()[0] for request in waiting] == [200] * Limits.queue
    assert server.post(content=GREEN).status_code == 200
    assert server.metrics()["turned_away"] == before["turned_away"] + 1


def test_a_client_that_leaves_is_no_failure(server: Server) -> None:
    before = server.metrics()["requests"]
    request = server.half(GREEN)
    _until(lambda: server.metrics()["running"] == 1)
    request.abandon()
    _until(lambda: server.metrics()["running"] == 0)
    assert server.metrics()["requests"] == before + 1
    assert server.post(content=GREEN).status_code == 200


def test_sigterm_finishes_what_is_running(model: Path) -> None:
    with running(model) as server:
        request = server.half(GREEN)
        _until(lambda: server.metrics()["running"] == 1)
        started = time.monotonic()
        server.terminate()
        _until(lambda: not _listens(server))
        status, text = request.finish()
        assert (status, "cold > green" in text) == (200, True)
        code, errors = server.ended()
        assert (code, "Traceback" in errors) == (0, False), errors
        assert time.monotonic() - started < 30


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _listens(server: Server) -> bool:
    try:
        httpx.get(f"{server.url}/ping", timeout=2)
    except httpx.TransportError:
        return False
    return True
