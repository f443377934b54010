"""A made-up marketplace and the people who search it: listings with photos, behaviour, and the truth behind both.

Nothing here was measured on a real site: every number is an assumption, most in `assumptions.py`.
"""
