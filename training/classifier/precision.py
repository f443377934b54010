"""Half the bits where the hardware computes with them: brain floats for activations, single precision for weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from relevance.errors import DataError

PRECISIONS = ("auto", "float32", "bfloat16")


def choose_precision(stated: str) -> str:
    """Returns "float32" or "bfloat16"; "auto" is the second where there is an accelerator (on a CPU it is slower).

    Brain floats have the range of single precision, so that losses need no scaling (Kalamkar et al., 2019).
    """
    if stated not in PRECISIONS:
        raise DataError(f"--precision: expected one of {', '.join(PRECISIONS)}, found {stated!r}")
    if stated == "auto":
        return "bfloat16" if accelerated() else "float32"
    return stated


def accelerated() -> bool:
    """Whether Keras has anything but CPUs to compute on."""
    return any(not name.lower().startswith("cpu") for name in keras.distribution.list_devices())


@contextmanager
def training_in(precision: str) -> Iterator[None]:
    """Layers made inside compute in `precision`; their weights are single."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if precision == "bfloat16" else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
