"""What a training run may vary."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relevance.classifier import TEST_SHARE
from relevance.images import Size


@dataclass(frozen=True)
class Options:
    """What a run may vary; None stands for the backbone's own value.

    cache: folder for decoded photos, None to decode them as they are needed. adjustment, hierarchy, smoothing: see
    :class:`TreeCrossEntropy`. averaging: see :class:`Schedule`. test_share: share of the titles kept for measuring; 0
    for the model to deploy in the end. validation: NAME=VALUE of an attribute that tells the listings to validate on,
    instead of a share of the titles. calibration: folder of a classifier trained in the same way with a validation
    part: this one has none, and takes over the temperature and the threshold of answers. error_rate: of answers, see
    :func:`stated_answers`. epochs: 0 trains the new head of a pretrained network alone. block_by_block: the last block
    of the backbone is trained first, then with it the one before, and so on, each for an equal part of the epochs.
    clicks: weight of the contrast of photos that were chosen together, beside the loss of the classes; 0 for none.
    precision: see :func:`choose_precision`. variation: see :class:`Augment`. views: see :func:`deployable`.
    distribute: see :func:`open_distribution`.
    """

    backbone: str
    cache: Path | None
    weights: str | None = None
    image_size: Size | None = None
    epochs: float | None = None
    batch: int | None = None
    learning_rate: float | None = None
    fine_tune_from: str | None = None
    min_photos: int = 2
    adjustment: float = 0.25
    hierarchy: float = 0.3
    smoothing: float = 0.0
    averaging: float = 0.14
    block_by_block: bool = False
    clicks: float = 0.0
    precision: str = "auto"
    variation: float = 1.0
    views: int = 1
    test_share: float = TEST_SHARE
    validation: str | None = None
    calibration: str | None = None
    error_rate: float = 0.05
    seed: int = 0
    threads: int = 2
    distribute: str = "none"

    def stated(self) -> dict[str, Any]:
        """What decides the result: not where the cache lies, nor how many threads and devices work."""
        return {name: value for name, value in asdict(self).items() if name not in ("cache", "threads", "distribute")}
