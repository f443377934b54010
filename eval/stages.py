"""The stages of the chain by their command lines: evaluation imports none of them."""

import os
import subprocess
import sys
from collections.abc import Mapping

from relevance.errors import TrainingError


def run_stage(package: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Runs `python -m package arguments`, quietly, and returns what it printed; raises TrainingError with its last
    words where it fails. environment: what is added to this process's."""
    command = [sys.executable, "-m", package, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(environment or {})})
    if ran.returncode:
        words = ran.stderr.strip().splitlines() or ["(it said nothing)"]
        raise TrainingError(f"python -m {package} {' '.join(arguments)}: exit code {ran.returncode}: {words[-1]}")
    return ran.stdout
