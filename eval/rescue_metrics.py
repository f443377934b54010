"""What is measured of replayed searches. A figure is the mean of one number a search, over those it speaks of.

A search is answerable where the catalogue has a listing of grade 2 or 3 for it; it asks for something absent where the
catalogue has not even a category for it. Rescued means: no hit from the lexical engine alone, some from the whole one.
"""

from collections.abc import Callable

from eval.replay import Outcome

_SAME = 1e-9
"""NDCG differences up to this are rounding."""


def _of(counted: bool, value: float) -> float:
    """`value` where the search counts for the metric, else NaN."""
    return float(value) if counted else float("nan")


def _rescued(one: Outcome) -> bool:
    return not one.lexical.hits and one.engine.hits > 0


def _ndcg_change(one: Outcome) -> float:
    return one.engine.ndcg - one.lexical.ndcg


METRICS: dict[str, tuple[str, Callable[[Outcome], float]]] = {
    "zero_before": (
        "share of searches without a hit from the lexical engine alone",
        lambda o: not o.lexical.hits,
    ),
    "zero_after": ("share of searches without a hit from the whole engine", lambda o: not o.engine.hits),
    "zero_change": ("zero_after less zero_before", lambda o: (not o.engine.hits) - (not o.lexical.hits)),
    "zero_before_answerable": (
        "zero_before over the searches that the catalogue can answer (a listing of grade 2 or 3)",
        lambda o: _of(o.answerable, not o.lexical.hits),
    ),
    "zero_after_answerable": (
        "zero_after over the same; also the share of false abstentions of the whole engine",
        lambda o: _of(o.answerable, not o.engine.hits),
    ),
    "rescued": (
        "of the searches without a lexical hit, the share to which the whole engine shows something",
        lambda o: _of(not o.lexical.hits, o.engine.hits > 0),
    ),
    "rescued_relevant": (
        "of the rescued searches, the share with a listing of grade 2 or 3 in the first ten",
        lambda o: _of(_rescued(o), o.engine.relevant > 0),
    ),
    "rescued_exact": (
        "of the rescued searches, the share with a listing of grade 3 in the first ten",
        lambda o: _of(_rescued(o), o.engine.exact > 0),
    ),
    "rescued_answerable_relevant": (
        "rescued_relevant over the searches that the catalogue can answer",
        lambda o: _of(_rescued(o) and o.answerable, o.engine.relevant > 0),
    ),
    "worse_relevant": (
        "of the searches with a lexical hit, the share with fewer listings of grade 2 or 3 in the first ten than from "
        "the lexical engine alone",
        lambda o: _of(o.lexical.hits > 0, o.engine.relevant < o.lexical.relevant),
    ),
    "worse_exact": (
        "of the searches with a lexical hit, the share with fewer listings of grade 3 in the first ten",
        lambda o: _of(o.lexical.hits > 0, o.engine.exact < o.lexical.exact),
    ),
    "worse_ndcg": (
        "of the answerable searches with a lexical hit, the share whose NDCG@10 is lower than the lexical engine's",
        lambda o: _of(o.lexical.hits > 0 and o.answerable, _ndcg_change(o) < -_SAME),
    ),
    "better_ndcg": (
        "of the same, the share whose NDCG@10 is higher",
        lambda o: _of(o.lexical.hits > 0 and o.answerable, _ndcg_change(o) > _SAME),
    ),
    "ndcg_change_where_lexical_found": (
        "mean change of NDCG@10 over the same",
        lambda o: _of(o.lexical.hits > 0, _ndcg_change(o)),
    ),
    "correct_abstention": (
        "of the searches for what the catalogue has no category of, the share answered with nothing",
        lambda o: _of(not o.search.intent.wanted, not o.engine.hits),
    ),
    "correct_abstention_lexical": (
        "the same for the lexical engine alone",
        lambda o: _of(not o.search.intent.wanted, not o.lexical.hits),
    ),
    "false_abstention": (
        "of the answerable searches, the share answered with nothing",
        lambda o: _of(o.answerable, not o.engine.hits),
    ),
    "ndcg_before": ("mean NDCG@10 of the lexical engine alone, over answerable searches", lambda o: o.lexical.ndcg),
    "ndcg_after": ("mean NDCG@10 of the whole engine, over answerable searches", lambda o: o.engine.ndcg),
    "ndcg_change": ("ndcg_after less ndcg_before", _ndcg_change),
    "filter_share": ("share of searches whose category filter restricts", lambda o: o.category_filter.mode == "filter"),
    "boost_share": ("share of searches whose categories boost", lambda o: o.category_filter.mode == "boost"),
    "none_share": ("share of searches without categories", lambda o: o.category_filter.mode == "none"),
    "filter_coverage": (
        "of the restricting filters of searches that have a true category, the share that holds it (or an ancestor)",
        lambda o: _coverage(o, "filter"),
    ),
    "boost_coverage": ("the same of boosts", lambda o: _coverage(o, "boost")),
    "filter_kept": (
        "mean share of the listings of grade 2 or 3 that a restricting filter lets through",
        lambda o: _of(o.category_filter.mode == "filter", o.kept),
    ),
    "filter_size": (
        "mean number of categories in a restricting filter",
        lambda o: _of(o.category_filter.mode == "filter", len(o.category_filter.categories)),
    ),
    "boost_size": (
        "mean number of categories in a boost",
        lambda o: _of(o.category_filter.mode == "boost", len(o.category_filter.categories)),
    ),
}
"""name -> what it says, and its value for one search, NaN where it says nothing of the search."""


def _coverage(one: Outcome, mode: str) -> float:
    held = one.wanted_in_filter
    return float("nan") if held is None else _of(one.category_filter.mode == mode, held)
