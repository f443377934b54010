"""The service: `create_app(Settings(bundle))` makes the app, `serve` runs it. Every error is `{"error": "..."}`."""

from relevance.errors import RelevanceError

try:
    from relevance.service.app import create_app
    from relevance.service.server import serve
except ImportError as error:
    raise RelevanceError("the service needs FastAPI and uvicorn: pip install 'relevance[serve]'") from error
from relevance.service.settings import Settings

__all__ = ["Settings", "create_app", "serve"]
