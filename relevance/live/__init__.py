"""Listings that are added, changed and deleted, and bundles that are swapped, while people search."""
