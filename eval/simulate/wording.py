"""From a wish to the words in the search box, and from one try to the next."""

from dataclasses import dataclass, replace

from eval.simulate.assumptions import Searchers
from eval.simulate.dice import Dice
from eval.simulate.marketplace import table
from eval.simulate.typing_errors import misspell
from eval.simulate.wishes import Wish


@dataclass(frozen=True)
class Phrase:
    """One way of asking: the noun, the constraints said, what is added, and the text typed in the end. kind: what a
    lexical engine will find hardest about it."""

    noun: str
    said: tuple[str, ...]
    before: str
    after: str
    frame: str
    text: str
    kind: str


def first_try(wish: Wish, dice: Dice, assume: Searchers) -> Phrase:
    """How somebody asks at first."""
    noun = dice.zipf(wish.words, assume.word_exponent)
    extras = table("searchers")["extras"]
    foreign = bool(wish.language)
    added = wish.fillers or ("",)
    phrase = Phrase(
        noun=noun,
        said=tuple(wish.phrases),
        before=dice.pick(added if foreign else extras["before"]) if dice.chance(assume.extra_before) else "",
        after=(dice.pick(added) if foreign else _after(dice)) if dice.chance(assume.extra_after) else "",
        frame=dice.pick(extras["long"]) if not foreign and dice.chance(assume.long) else "",
        text="",
        kind="",
    )
    return _typed(phrase, wish, dice, assume, careful=False)


def next_try(last: Phrase, wish: Wish, dice: Dice, assume: Searchers) -> Phrase:
    """How somebody asks again: spelt right, in another word, or with less said."""
    if last.kind in ("typo", "joined") and dice.chance(assume.corrects):
        return _typed(last, wish, dice, assume, careful=True)
    others = [word for word in wish.words if word != last.noun]
    shorter = bool(last.said or last.before or last.after or last.frame)
    if shorter and (not others or dice.chance(0.5)):
        fewer = last.said[:-1] if last.said and not (last.before or last.after or last.frame) else last.said
        return _typed(replace(last, said=fewer, before="", after="", frame=""), wish, dice, assume, careful=True)
    noun = dice.zipf(others, assume.word_exponent) if others else last.noun
    return _typed(replace(last, noun=noun, frame=""), wish, dice, assume, careful=dice.chance(0.5))


def _after(dice: Dice) -> str:
    city = dice.pick(table("sellers")["places"])["name"].lower()
    return str(dice.pick(table("searchers")["extras"]["after"])).replace("{city}", city)


def _typed(phrase: Phrase, wish: Wish, dice: Dice, assume: Searchers, *, careful: bool) -> Phrase:
    noun = _plural(phrase.noun) if not wish.language and dice.chance(assume.plural) else phrase.noun
    gender = wish.phrases["gender"] if "gender" in phrase.said else ""
    trailing = gender.startswith("for ") or dice.chance(0.4)
    parts = (
        phrase.before,
        "" if trailing else gender,
        wish.phrases["colour"] if "colour" in phrase.said else "",
        wish.phrases["brand"] if "brand" in phrase.said else "",
        noun,
        gender if trailing else "",
        phrase.after,
    )
    text = " ".join(part for part in parts if part)
    if phrase.frame:
        text = phrase.frame.replace("{}", text)
    wrong, kind = text, ""
    if not careful and dice.chance(assume.typo):
        wrong, kind = misspell(text, dice), "typo"
    elif not careful and " " in text and dice.chance(assume.joined):
        cut = dice.pick([i for i, letter in enumerate(text) if letter == " "])
        wrong, kind = text[:cut] + text[cut + 1 :], "joined"
    return replace(phrase, text=wrong, kind=_kind(phrase, wish, kind if wrong != text else ""))


def _kind(phrase: Phrase, wish: Wish, error: str) -> str:
    if wish.absent:
        return "absent"
    if error:
        return error
    if wish.language:
        return "foreign"
    if phrase.frame:
        return "long"
    if phrase.noun not in wish.words[: wish.own]:
        return "synonym"
    return "extra" if phrase.before or phrase.after else "plain"


def _plural(noun: str) -> str:
    if noun.endswith("s"):
        return noun[:-1] if not noun.endswith("ss") and len(noun) > 3 else noun
    return noun + ("es" if noun.endswith(("x", "ch", "sh")) else "s")
