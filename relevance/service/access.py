"""Who may write: whoever sends the token that the service was started with."""

import hmac
import re

from fastapi import HTTPException, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers

from relevance.errors import DataError

_BEARER = HTTPBearer(auto_error=False, description="The token that the service was started with.")
_TOKEN = re.compile(r"[!-~]+( [!-~]+)*")
"""What a header can hold and nobody changes on the way."""


class Writer:
    """A dependency of every endpoint that changes or records anything; think `Depends(Writer(token))`.

    Raises DataError for a token that no header can hold.
    """

    def __init__(self, token: str | None) -> None:
        if token and not _TOKEN.fullmatch(token):
            raise DataError("the token: expected ASCII letters, digits and signs, as of `openssl rand -hex 32`")
        self._token = token

    async def __call__(self, given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> None:
        if refusal := self._refusal(None if given is None else given.credentials):
            raise refusal

    def refusal(self, headers: Headers) -> HTTPException | None:
        """Returns why a request with these headers may not write, None where it may."""
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        return self._refusal(credentials.strip() if scheme.lower() == "bearer" and credentials else None)

    def _refusal(self, given: str | None) -> HTTPException | None:
        if not self._token:
            return HTTPException(403, "nobody may write here: the service was started without a token")
        if given is None:
            return HTTPException(401, "expected the header Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return HTTPException(401, "not the token that the service was started with", {"WWW-Authenticate": "Bearer"})
        return None
