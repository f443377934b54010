"""A classifier in groups: the category tree split at a level, and a model of its own for each part."""
