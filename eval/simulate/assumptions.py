"""What the simulator assumes about sellers and searchers; lesser numbers, as of style and time, stand where they are
used. None was measured on a real site."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sellers:
    """How listings come about; probabilities unless said otherwise."""

    no_category: float = 0.12
    wrong_category: float = 0.03
    """Picks any category of the right one's parent, the right one included."""
    inner_category: float = 0.03
    no_photo: float = 0.12
    wrong_photo: float = 0.05
    useless_photo: float = 0.03
    broken_photo: float = 0.004
    no_price: float = 0.04
    noun_exponent: float = 0.8
    """A seller's noun is drawn from the leaf's list with weight rank ** -exponent."""
    names_brand: float = 0.7
    names_model: float = 0.55
    omits_noun: float = 0.08
    """Where brand and model are named."""
    misspells: float = 0.07
    abbreviates: float = 0.15
    shouts: float = 0.06
    emoji: float = 0.03
    ending: float = 0.18
    adjective: float = 0.12
    mentions_condition: float = 0.25
    mentions_colour: float = 0.35
    describes: float = 0.35
    fills_attribute: float = 0.6
    days: int = 45
    """Listings were made in the days before the end of the log, evenly."""
    lifetimes: tuple[tuple[int, float], ...] = ((21, 0.1), (60, 0.6), (90, 0.3))
    """Days until a listing expires, with probabilities."""


@dataclass(frozen=True)
class Searchers:
    """How people search; probabilities unless said otherwise."""

    days: int = 28
    absent: float = 0.08
    """Wishes for what the catalogue does not have."""
    supply_exponent: float = 0.7
    """A category is wished for with weight listings ** exponent times a lognormal factor of sigma 0.5."""
    demand_sigma: float = 0.5
    word_exponent: float = 1.2
    """A word for the thing is drawn with weight rank ** -exponent: the usual word first, rare ones in the tail."""
    brand: float = 0.14
    model: float = 0.3
    """Of those who name the brand."""
    gender: float = 0.25
    colour: float = 0.12
    extra_before: float = 0.05
    extra_after: float = 0.06
    long: float = 0.03
    foreign: float = 0.5
    """Wishes said in another language than the site's, where a vocabulary has several; each language as often."""
    translates: float = 0.5
    """A rewrite of such a wish is in the site's language."""
    typo: float = 0.1
    joined: float = 0.02
    plural: float = 0.08
    page: int = 20
    """Hits on a page."""
    attention_exponent: float = 0.5
    """The hit at position r is looked at with probability r ** -exponent."""
    click: tuple[float, float, float, float] = (0.01, 0.04, 0.2, 0.55)
    """By grade 0 to 3, once looked at."""
    message: tuple[float, float, float, float] = (0.0, 0.0, 0.05, 0.18)
    """By grade, once clicked."""
    content: float = 0.85
    """Ends the session after a click on a grade 3 listing."""
    leaves: float = 0.5
    """After a page with clicks that did not end the session; else the query is rewritten."""
    gives_up: float = 0.45
    """After a page without a click; else the query is rewritten."""
    rewrites: int = 3
    corrects: float = 0.75
    """A rewrite mends the typing error, if there was one; else it takes another word or says less."""
