"""Attribute models: what a photo tells of a listing beside its category."""
