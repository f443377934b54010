"""How the words of a catalogue and of its searchers are mostly written."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from relevance.written import as_written, written_words


def most_written(texts: Iterable[str], known: Callable[[str], bool]) -> dict[str, str]:
    """Returns, for each known word, how it is written in more than half of the places where `texts` have it; those left
    out that are mostly written as they are normalised, or in no way mostly ("größe" and "große" are one word)."""
    pieces = Counter(piece for text in texts for piece in as_written(text).split())
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for piece, times in pieces.items():
        for word, form in written_words(piece):
            if known(word):
                written[word][form] += times
    found = {}
    for word in sorted(written):
        form, times = written[word].most_common(1)[0]
        if form != word and 2 * times > written[word].total():
            found[word] = form
    return found
