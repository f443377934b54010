"""The port that a service answers on, taken before it says that it runs."""

import socket

from relevance.errors import DataError

_BACKLOG = 2048
"""Connections that wait to be taken."""


def listening(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; port 0: one that is free. Raises DataError where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"cannot listen: {reason}; choose another --port or --host") from error


def address(listener: socket.socket) -> str:
    """Returns where to reach what listens, as http://HOST:PORT."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
