"""A LiteRT model as a function of numpy arrays.

Mental model: ``probabilities, embeddings = Model("image_encoder.tflite")(photos)``.
"""

import os
import threading
import weakref
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from relevance.errors import ArtifactError, DataError, quoted


class TensorSpec(NamedTuple):
    """One input or output: its name in the signature, dtype, and shape with -1 for a dimension that may change."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class _Session:
    """One interpreter, for one thread, and the input shapes it is allocated for."""

    def __init__(self, source: bytes | str, threads: int) -> None:
        given = {"model_content": source} if isinstance(source, bytes) else {"model_path": source}
        self.interpreter = Interpreter(**given, num_threads=threads)
        self.interpreter.allocate_tensors()
        self.shapes: list[tuple[int, ...] | None] = []


class Model:
    """A LiteRT model with one signature.

    Inputs and outputs are positional and **ordered by their name in the signature** (`inputs` and `outputs` list
    them), so the order depends neither on the converter nor on the version that wrote the file. An input may have
    another shape at each call where the model allows it (the batch); a change of shape costs a re-allocation.

    Any number of threads may call one model: each has its own interpreter, made at its first call, over the same
    bytes. Those of a file are mapped: processes share them, and what is not read, as most rows of a table, takes
    no memory. `threads` is how many cores one call may use; DataError tells where it is none.
    """

    def __init__(self, source: Path | str | bytes, threads: int = 1) -> None:
        if type(threads) is not int or threads < 1:
            raise DataError(f"threads: expected a whole number of at least 1, got {quoted(threads)}")
        self.threads = threads
        self._source = source if isinstance(source, bytes) else self._held(Path(source))
        self._local = threading.local()
        name = "the model" if isinstance(source, bytes) else str(source)
        try:
            session = self._open_session()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(f"{name}: not a LiteRT model ({error}); build it again") from error
        signatures = session.interpreter.get_signature_list()
        if len(signatures) != 1:
            raise ArtifactError(f"{name}: expected a LiteRT model with one signature, found {sorted(signatures)}")
        runner = session.interpreter.get_signature_runner(next(iter(signatures)))
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        self.inputs = tuple(_spec(name, inputs[name]) for name in sorted(inputs))
        self.outputs = tuple(_spec(name, outputs[name]) for name in sorted(outputs))
        self._input_ids = [int(inputs[name]["index"]) for name in sorted(inputs)]
        self._output_ids = [int(outputs[name]["index"]) for name in sorted(outputs)]

    def __call__(self, *inputs: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Runs the model on one array per input; returns one new array per output.

        Raises ValueError for a wrong number of arrays, a wrong dtype, or a shape the model does not take.
        """
        try:
            session: _Session = self._local.session
        except AttributeError:
            session = self._open_session()
        interpreter = session.interpreter
        shapes = [array.shape for array in inputs]
        if shapes != session.shapes:
            self._reshape(session, shapes)
        for index, array in zip(self._input_ids, inputs, strict=True):
            interpreter.set_tensor(index, array)
        interpreter.invoke()
        return tuple([interpreter.get_tensor(index) for index in self._output_ids])

    def _held(self, path: Path) -> str:
        """The name of a file held open: a thread that comes later maps the same bytes, whatever lies at `path` then."""
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise ArtifactError(f"{path}: cannot read the model ({error.strerror})") from error
        weakref.finalize(self, os.close, descriptor)
        return f"/proc/self/fd/{descriptor}"

    def _open_session(self) -> _Session:
        session = _Session(self._source, self.threads)
        self._local.session = session
        return session

    def _reshape(self, session: _Session, shapes: list[tuple[int, ...]]) -> None:
        if len(shapes) != len(self.inputs):
            names = ", ".join(spec.name for spec in self.inputs)
            raise ValueError(f"expected {len(self.inputs)} arrays ({names}), got {len(shapes)}")
        for spec, shape in zip(self.inputs, shapes, strict=True):
            if len(shape) != len(spec.shape) or any(e not in (-1, n) for e, n in zip(spec.shape, shape, strict=True)):
                raise ValueError(f"input {spec.name}: expected shape {spec.shape}, got {shape}")
        session.shapes = []
        for index, shape in zip(self._input_ids, shapes, strict=True):
            session.interpreter.resize_tensor_input(index, shape)
        session.interpreter.allocate_tensors()
        session.shapes = list(shapes)


def _spec(name: str, details: dict[str, Any]) -> TensorSpec:
    shape = details["shape_signature"] if len(details["shape_signature"]) else details["shape"]
    return TensorSpec(name, np.dtype(details["dtype"]), tuple(int(size) for size in shape))
