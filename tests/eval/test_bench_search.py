"""The search benchmark gives a figure for every part."""

from pathlib import Path

from typer.testing import CliRunner

from eval.__main__ import app


def test_every_part_is_timed(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "queries.csv").write_text("query\ngaming keyboard\nsofa\n", encoding="utf-8")
    arguments = ["bench", "search", "--bundle", str(tiny_bundle), "--queries", str(tmp_path / "queries.csv")]
    ran = CliRunner().invoke(app, [*arguments, "--rounds", "1", "--out", str(tmp_path / "out.json")])
    assert ran.exit_code == 0, ran.output
    parts = ("search", "of it: candidates", "asked for the first time", "category_filter", "alone: query encoder")
    for part in (*parts, "alone: lexical index", "alone: vectors", "lexical_search"):
        assert part in ran.output
    assert "2 queries, 1 rounds" in ran.output
    assert "import and open:" in ran.output
    assert (tmp_path / "out.json").is_file()
