"""The stages of the chain by their command lines: evaluation imports none of them."""

import subprocess
import sys

from relevance.errors import TrainingError


def run_stage(package: str, *arguments: str) -> None:
    """Runs `python -m package arguments`, quietly; raises TrainingError with its last words where it fails."""
    ran = subprocess.run([sys.executable, "-m", package, *arguments], capture_output=True, text=True)
    if ran.returncode:
        words = ran.stderr.strip().splitlines() or ["(it said nothing)"]
        raise TrainingError(f"python -m {package} {' '.join(arguments)}: exit code {ran.returncode}: {words[-1]}")
