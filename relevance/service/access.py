"""Who may write: whoever sends the token that the service was started with."""

import hmac

from fastapi import HTTPException, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

_BEARER = HTTPBearer(auto_error=False, description="The token that the service was started with.")


class Writer:
    """A dependency of every endpoint that changes or records anything; think `Depends(Writer(token))`."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    async def __call__(self, given: HTTPAuthorizationCredentials | None = Security(_BEARER)) -> None:
        if not self._token:
            raise HTTPException(403, "nobody may write here: the service was started without a token")
        if given is None:
            raise HTTPException(401, "expected the header Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})
        if not hmac.compare_digest(given.credentials.encode(), self._token.encode()):
            raise HTTPException(401, "not the token that the service was started with", {"WWW-Authenticate": "Bearer"})
