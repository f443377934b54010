"""Offline evaluation: simulated marketplaces and people, and what the engine does for them."""
