"""Frequent and rare queries: head, torso and tail."""

from collections.abc import Hashable, Mapping

BANDS = ("head", "torso", "tail")


def bands(searches: Mapping[Hashable, int]) -> dict[Hashable, str]:
    """Returns the band of each query, for how often it was searched (at least once): ordered from the most frequent on,
    those that have less than a third of all searches before them are head, those that have less than two thirds torso,
    the others tail. Queries searched equally often are in one band; a query that is not in it is tail as well."""
    total, before = sum(searches.values()), 0
    by_count: dict[int, list[Hashable]] = {}
    for query, count in searches.items():
        by_count.setdefault(count, []).append(query)
    found: dict[Hashable, str] = {}
    for count in sorted(by_count, reverse=True):
        found |= dict.fromkeys(by_count[count], BANDS[3 * before // total])
        before += count * len(by_count[count])
    return found
