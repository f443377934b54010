"""What draws photos together that people choose for the same query, and apart the others.

Keras operations only, of no one backend.
"""

from typing import Any

from keras import layers, ops

TEMPERATURE = 0.1
_NOTHING = -1e30


def contrast(projection: Any, relation: Any, log_share: Any, temperature: float = TEMPERATURE) -> Any:
    """Returns a scalar: the mean over the photos with a co-click in the batch of
    -Σ_j relation_ij log(exp z_ij / (exp z_ij + Σ_k exp z_ik)), k over the photos unrelated to i, where z_ij is the
    cosine of the two over the temperature, less log_share_j.

    Several positives: Khosla et al., "Supervised contrastive learning", NeurIPS 2020; a positive does not compete with
    another. Popular photos are drawn more often, as positives and as negatives: what log_share takes back (Yi et al.,
    "Sampling-bias-corrected neural modeling", RecSys 2019).

    projection: `[b, dim]`; relation: `[b, b]`, see `CoClicks.relation`; log_share: `[b]`, logarithm of how often
    each is drawn, but for a constant.
    """
    unit = ops.normalize(ops.cast(projection, "float32"), axis=-1)
    z = ops.matmul(unit, ops.transpose(unit)) / temperature - log_share
    unrelated = ops.logsumexp(ops.where(relation == 0, z, _NOTHING), axis=-1, keepdims=True)
    share = ops.maximum(relation, 0.0)
    losses = -ops.sum(share * (z - ops.logaddexp(z, unrelated)), axis=-1)
    anchors = ops.cast(ops.any(relation > 0, axis=-1), "float32")
    return ops.sum(losses) / ops.maximum(ops.sum(anchors), 1.0)


class Contrast(layers.Layer):
    """Gives the projection as it is; in training adds `weight` times its contrast to the loss."""

    def __init__(self, weight: float, **settings: Any) -> None:
        super().__init__(**settings)
        self._weight = weight

    def call(self, projection: Any, relation: Any, log_share: Any, training: bool = False) -> Any:
        if training:
            self.add_loss(self._weight * contrast(projection, relation, log_share))
        return projection
