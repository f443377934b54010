"""What people want: a kind of thing the catalogue has, perhaps of a brand, a colour, for somebody; or something it has
not. A wish knows by which words people may ask for it, and grades listings."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from eval.simulate.assumptions import Searchers
from eval.simulate.dice import Dice
from eval.simulate.languages import Language
from eval.simulate.marketplace import table
from relevance.ontology import Ontology
from relevance.text import tokens


@dataclass(frozen=True)
class Catalogue:
    """What is true of the listings. category: int position in the ontology for each listing; attributes: all of each
    listing's attributes; words: category name -> how people call it, the usual word first, and how many of these are
    the sellers' own."""

    ontology: Ontology
    category: list[int]
    attributes: list[dict[str, Any]]
    words: Mapping[str, tuple[list[str], int]]
    title_words: frozenset[str]
    languages: Mapping[str, Language] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        """Listings by the name of their category: one name may stand at several places of the ontology."""
        rows: dict[str, list[int]] = defaultdict(list)
        for row, position in enumerate(self.category):
            if position >= 0:
                rows[self.ontology.name(position)].append(row)
        return dict(rows)

    @cached_property
    def names(self) -> dict[str, str]:
        """The attributes that are a gender, a colour or a brand: role -> this catalogue's name for it."""
        counts = Counter(name for values in self.attributes for name in values)
        roles: dict[str, list[str]] = table("searchers")["attributes"]
        found = {role: next((n for n in names if counts[n]), None) for role, names in roles.items()}
        return {role: name for role, name in found.items() if name is not None}

    @cached_property
    def accepted(self) -> dict[str, dict[str, list[str]]]:
        """Role -> phrase -> the catalogue's own values that satisfy it."""
        accepted: dict[str, dict[str, list[str]]] = {}
        for role in ("gender", "colour"):
            name = self.names.get(role)
            own = sorted({value for values in self.attributes for value in _each(values.get(name))}) if name else []
            accepted[role] = {
                phrase: [value for value in own if value.lower() in wanted]
                for phrase, wanted in table("searchers")[role].items()
            }
        return accepted


@dataclass(frozen=True)
class Wish:
    """categories: positions that hold the thing, none where the catalogue has it not; constraints: attribute ->
    accepted values; words: nouns for it, the first `own` of them the sellers' own; phrases: role -> how the constraint
    is said. language: "" for the site's own, else a foreign one, with its fillers and the wish as it is said in the
    site's."""

    categories: frozenset[int]
    parents: frozenset[int]
    constraints: dict[str, list[str]]
    words: list[str]
    own: int
    phrases: dict[str, str]
    language: str = ""
    fillers: tuple[str, ...] = ()
    translation: "Wish | None" = None

    @property
    def absent(self) -> bool:
        return not self.categories

    def grade(self, position: int, attributes: dict[str, Any], parent: int) -> int:
        """3: the thing, and every constraint holds; 2: one fails; 1: more fail, or a sibling category; 0: the rest. Of
        an attribute with several values one has to do."""
        if position not in self.categories:
            return int(parent >= 0 and parent in self.parents)
        failing = sum(not {*_each(attributes.get(name))} & {*values} for name, values in self.constraints.items())
        return max(1, 3 - failing)


class Wishes:
    """Draws wishes over one catalogue."""

    def __init__(self, catalogue: Catalogue, dice: Dice, assume: Searchers) -> None:
        self._catalogue = catalogue
        self._dice = dice
        self._assume = assume
        self._names = sorted(catalogue.by_name)
        self._demand = np.cumsum(
            [
                len(catalogue.by_name[name]) ** assume.supply_exponent * np.exp(assume.demand_sigma * dice.normal())
                for name in self._names
            ]
        )
        self._absent = _absent_things(catalogue)
        positions: dict[str, set[int]] = defaultdict(set)
        for position in sorted({c for c in catalogue.category if c >= 0}):
            positions[catalogue.ontology.name(position)].add(position)
        self._positions = {name: frozenset(found) for name, found in positions.items()}

    def draw(self) -> Wish:
        """One person's wish."""
        dice = self._dice
        if self._absent and dice.chance(self._assume.absent):
            return Wish(frozenset(), frozenset(), {}, dice.pick(self._absent), 0, {})
        at = int(np.searchsorted(self._demand, dice.uniform() * self._demand[-1], side="right"))
        name = self._names[min(at, len(self._names) - 1)]
        words, own = self._catalogue.words.get(name) or ([" ".join(tokens(name))], 1)
        # The one they have in mind, from which colour, brand and so on are taken; of several colours they want one.
        given = self._catalogue.attributes[dice.pick(self._catalogue.by_name[name])]
        example = {
            key: dice.pick(value) if value and isinstance(value, list) else value for key, value in given.items()
        }
        constraints, phrases = self._constraints(example)
        positions = self._positions[name]
        parents = frozenset(int(self._catalogue.ontology.parent[p]) for p in positions) - {-1}
        wish = Wish(positions, parents, constraints, words, own, phrases)
        if self._catalogue.languages and dice.chance(self._assume.foreign):
            return self._foreign(wish, name, example)
        return wish

    def _foreign(self, wish: Wish, name: str, example: dict[str, Any]) -> Wish:
        """The wish in a foreign language; as it is where that has no word for the thing or for what is said of it."""
        spoken = self._dice.pick(sorted(self._catalogue.languages))
        language = self._catalogue.languages[spoken]
        if name not in language.nouns:
            return wish
        phrases: dict[str, str] = {}
        constraints: dict[str, list[str]] = {}
        for role in wish.phrases:
            attribute = self._catalogue.names.get(role, "")
            value = str(example.get(attribute) or "")
            said = language.phrases.get(role, {}).get(value.lower()) if role != "brand" else [wish.phrases[role]]
            if said:
                phrases[role] = self._dice.pick(said)
                constraints |= {key: wish.constraints[key] for key in wish.constraints if key == attribute}
                if role == "colour":
                    constraints[attribute] = [value]
        return replace(
            wish,
            words=language.nouns[name],
            own=0,
            phrases=phrases,
            constraints=constraints,
            language=spoken,
            fillers=tuple(language.fillers),
            translation=replace(wish, constraints=constraints, phrases={r: wish.phrases[r] for r in phrases}),
        )

    def _constraints(self, example: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, str]]:
        constraints: dict[str, list[str]] = {}
        phrases: dict[str, str] = {}
        names, assume, dice = self._catalogue.names, self._assume, self._dice
        for role, share in (("gender", assume.gender), ("colour", assume.colour)):
            name = names.get(role)
            value = str(example.get(name) or "") if name else ""
            if not name or not value or not dice.chance(share):
                continue
            fitting = [p for p, accepted in self._catalogue.accepted[role].items() if value in accepted]
            if fitting:
                phrases[role] = dice.zipf(fitting, 0.7)
                constraints[name] = self._catalogue.accepted[role][phrases[role]]
        brand = example.get(names.get("brand", ""))
        if brand and dice.chance(assume.brand):
            constraints[names["brand"]] = [str(brand)]
            phrases["brand"] = str(brand).lower()
            if example.get("model") and dice.chance(assume.model):
                constraints["model"] = [str(example["model"])]
                phrases["brand"] += f" {str(example['model']).lower()}"
        return constraints, phrases


def _each(value: Any) -> list[str]:
    """The values of an attribute, one or a list of them, as text; none where it has none."""
    return [str(item) for item in (value if isinstance(value, list) else [value]) if item]


def _absent_things(catalogue: Catalogue) -> list[list[str]]:
    """The wishes nobody can fulfil: none of their words stands in a title or a category's name."""
    names = {word for position in set(catalogue.category) for word in tokens(catalogue.ontology.name(position))}
    known = names | catalogue.title_words
    things: Sequence[str] = table("searchers")["absent"]["things"]
    alternatives = [thing.split("|") for thing in things]
    return [
        words for words in alternatives if not any(w in known for word in words for w in tokens(word) if len(w) > 2)
    ]
