"""Trained models for other systems: a SavedModel that takes the bytes of photos."""
