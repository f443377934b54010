"""What a training run of the towers may vary."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The defaults are what the demo and the fashion catalogue use. text_prior: folder or hub id of a Model2Vec model;
    prior_share: of the squared length of a vector of the joint space, the part that the prior alone decides."""

    dim: int = 96
    epochs: int = 8
    batch: int = 512
    excerpts: int = 2
    composed: int = 2
    temperature: float = 0.04
    learning_rate: float = 0.003
    table_rate: float = 0.1
    seed: int = 0
    hard: bool = True
    fasttext: bool = True
    text_prior: str | None = None
    prior_dim: int = 96
    prior_share: float = 0.2
    absent: int = 30_000
    absent_weight: float = 0.5
