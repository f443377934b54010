"""What a bundle's manifest tells of the behaviour it was calibrated on."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.engine import Engine
from relevance.events import Behaviour
from relevance.query_profile import QueryProfile
from relevance.splits import CALIBRATION, TRAIN

PROFILED_QUERIES = 5000
"""At most about so many queries of the calibration span are looked at for the query profile."""


def calibrated_on(engine: Engine, behaviour: Behaviour, span: NDArray[np.int8]) -> dict[str, Any]:
    """Returns `queries`, what the queries of the calibration span look like, for a service to compare its own with;
    and `behaviour_until`, the time of the last query that anything was learned from (ISO 8601, UTC): what is newer can
    calibrate anew. Both are None without such queries. span: int8 `[queries]`, as `calibrate` reads it."""
    rows = np.flatnonzero(span == CALIBRATION)
    queries = [behaviour.queries[row] for row in rows[:: 1 + len(rows) // PROFILED_QUERIES].tolist()]
    profile = asdict(QueryProfile.of(queries, engine.towers, engine.categories)) if queries else None
    learned = behaviour.query_times[(span == TRAIN) | (span == CALIBRATION)]
    return {"queries": profile, "behaviour_until": f"{learned.max()}Z" if len(learned) else None}
