"""What the page is made of: a few files, and photos that lie in the folder the operator named."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from relevance.service import Settings, create_app
from tests.photos import encoded, quadrants


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    kept = root / "kept"
    kept.mkdir()
    (kept / "linked.jpg").write_bytes(encoded(quadrants(), "JPEG"))
    dataset = root / "dataset"
    (dataset / "other").mkdir(parents=True)
    (dataset / "images").symlink_to(kept)
    (dataset / "other" / "a b ü.PNG").write_bytes(encoded(quadrants()))
    (dataset / "other" / "scan.jfif").write_bytes(encoded(quadrants(), "JPEG"))
    (dataset / "other" / "noend").write_bytes(encoded(quadrants(), "WEBP"))
    (dataset / "other" / "notes").write_text("private")
    (dataset / "events.jsonl").write_text("private")
    (root / "outside.jpg").write_bytes(encoded(quadrants(), "JPEG"))
    (dataset / "escape.jpg").symlink_to(root / "outside.jpg")
    (dataset / "folder.jpg").mkdir()
    return dataset


@pytest.fixture(scope="module")
def client(tiny_bundle: Path, folder: Path) -> TestClient:
    return TestClient(create_app(Settings(tiny_bundle, images=folder)), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page/page.js", "text/javascript; charset=utf-8"),
        ("/page/page.css", "text/css; charset=utf-8"),
        ("/page/icon.svg", "image/svg+xml; charset=utf-8"),
    ],
)
def test_the_pages_files(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/images/images/linked.jpg", "/health/live", "/health/ready"])
def test_what_is_there_can_be_asked_without_fetching_it(client: TestClient, path: str) -> None:
    whole, asked = client.get(path), client.head(path)
    assert asked.status_code == 200
    assert (asked.headers["content-length"], asked.headers["content-type"]) == (
        str(len(whole.content)),
        whole.headers["content-type"],
    )


def test_nothing_of_the_page_comes_from_elsewhere(client: TestClient) -> None:
    for path in ("/", "/page/page.js", "/page/page.css"):
        text = client.get(path).text
        assert "http://" not in text
        assert "https://" not in text
        assert 'src="//' not in text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("images/linked.jpg", "image/jpeg"),
        ("other/a%20b%20%C3%BC.PNG", "image/png"),
        ("other/scan.jfif", "image/jpeg"),
        ("other/noend", "image/webp"),
    ],
)
def test_photos_of_the_folder(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(f"/images/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "events.jsonl",
        "none.jpg",
        "other/notes",
        "folder.jpg",
        "escape.jpg",
        "..%2Foutside.jpg",
        "images/..%2F..%2Foutside.jpg",
        "%2Fetc%2Fpasswd",
        "%2e%2e/outside.jpg",
        "a%00.jpg",
        f"{'x' * 5000}.jpg",
        "",
    ],
)
def test_nothing_else(client: TestClient, path: str) -> None:
    answer = client.get(f"/images/{path}")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def test_without_a_folder_there_are_no_photos(tiny_bundle: Path) -> None:
    client = TestClient(create_app(Settings(tiny_bundle)))
    assert client.get("/images/images/linked.jpg").status_code == 404
    assert client.get("/health/ready").json()["photos"] is False
