"""What installing and importing the runtime must not bring along."""

import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "tf_keras", "pandas", "sklearn", "scipy", "gensim", "pyarrow", "matplotlib")
SERVER = ("fastapi", "uvicorn", "starlette")


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def _loaded_after(statement: str) -> set[str]:
    ran = _run(f"import sys\n{statement}\nprint(*sys.modules)")
    assert ran.returncode == 0, ran.stderr
    return {name.partition(".")[0] for name in ran.stdout.split()}


@pytest.mark.parametrize("statement", ["import relevance", "import relevance.cli"])
def test_the_runtime_loads_no_training_library_and_no_server(statement: str) -> None:
    assert _loaded_after(statement).isdisjoint((*HEAVY, *SERVER, "training", "index", "eval"))


def test_the_service_loads_no_training_library() -> None:
    assert _loaded_after("import relevance.service").isdisjoint(HEAVY)


def test_every_exported_name_is_there() -> None:
    assert _run("from relevance import *\nprint(Engine, open, search, Filters)").returncode == 0


def test_import_starts_no_thread_and_prints_nothing() -> None:
    ran = _run("import relevance, threading\nassert threading.active_count() == 1")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_without_faiss_the_command_line_still_explains_itself() -> None:
    """FAISS is an extra: the package has to import without it and say what to install."""
    hide = "import sys; sys.modules['faiss'] = None\n"
    assert _run(hide + "import relevance.cli; sys.argv = ['relevance', '--help']; relevance.cli.main()").returncode == 0
    ran = _run(hide + "import numpy as np\nfrom relevance.vectors import VectorIndex\nVectorIndex(np.eye(2))")
    assert "RelevanceError: FAISS is not installed: pip install 'relevance[cpu]'" in ran.stderr


def test_without_fastapi_serve_names_what_to_install() -> None:
    hide = "import sys; sys.modules['fastapi'] = None\n"
    ran = _run(hide + "import relevance.cli; sys.argv = ['relevance', 'serve', 'x']; relevance.cli.main()")
    assert ran.returncode == 2
    assert ran.stderr == "error: the service needs FastAPI and uvicorn: pip install 'relevance[serve]'\n"
