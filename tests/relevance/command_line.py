"""The command `relevance` as a process."""

import os
import subprocess
import sys
from pathlib import Path

MAIN = "from relevance.cli import main; main()"


def run(*arguments: str, bundle: Path | None = None, live: Path | None = None) -> subprocess.CompletedProcess[str]:
    ours = ("RELEVANCE_BUNDLE", "RELEVANCE_LIVE")
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    environment |= {name: str(path) for name, path in zip(ours, (bundle, live), strict=True) if path is not None}
    command = [sys.executable, "-c", MAIN, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def refused(ran: subprocess.CompletedProcess[str]) -> str:
    """The message of a refusal: exit code 2, nothing on stdout, one line of error, no traceback."""
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "Traceback" not in ran.stderr
    errors = [line for line in ran.stderr.splitlines() if line.startswith("error: ")]
    assert errors == ran.stderr.splitlines()[-1:]
    return errors[0].removeprefix("error: ")
