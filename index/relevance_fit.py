"""The relevance model, fitted on held-out queries: what is relevant, in which order, and when to abstain."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from index.composed import composed_choices, misspelt_names, titled_choices
from index.ranking import Choice, fit_ranking
from index.votes import CERTAIN, Votes
from relevance.absent import AbsentWords, made_up_words
from relevance.candidates import features_of
from relevance.engine import Engine
from relevance.errors import DataWarning
from relevance.featuriser import Featuriser
from relevance.query import Query
from relevance.relevance_model import FEATURES, Features, RelevanceModel

FALSE_ABSTENTION = 0.03
"""Share of the queries with an answer that may be answered by nothing."""

LEAST_DEMANDING, MOST_DEMANDING = 0.05, 0.22
"""The threshold stays between these. What has a fair chance of being relevant is shown, also where held-out searches
are so easy that a higher threshold would lose few of them; what almost certainly is not, is never shown."""

MISSPELT = 4
"""For so many held-out queries one more is made up: a name of a thing with a typing error nobody may have made."""

TAKEN_AWAY = 0.1
"""What a query counts whose categories are taken away, beside one for another thing, where a prior knows words for
such; nothing where a lexicon adds its own, and as much without a prior. It still lies among things, and so says that
the place of nothing tells less than it does."""

MOST_QUERIES = 3000
FEWEST_COMPOSED = 100
"""With fewer queries whose answer is known by construction, the order is learned from what was chosen as well."""

TITLED = 500
"""Listings whose titles the order learns from, by some of their words, however few other queries it has."""

FEWEST_UNMATCHED = 30
"""With fewer held-out queries whose words match nothing, the threshold is chosen on all of them."""

OTHER_THINGS = 4
"""One query of so many gets a word for another thing behind what it is about."""

HEAVIEST_SECOND_NOUN = 30.0
"""At most so much weight is taken away for it."""

_SECOND_NOUN = FEATURES.index("second_noun")
_POOL = 20
_NOBODY: Mapping[int, float] = {}
_NOWHERE = np.empty(0, np.int64)


@dataclass
class _Examples:
    """Candidates of queries. features, labels: of each query's, float32 `[n, features]` and bool `[n]`, whether they
    are relevant; counts: float64 `[n]`, what each counts; choices: which were chosen; answerable: features of queries
    that have an answer, and unmatched: of those whose words match nothing."""

    features: list[Features] = field(default_factory=list)
    labels: list[NDArray[np.bool_]] = field(default_factory=list)
    counts: list[NDArray[np.float64]] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    answerable: list[Features] = field(default_factory=list)
    unmatched: list[Features] = field(default_factory=list)

    def add(self, features: Features, labels: NDArray[np.bool_] | None = None, count: float = 1.0) -> None:
        """labels: None where nothing is relevant."""
        self.features.append(features)
        self.counts.append(np.full(len(features), count))
        self.labels.append(np.zeros(len(features), np.bool_) if labels is None else labels)


def fit_relevance(
    engine: Engine, votes: Votes, absent: AbsentWords, seed: int
) -> tuple[RelevanceModel, dict[str, Any]]:
    """Returns the model, and how many pairs it was fitted on. A candidate counts as relevant when it lies in a category
    that was chosen for the query. What is not there is learned from words for other things, made-up words and, the
    less the more is known of other things, the same queries with the chosen branches of the ontology taken away. A
    DataWarning tells where there was nothing to tell apart: the engine's own model stays then."""
    rng = np.random.default_rng(seed)
    sample = rng.permutation(len(votes.queries))[:MOST_QUERIES].tolist()
    examples = _examples(engine, votes, sample)
    _add_absent(engine, examples, absent, len(sample), seed)
    labels = np.concatenate(examples.labels)
    measured = {"relevance_pairs": len(labels), "relevant_share": float(labels.mean()) if len(labels) else 0.0}
    if not 0 < labels.sum() < len(labels):
        which = "all" if labels.any() else "none"
        warnings.warn(
            f"of {len(labels):,} candidates of held-out queries {which} lie in a category that was chosen: nothing to "
            "calibrate relevance by, it is provisional",
            DataWarning,
            stacklevel=3,
        )
        return engine.relevance, measured
    others = _of_other_things(engine, votes, absent, sample[::OTHER_THINGS], Random(seed))
    fitted, bias = _fit(examples, others)
    weights = tuple(round(float(w), 6) for w in fitted)
    # What people chose says how they ask, but also what the words had brought before them: the order is learned from
    # what would have met the wish.
    composed = composed_choices(engine, votes, MOST_QUERIES, _POOL, rng)
    choices = composed if len(composed) >= FEWEST_COMPOSED else composed + examples.choices
    choices = choices + titled_choices(engine, TITLED, _POOL, rng)
    ranking = fit_ranking(choices, np.array(weights))
    model = RelevanceModel(weights, round(bias, 6), ranking, 0.0, FALSE_ABSTENTION)
    return replace(model, threshold=_threshold(engine, model, votes, examples, seed)), measured


def _examples(engine: Engine, votes: Votes, sample: list[int]) -> _Examples:
    examples, taken_away = _Examples(), _taken_away(engine.towers.featuriser)
    for number in tqdm(sample, desc="calibrate", unit="query"):
        asked = engine.read(votes.queries[number])
        categories = votes.chosen(number)
        present, relevant, choice = _present(engine, asked, categories, votes.listings(number))
        examples.add(present, relevant)
        if taken_away:
            examples.add(_absent(engine, asked, categories), count=taken_away)
        examples.choices += [choice] if choice.chosen.any() else []
        examples.answerable.append(present)
        matched = present[:, FEATURES.index("lexical")].any()
        if not matched and votes.choices[number] >= CERTAIN:
            examples.unmatched.append(present)
    return examples


def _taken_away(featuriser: Featuriser) -> float:
    if not featuriser.pieces:  # then a lexicon's other things are not among the words for such either
        return 1.0
    return 0.0 if featuriser.others else TAKEN_AWAY


def _add_absent(engine: Engine, examples: _Examples, absent: AbsentWords, n: int, seed: int) -> None:
    """Queries for what is not there: a quarter of `n` of made-up words, half of `n` of other things."""
    made_up = AbsentWords(tuple(made_up_words(engine.reader.speller.words, n // 4, Random(seed))))
    for query in [*made_up.queries(n // 4, Random(seed)), *absent.queries(n // 2, Random(seed))]:
        examples.add(_present(engine, engine.read(query), _NOWHERE, _NOBODY)[0])


def _of_other_things(engine: Engine, votes: Votes, absent: AbsentWords, sample: list[int], dice: Random) -> _Examples:
    """Queries with a word for another thing behind what they are about, and so about that."""
    examples = _Examples()
    for number in sample if absent.words else ():
        asked = engine.read(votes.queries[number])
        words = asked.reading.words
        if asked.nouns and asked.nouns[0] in words:
            behind = words.index(asked.nouns[0]) + 1
            other = " ".join([*words[:behind], dice.choice(absent.words), *words[behind:]])
            examples.add(_present(engine, engine.read(other), _NOWHERE, _NOBODY)[0])
    return examples


def _fit(examples: _Examples, others: _Examples) -> tuple[NDArray[np.float64], float]:
    """The weights of the features and the bias. What a second noun takes away is fitted afterwards, by the others as
    well: together, what they have in common would be its effect, too."""
    features, labels = np.concatenate(examples.features), np.concatenate(examples.labels)
    counts = np.concatenate(examples.counts)
    alone = np.arange(len(FEATURES)) != _SECOND_NOUN
    fitted = LogisticRegression(C=10.0, max_iter=1000).fit(features[:, alone], labels, counts)
    weights = np.zeros(len(FEATURES))
    weights[alone], bias = fitted.coef_[0], float(fitted.intercept_[0])
    both = np.concatenate([features, *others.features])
    sign = np.concatenate([np.where(labels, -1.0, 1.0), *(np.ones(len(rows)) for rows in others.features)])
    counts = np.concatenate([counts, *others.counts])
    logits, second = both @ weights + bias, both[:, _SECOND_NOUN].astype(np.float64)

    def loss(weight: float) -> float:
        return float(counts @ np.logaddexp(0, sign * (logits + weight * second)))

    weights[_SECOND_NOUN] = minimize_scalar(loss, bounds=(-HEAVIEST_SECOND_NOUN, 0), method="bounded").x
    return weights, bias


def _threshold(engine: Engine, model: RelevanceModel, votes: Votes, examples: _Examples, seed: int) -> float:
    """The fallback answers where the words match nothing: chosen on such queries, and on some rarer ones."""
    enough = len(examples.unmatched) >= FEWEST_UNMATCHED
    answerable = examples.unmatched if enough else examples.answerable
    names = misspelt_names(engine, votes, len(answerable) // MISSPELT, Random(seed))
    misspelt = [_present(engine, engine.read(name), _NOWHERE, _NOBODY)[0] for name in names]
    best = np.array([model.judge(rows)[0].max() for rows in answerable + misspelt if len(rows)])
    return round(float(np.clip(np.quantile(best, FALSE_ABSTENTION), LEAST_DEMANDING, MOST_DEMANDING)), 6)


def _present(
    engine: Engine, asked: Query, categories: NDArray[np.int64], listings: Mapping[int, float]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], Choice]:
    """The features of the query's first candidates, which of them lie in a chosen category, and which were chosen."""
    found = engine.candidates(asked, _POOL, np.ones(len(engine), bool))
    chosen = np.array([listings.get(row, 0.0) for row in found.rows.tolist()])
    choice = Choice(found.features, chosen)
    order = np.argsort(-found.features[:, FEATURES.index("cosine")], kind="stable")[:_POOL]
    return found.features[order], np.isin(engine.columns.category[found.rows[order]], categories), choice


def _absent(engine: Engine, asked: Query, categories: NDArray[np.int64]) -> NDArray[np.float32]:
    """The features of what would be found, had the catalogue nothing under the parents of the chosen categories."""
    ontology = engine.ontology
    gone = np.zeros(len(ontology), bool)
    for category in categories.tolist():
        top = category if ontology.parent[category] < 0 else int(ontology.parent[category])
        gone[top : ontology.end[top]] = True
    left = ~gone[engine.columns.category]
    if gone[~engine.categories.empty].all() or not left.any():
        return np.empty((0, len(FEATURES)), np.float32)
    shares = np.where(gone, np.float32(0), asked.shares)
    asked = asked._replace(
        shares=np.asarray(shares / max(float(shares.sum()), 1e-9), np.float32),
        nothing=asked.nothing + float(asked.categories.max() - asked.categories[~gone].max()),
    )
    rows, cosine = engine.vectors.search(asked.embedding, _POOL, left)
    # The lexical engine would still find what has the words.
    matching, scores = engine.lexical.search(asked.text, 1000)
    found = dict(zip(matching.tolist(), scores.tolist(), strict=True))
    bm25 = np.array([found.get(row, 0.0) for row in rows.tolist()], np.float32)
    return features_of(engine.catalogue, asked, rows, cosine, bm25 > 0, bm25)
