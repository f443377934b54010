"""The two-tower model: queries, listings and categories in one space (TensorFlow Recommenders on tf-keras)."""
