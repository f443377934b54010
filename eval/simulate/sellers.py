"""Sellers: what they offer, and the title, description, price and category they give it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from eval.simulate.assumptions import Sellers
from eval.simulate.dice import Dice
from eval.simulate.marketplace import Leaf, table
from eval.simulate.typing_errors import misspell

DAY = np.timedelta64(1, "D")


@dataclass
class Offer:
    """One listing as it will be written, and what is true of it: leaf, and `truth`, all its attributes."""

    leaf: Leaf
    title: str
    description: str
    category_id: str | None
    price: float
    place: tuple[float, float]
    created_at: np.datetime64
    expires_at: np.datetime64
    attributes: dict[str, Any]
    truth: dict[str, Any]
    photo: str | None = field(default=None)
    """What the photo shows: "own", "wrong", "useless", "broken", or None for none."""


def offers(leaves: list[Leaf], n: int, end: np.datetime64, seed: int, assume: Sellers) -> list[Offer]:
    """Returns n offers, made in the days before `end`, ordered by time."""
    dice = Dice((seed, 1))
    supply = [2.0**leaf.popularity * np.exp(0.5 * dice.normal()) for leaf in leaves]
    chosen = np.random.default_rng((seed, 2)).choice(len(leaves), size=n, p=np.array(supply) / sum(supply))
    by_parent: dict[tuple[str, ...], list[Leaf]] = {}
    for leaf in leaves:
        by_parent.setdefault(leaf.path[:-1], []).append(leaf)
    made = [_offer(leaves[i], by_parent[leaves[i].path[:-1]], end, dice, assume) for i in chosen.tolist()]
    return sorted(made, key=lambda offer: offer.created_at)


def _offer(leaf: Leaf, siblings: list[Leaf], end: np.datetime64, dice: Dice, assume: Sellers) -> Offer:
    truth = _traits(leaf, dice)
    condition = truth.get("condition", "used")
    city = dice.weighted(_places(), [place["weight"] for place in _places()])
    price = _price(leaf, condition, dice)
    created = end - np.timedelta64(int(dice.uniform() * assume.days * 86_400_000), "ms")
    lifetime = dice.weighted([days for days, _ in assume.lifetimes], [share for _, share in assume.lifetimes])
    kept = {name: value for name, value in truth.items() if dice.chance(assume.fills_attribute)}
    noun = dice.zipf(leaf.sellers, assume.noun_exponent)
    return Offer(
        leaf=leaf,
        title=_title(leaf, noun, truth, dice, assume),
        description=_description(noun, truth, price, city["name"], dice, assume),
        category_id=_category(leaf, siblings, dice, assume),
        price=float("nan") if dice.chance(assume.no_price) else price,
        place=(city["at"][0] + 0.08 * dice.normal(), city["at"][1] + 0.12 * dice.normal()),
        created_at=created,
        expires_at=created + lifetime * DAY,
        attributes=kept,
        truth=truth,
        photo=_photo(dice, assume),
    )


def _places() -> list[dict[str, Any]]:
    places: list[dict[str, Any]] = table("sellers")["places"]
    return places


def _traits(leaf: Leaf, dice: Dice) -> dict[str, Any]:
    """Brand, model, colour and the leaf's other traits, by attribute name."""
    truth: dict[str, Any] = {}
    if leaf.brands:
        brand = dice.zipf(list(leaf.brands), 0.7)
        truth["brand"] = brand
        if leaf.brands[brand]:
            truth["model"] = dice.zipf(leaf.brands[brand], 0.5)
    for name in leaf.traits:
        if name == "colour":
            palette = next((p for p in leaf.photo.split() if p.startswith("palette=")), "palette=any")
            truth["colour"] = dice.pick(table("palettes")["palettes"][palette.partition("=")[2]])
            continue
        trait = table("traits")[name]
        if "values" in trait:
            truth[trait["attribute"]] = dice.zipf(trait["values"], 0.7)
        else:
            low, high, step = trait["range"]
            truth[trait["attribute"]] = str(
                low + step * int((high - low) / step * dice.uniform() ** (1 / trait.get("skew", 1)))
            )
    return truth


_WORTH = {"new": 1.2, "as new": 1.1, "good": 0.9, "used": 0.7, "for parts": 0.3}


def _price(leaf: Leaf, condition: str, dice: Dice) -> float:
    if leaf.price is None:
        return float("nan")
    low, high = leaf.price
    price = np.exp(np.log(max(low, 1)) + (np.log(max(high, 2)) - np.log(max(low, 1))) * dice.uniform())
    price *= _WORTH.get(condition, 1.0)
    return float(round(price) if price < 100 else round(price / 5) * 5)


def _category(leaf: Leaf, siblings: list[Leaf], dice: Dice, assume: Sellers) -> str | None:
    drawn = dice.uniform()
    if drawn < assume.no_category:
        return None
    if drawn < assume.no_category + assume.wrong_category:
        return dice.pick(siblings).category_id
    if drawn < assume.no_category + assume.wrong_category + assume.inner_category:
        return leaf.category_id.rpartition("/")[0]
    return leaf.category_id


def _photo(dice: Dice, assume: Sellers) -> str | None:
    rest = 1 - assume.no_photo - assume.wrong_photo - assume.useless_photo - assume.broken_photo
    kinds = ("own", None, "wrong", "useless", "broken")
    return dice.weighted(kinds, (rest, assume.no_photo, assume.wrong_photo, assume.useless_photo, assume.broken_photo))


def _title(leaf: Leaf, noun: str, truth: dict[str, Any], dice: Dice, assume: Sellers) -> str:
    words = table("sellers")
    named = [truth["brand"]] if "brand" in truth and dice.chance(assume.names_brand) else []
    if "model" in truth and dice.chance(assume.names_model):
        named.append(truth["model"])
    omit = len(named) == 2 and dice.chance(assume.omits_noun)
    before, after = _mentioned(leaf, truth, dice)
    parts = [*before, *named, *([] if omit else [noun]), *after]
    if "colour" in truth and dice.chance(assume.mentions_colour):
        parts.insert(dice.below(len(parts) + 1) if dice.chance(0.5) else 0, truth["colour"])
    if dice.chance(assume.adjective):
        parts.insert(0, dice.pick(words["titles"]["adjectives"]))
    if "condition" in truth and dice.chance(assume.mentions_condition):
        parts.append(dice.pick(words["condition"][truth["condition"]]))
    if dice.chance(assume.ending):
        parts.append(dice.pick(words["titles"]["endings"]))
    return _styled(" ".join(parts), dice, assume)


def _mentioned(leaf: Leaf, truth: dict[str, Any], dice: Dice) -> tuple[list[str], list[str]]:
    """The traits a seller puts before and after the noun."""
    before: list[str] = []
    after: list[str] = []
    for name in leaf.traits:
        if name == "colour":
            continue
        trait = table("traits")[name]
        if dice.chance(trait["title"]):
            text = trait["text"].replace("{}", str(truth[trait["attribute"]]))
            (before if trait.get("before") else after).append(text)
    return before, after


def _styled(title: str, dice: Dice, assume: Sellers) -> str:
    words = table("sellers")["titles"]
    if dice.chance(assume.misspells):
        title = misspell(title, dice)
    if dice.chance(assume.abbreviates):
        for long, short in words["abbreviations"]:
            title = " ".join(short if word.lower() == long else word for word in title.split(" "))
    if dice.chance(assume.shouts):
        title = title.upper()
    elif dice.chance(0.5):
        title = title[:1].upper() + title[1:]
    if dice.chance(assume.emoji):
        title = f"{title} {dice.pick(words['emoji'])}"
    return title


def _description(noun: str, truth: dict[str, Any], price: float, city: str, dice: Dice, assume: Sellers) -> str:
    if not dice.chance(assume.describes):
        return ""
    words = table("sellers")["descriptions"]
    sentences = [dice.pick(words["about"])] if dice.chance(0.6) else []
    sentences += [dice.pick(words["sentences"]) for _ in range(1 + dice.below(2))]
    values = {
        "noun": noun,
        "brand": truth.get("brand", ""),
        "colour": truth.get("colour", "good condition"),
        "condition": truth.get("condition", "used"),
        "city": city,
        "price": f"{price:.0f}",
        "n": 1 + dice.below(6),
    }
    return " ".join(sentence.format(**values) for sentence in sentences)
