"""The same image encoder in every runtime that is installed, behind one call: photos in, :class:`Encoded` out."""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relevance.classifier import ENCODER, Encoded
from relevance.images import Size
from relevance.models import Model
from relevance.photos.batches import BATCH

Photos = NDArray[np.uint8]
_OUTPUTS = ("probabilities", "embedding", "features")


@dataclass(frozen=True)
class Runtime:
    """name: the library, and how it is called; batch: photos a call; calls: how many at a time; threads: of each."""

    name: str
    batch: int
    calls: int
    threads: int
    run: Callable[[Photos], Encoded]


REFERENCE = "keras.predict"
MODEL = "model.keras"


def runtimes(folder: Path, threads: int) -> Iterator[Runtime]:
    """All that can be had here, `keras.predict` with its default batch first."""
    keras_model = _keras(folder)
    yield Runtime(REFERENCE, 32, 1, threads, lambda photos: _named(keras_model.predict(photos, verbose=0)))
    yield Runtime("tf.function", 32, 1, threads, _tf_function(keras_model, 32))
    yield from _litert(folder / ENCODER, threads)
    missing = not_installed()
    if "openvino" not in missing:
        yield from _openvino(folder / ENCODER, threads)
    if not {"onnxruntime", "tf2onnx"} & missing:
        yield from _onnx(keras_model, threads)


def keras_from_files(folder: Path, files: Sequence[str], size: Size) -> Callable[[], None]:
    """A pass over photos as Keras's own users make it: decoded and resized by `tf.data` on all cores, ahead of
    `keras.predict`. files: their paths; those that cannot be read are left out; size: what the model reads."""
    import tensorflow as tf

    model = _keras(folder)

    def decoded(file: Any) -> Any:
        photo = tf.io.decode_image(tf.io.read_file(file), channels=3, expand_animations=False)
        return tf.cast(tf.image.resize(tf.ensure_shape(photo, [None, None, 3]), size), tf.uint8)

    def run() -> None:
        photos = tf.data.Dataset.from_tensor_slices(files).map(decoded, num_parallel_calls=tf.data.AUTOTUNE)
        model.predict(photos.ignore_errors().batch(32).prefetch(tf.data.AUTOTUNE), verbose=0)

    return run


def not_installed() -> set[str]:
    """Returns which of the packages that runtimes need, and this project does not, are missing here."""
    return {name for name in ("openvino", "onnxruntime", "tf2onnx") if importlib.util.find_spec(name) is None}


def _keras(folder: Path) -> Any:
    import keras

    return keras.saving.load_model(folder / MODEL)


def _named(outputs: dict[str, Any]) -> Encoded:
    return Encoded(*(np.asarray(outputs[name]) for name in _OUTPUTS))


def _joined(parts: Iterable[Encoded]) -> Encoded:
    return Encoded(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _batched(call: Callable[[Photos], Encoded], batch: int, calls: int = 1) -> Callable[[Photos], Encoded]:
    """`call` on a batch at a time, `calls` of them beside each other."""

    def run(photos: Photos) -> Encoded:
        parts = [photos[at : at + batch] for at in range(0, len(photos), batch)]
        if calls == 1:
            return _joined(map(call, parts))
        with ThreadPoolExecutor(calls) as pool:
            return _joined(pool.map(call, parts))

    return run


def _tf_function(model: Any, batch: int) -> Callable[[Photos], Encoded]:
    import tensorflow as tf

    compiled = tf.function(lambda photos: model(photos, training=False), reduce_retracing=True)
    return _batched(lambda photos: _named(compiled(tf.constant(photos))), batch)


def _ways(threads: int) -> list[tuple[int, int, int]]:
    """(batch, calls, threads of each): one call over all cores, or one-threaded calls beside each other."""
    return [(32, 1, threads), *((batch, threads, 1) for batch in (BATCH, 32) if threads > 1)]


def _litert(path: Path, threads: int) -> Iterator[Runtime]:
    for batch, calls, own in _ways(threads):
        model = Model(path, own)

        def call(photos: Photos, model: Model = model) -> Encoded:
            embeddings, features, probabilities = model(np.ascontiguousarray(photos))
            return Encoded(probabilities, embeddings, features)

        yield Runtime("LiteRT", batch, calls, own, _batched(call, batch, calls))


def _openvino(path: Path, threads: int) -> Iterator[Runtime]:
    openvino = importlib.import_module("openvino")
    core = openvino.Core()
    for batch, calls, own in _ways(threads):
        settings = {"NUM_STREAMS": calls, "INFERENCE_NUM_THREADS": calls * own}
        compiled = core.compile_model(core.read_model(path), "CPU", settings)
        # The outputs of a LiteRT file are numbered in the order of their names: embedding, features, probabilities.
        order = sorted(range(3), key=lambda i: compiled.output(i).get_any_name())

        def call(photos: Photos, compiled: Any = compiled, order: list[int] = order) -> Encoded:
            request = compiled.create_infer_request()
            found = request.infer(photos)
            embeddings, features, probabilities = (np.array(found[compiled.output(i)]) for i in order)
            return Encoded(probabilities, embeddings, features)

        yield Runtime("OpenVINO", batch, calls, own, _batched(call, batch, calls))


def _onnx(model: Any, threads: int) -> Iterator[Runtime]:
    onnxruntime = importlib.import_module("onnxruntime")
    with tempfile.TemporaryDirectory() as folder:
        path = _to_onnx(model, Path(folder))
        for batch, calls, own in _ways(threads):
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = own
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            names = [output.name for output in session.get_outputs()]

            def call(photos: Photos, session: Any = session, names: list[str] = names) -> Encoded:
                found = session.run(names, {session.get_inputs()[0].name: photos})
                return _named(dict(zip(names, found, strict=True)))

            yield Runtime("ONNX Runtime", batch, calls, own, _batched(call, batch, calls))


def _to_onnx(model: Any, folder: Path) -> str:
    import tensorflow as tf

    tf2onnx = importlib.import_module("tf2onnx")
    path = str(folder / "image_encoder.onnx")
    signature = [tf.TensorSpec([None, *model.input_shape[1:]], tf.uint8, name="photos")]
    function = tf.function(lambda photos: model(photos, training=False), input_signature=signature)
    tf2onnx.convert.from_function(function, input_signature=signature, opset=17, output_path=path)
    return path
