"""Offline index building: a dataset from a table, the listing index, the bundle that the runtime opens."""
