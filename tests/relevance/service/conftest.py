"""The service in the process of its tests, and what they search."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from relevance.engine import Engine
from relevance.service import Settings, create_app


@pytest.fixture(scope="module")
def client(tiny_bundle: Path) -> TestClient:
    # A server's exceptions must become answers, as they do in a real process.
    return TestClient(create_app(Settings(tiny_bundle)), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def title(engine: Engine) -> str:
    return engine.store.rows([0])[0].title
