"""What draws photos together that people choose for the same query, and apart the others.

Keras operations only, of no one backend.
"""

from typing import Any

from keras import layers, ops

TEMPERATURE = 0.1
_NOTHING = -1e30


def contrast(anchors: Any, others: Any, relation: Any, log_share: Any, temperature: float = TEMPERATURE) -> Any:
    """Returns a scalar: the mean over the anchors with a co-click among the others of
    -Σ_j relation_ij log(exp z_ij / (exp z_ij + Σ_k exp z_ik)), k over the photos unrelated to i, where z_ij is the
    cosine of the two over the temperature, less log_share_j.

    Several positives: Khosla et al., "Supervised contrastive learning", NeurIPS 2020; a positive does not compete with
    another. Popular photos are drawn more often, as positives and as negatives: what log_share takes back (Yi et al.,
    "Sampling-bias-corrected neural modeling", RecSys 2019).

    anchors: projections `[a, dim]`; others: `[b, dim]`; relation: `[a, b]`, see `CoClicks.relation`; log_share: `[b]`,
    logarithm of how often each of the others is drawn, but for a constant.
    """
    z = ops.matmul(_unit(anchors), ops.transpose(_unit(others))) / temperature - log_share
    unrelated = ops.logsumexp(ops.where(relation == 0, z, _NOTHING), axis=-1, keepdims=True)
    share = ops.maximum(relation, 0.0)
    losses = -ops.sum(share * (z - ops.logaddexp(z, unrelated)), axis=-1)
    counted = ops.cast(ops.any(relation > 0, axis=-1), "float32")
    return ops.sum(losses) / ops.maximum(ops.sum(counted), 1.0)


def _unit(projections: Any) -> Any:
    return ops.normalize(ops.cast(projections, "float32"), axis=-1)


class Contrast(layers.Layer):
    """Logits `[b, c]` as they are, and in training `weight` times the contrast is added to the loss."""

    def __init__(self, weight: float, **settings: Any) -> None:
        super().__init__(**settings)
        self._weight = weight

    def call(
        self, logits: Any, anchors: Any, others: Any, relation: Any, log_share: Any, training: bool = False
    ) -> Any:
        if training:
            self.add_loss(self._weight * contrast(anchors, others, relation, log_share))
        return logits
