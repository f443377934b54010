"""Trained towers to the artifact that index building and the runtime read."""

import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from relevance.featuriser import Widths
from relevance.towers import PATH_WIDTHS, QUERY_WIDTHS, TEXT_WIDTHS
from training.towers.model import Towers


def export_query(towers: Towers, path: Path) -> None:
    """Writes the query tower as a LiteRT model: ids int32, weights float32 `[b, query_features]` -> `[b, dim]`."""

    @tf.function(input_signature=_text("", QUERY_WIDTHS))
    def query(ids: Any, weights: Any) -> dict[str, Any]:
        return {"embedding": towers.joint_query(ids, weights)}

    _convert([towers.text, towers.query_head], query, path)


def export_category(towers: Towers, path: Path) -> None:
    """Writes the category tower as a LiteRT model; its inputs are those of `relevance.towers.path_arrays`."""

    @tf.function(input_signature=_text("", PATH_WIDTHS))
    def category(ids: Any, weights: Any) -> dict[str, Any]:
        return {"embedding": towers.joint_category(ids, weights)}

    _convert([towers.text, towers.category_head], category, path)


def export_listing(towers: Towers, visual_dim: int, path: Path) -> None:
    """Writes the listing tower as a LiteRT model; its inputs are those of `relevance.towers.listing_arrays`."""
    signature = [
        *_text("category_", PATH_WIDTHS),
        tf.TensorSpec([None, 2], tf.float32, name="price"),
        *_text("text_", TEXT_WIDTHS),
        tf.TensorSpec([None, visual_dim], tf.float32, name="visual"),
    ]

    @tf.function(input_signature=signature)
    def listing(
        category_ids: Any, category_weights: Any, price: Any, text_ids: Any, text_weights: Any, visual: Any
    ) -> dict[str, Any]:
        features = {
            "category_ids": category_ids,
            "category_weights": category_weights,
            "price": price,
            "text_ids": text_ids,
            "text_weights": text_weights,
            "visual": visual,
        }
        return {"embedding": towers.joint_listing(features)}

    _convert([towers.text, towers.visual, towers.price, towers.listing_head], listing, path)


def _text(prefix: str, widths: Widths) -> list[Any]:
    return [
        tf.TensorSpec([None, widths.columns], tf.int32, name=f"{prefix}ids"),
        tf.TensorSpec([None, widths.columns], tf.float32, name=f"{prefix}weights"),
    ]


def _convert(layers: list[Any], function: Any, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = tf_keras.export.ExportArchive()
        for layer in layers:
            archive.track(layer)
        archive.add_endpoint("serving_default", function)
        archive.write_out(folder)
        path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
