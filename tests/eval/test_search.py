import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.__main__ import app
from eval.bootstrap import Estimate
from eval.inputs import read_judgments, read_queries
from eval.search import evaluate, join, report, unasked, unjudged, unknown
from relevance.errors import DataError
from relevance.results import Hit, SearchResult

QUERIES = {"red shoes": "head", "sneekers": "typo", "piano": "none", "violin": "none"}
JUDGMENTS = {"red shoes": {"s-red": 3, "s-blue": 2, "b-red": 1, "s-green": 2}, "sneekers": {"s-red": 3}}


def test_by_hand(engine: object) -> None:
    result = evaluate(engine, join(QUERIES, JUDGMENTS, relevant=2), k=10, relevant=2)  # type: ignore[arg-type]
    overall = result["figures"]["overall"]
    ideal = 7 + 3 / math.log2(3) + 3 / 2 + 1 / math.log2(5)
    lexical, whole = 7 + 1 / math.log2(3), 7 + 3 / math.log2(3)
    # "sneekers" finds nothing relevant in either; the two of kind none do not count.
    assert overall["lexical"]["ndcg@10"].value == pytest.approx(lexical / ideal / 2)
    assert overall["engine"]["ndcg@10"].value == pytest.approx(whole / ideal / 2)
    assert overall["difference"]["ndcg@10"].value == pytest.approx((whole - lexical) / ideal / 2)
    assert overall["engine"]["ndcg@10"].n == 2
    assert overall["lexical"]["recall@10"].value == pytest.approx((1 / 3 + 0) / 2)
    assert overall["engine"]["recall@10"].value == pytest.approx((2 / 3 + 0) / 2)
    assert overall["lexical"]["zero_result_rate"].value == 3 / 4
    assert overall["engine"]["zero_result_rate"].value == 1 / 4
    assert overall["engine"]["correct_abstention"].value == 1 / 2  # piano, not violin
    assert overall["engine"]["false_abstention"].value == 0
    assert overall["lexical"]["false_abstention"].value == 1 / 2


def test_by_kind_and_rows(engine: object) -> None:
    result = evaluate(engine, join(QUERIES, JUDGMENTS, relevant=2), k=10, relevant=2)  # type: ignore[arg-type]
    assert list(result["figures"]) == ["overall", "head", "none", "typo"]
    assert result["figures"]["none"]["engine"]["ndcg@10"].n == 0
    assert result["figures"]["typo"]["engine"]["zero_result_rate"].value == 0
    assert [row["query"] for row in result["queries"]] == list(QUERIES)
    assert result["queries"][2]["engine"]["ndcg@10"] is None
    assert 0 <= result["latency_ms"]["engine"]["p50"] <= result["latency_ms"]["engine"]["p99"]
    json.dumps(result, default=Estimate.to_dict, allow_nan=False)
    table = report(result, 10)
    assert "typo, lexical" in table
    assert "NDCG@10" in table


def test_relevant_moves_the_bar(engine: object) -> None:
    judged = join(QUERIES, JUDGMENTS, relevant=3)
    result = evaluate(engine, judged, k=10, relevant=3)  # type: ignore[arg-type]
    assert result["figures"]["overall"]["engine"]["recall@10"].value == pytest.approx((1 + 0) / 2)


def test_judgments_that_cannot_count_are_told() -> None:
    told = unasked(QUERIES, {**JUDGMENTS, "Sneekers": {"s-red": 3}})
    assert told == "note: 1 judged queries are not among the queries: Sneekers"
    assert unasked(QUERIES, JUDGMENTS) is None
    judged = join(QUERIES, JUDGMENTS, relevant=2)
    assert unknown(judged, lambda _: True, relevant=2) is None
    told = unknown(judged, lambda listing: listing != "s-green", relevant=2)
    assert told == "note: 1 listings judged relevant are not in the bundle, and count as not found: s-green"
    assert unknown(judged, lambda listing: listing != "b-red", relevant=2) is None  # of grade 1


def test_queries_without_judgments_are_told() -> None:
    joined = join({**QUERIES, "new": "head"}, JUDGMENTS, relevant=2)
    assert "no judgment for 1 queries" in str(unjudged(joined))
    assert unjudged(join(QUERIES, JUDGMENTS, relevant=2)) is None
    with pytest.raises(DataError, match="no query has a judgment of grade 2"):
        join({"new": "head"}, {}, relevant=2)


def test_judged_listings_that_have_expired_are_told(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("query\nkeyboard\n")
    (tmp_path / "j.csv").write_text("query,listing_id,grade\nkeyboard,L0000000,3\nkeyboard,L0000001,1\n")
    files = ["--queries", str(tmp_path / "q.csv"), "--judgments", str(tmp_path / "j.csv")]
    command = ["search", "--bundle", str(tiny_bundle), *files, "--at"]
    told = "note: 1 listings judged relevant have expired at 2100-01-01T00:00:00.000 (see --at), and count as not found"
    assert f"{told}: L0000000\n" in CliRunner().invoke(app, [*command, "2100-01-01"]).stderr
    assert "note" not in CliRunner().invoke(app, [*command, "2000-01-01"]).stderr


def test_a_kind_cannot_be_called_as_all_are() -> None:
    with pytest.raises(DataError, match=r"kind 'overall': .* give new another kind"):
        join({**QUERIES, "new": "overall"}, JUDGMENTS, relevant=2)


def test_a_folder_for_the_figures_is_refused_before_any_work(tmp_path: Path) -> None:
    there = ("--bundle", "no", "--queries", "no", "--judgments", "no")  # not looked at
    done = CliRunner().invoke(app, ["search", *there, "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "Invalid value for '--out'" in done.output


def test_a_field_may_be_longer_than_the_csv_module_reads(tmp_path: Path) -> None:
    long = "x" * 140_000  # its limit is 131,072
    (tmp_path / "q.tsv").write_text(f"query\tkind\r\n{long}\thead\r\nshoes\t\n")
    assert read_queries(tmp_path / "q.tsv") == {long: "head", "shoes": ""}


def test_reads_other_column_names_and_formats(tmp_path: Path) -> None:
    judgments = tmp_path / "j.csv"
    judgments.write_text('query,docid,rating\n"a, b",7,0\n"a, b",8,3\nc,7,1\n')
    assert read_judgments(judgments, "docid", "rating") == {"a, b": {"7": 0, "8": 3}, "c": {"7": 1}}
    for name, content in (
        ("q.tsv", 'query\tkind\n5" disk\thead\nc\t\n'),
        ("q.csv", 'query,kind\n"5"" disk",head\nc,\n'),
        ("q.jsonl", '{"query": "5\\" disk", "kind": "head"}\n{"query": "c"}\n'),
    ):
        (tmp_path / name).write_text(content)
        assert read_queries(tmp_path / name) == {'5" disk': "head", "c": ""}


@pytest.mark.parametrize(
    ("read", "content", "message"),
    [
        (read_queries, "query,kind\na,head\na,head\n", "row 3, column query: expected each query once"),
        (read_queries, "query,kind\n ,head\n", "row 2, column query"),
        (read_queries, "text\na\n", "missing: query"),
        (lambda p: read_judgments(p, "id", "g"), "query,id,g\na,1,2.5\n", "column g: expected a whole number"),
        (lambda p: read_judgments(p, "id", "g"), "query,id,g\na,1,-1\n", "column g"),
        (lambda p: read_judgments(p, "id", "g"), "query,id,g\na,1,\n", "column g: expected a value"),
        (lambda p: read_judgments(p, "id", "g"), "query,id,g\na,1,1\na,1,2\n", "row 3, column id"),
    ],
)
def test_refuses(tmp_path: Path, read: Callable[[Path], object], content: str, message: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read(path)


def test_asks_for_k_hits(engine: object) -> None:
    class Counting:
        k: set[int] = set()  # noqa: RUF012

        def search(self, query: str, k: int = 20) -> SearchResult:
            self.k.add(k)
            return engine.search(query, k)  # type: ignore[attr-defined,no-any-return]

        def lexical_search(self, query: str, k: int = 20) -> tuple[Hit, ...]:
            self.k.add(k)
            return engine.lexical_search(query, k)  # type: ignore[attr-defined,no-any-return]

    evaluate(Counting(), join(QUERIES, JUDGMENTS, relevant=2), k=57, relevant=2)
    assert Counting.k == {57}
