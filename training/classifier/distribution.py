"""Several devices, on one machine or on several: each step's batch is shared among them.

Mental model: every device has a copy of the network, takes its slice of the batch, and adds its gradients to the sum;
what comes out is what one device would have made of the whole batch. Needs Keras' TensorFlow backend.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from relevance.errors import DataError, RelevanceError

DISTRIBUTIONS = ("none", "mirrored", "workers")
Part = tuple[int, int]
"""(index, count) of a slice of every batch."""
Feed = Callable[[Part], Any]
"""Makes what one device reads: a `Training` or `Measuring`."""


class Distribution:
    """One device: everything as Keras does it.

    replicas: devices in all; worker: (index, count) of this machine; chief: whether this machine shows and writes;
    several: whether variables lie on several devices, or could.
    """

    replicas: int = 1
    worker: Part = (0, 1)
    chief: bool = True
    several: bool = False

    def scope(self) -> AbstractContextManager[Any]:
        """Whatever makes variables has to be done inside."""
        return nullcontext()

    def shared(self, batch: int, rows: int) -> int:
        """Returns the batch of all devices: `batch`, or all the rows, rounded down to equal slices.

        Raises DataError when there are fewer rows than devices.
        """
        if rows < self.replicas:
            raise DataError(f"--distribute: expected at least {self.replicas} photos for as many devices, found {rows}")
        return max(1, min(batch, rows) // self.replicas) * self.replicas

    def compile(self, model: Any, optimizer: Callable[[], Any], loss: Any, jit: bool | str) -> Any:
        """Returns the model compiled, its optimizer built."""
        model.compile(optimizer(), loss, metrics=["accuracy"], jit_compile=jit)
        model.optimizer.build(model.trainable_variables)
        return model

    def fit(
        self, model: Any, train: Feed, validate: Feed | None, epochs: int, first: int, callbacks: list[Any]
    ) -> None:
        """Trains a compiled model from epoch `first` to `epochs`, each `len(train)` steps."""
        data = train((0, 1))
        begin = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: data.begin(epoch))
        model.fit(
            data,
            epochs=epochs,
            initial_epoch=first,
            validation_data=validate and validate((0, 1)),
            callbacks=[begin, *callbacks],
            shuffle=False,
            verbose=0,
        )

    def predict(self, model: Any) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
        """Returns what gives the model's output for a batch, on the devices of this machine."""
        return lambda batch: np.asarray(model.predict_on_batch(batch))

    def wait(self) -> None:
        """Returns when every worker has come this far."""


class Replicas(Distribution):
    """The devices of a `tf.distribute` strategy that keeps a copy of every variable on each.

    Keras 3.15's own `fit` does not run across workers: it reduces batches and metrics along axes that they do not have.
    So the two functions it calls at each step are given here, and the model is made outside the scope: `fit` then does
    not look into the batches.
    """

    several = True

    def __init__(self, strategy: Any, worker: Part) -> None:
        self._strategy = strategy
        self.replicas = strategy.num_replicas_in_sync
        self.worker, self.chief = worker, worker[0] == 0

    def scope(self) -> AbstractContextManager[Any]:
        scope: AbstractContextManager[Any] = self._strategy.scope()
        return scope

    def compile(self, model: Any, optimizer: Callable[[], Any], loss: Any, jit: bool | str) -> Any:
        model = keras.Model(model.input, model.output)
        for layer in _normalisations(model):
            layer.synchronized = True  # the statistics of the whole batch, not of a slice
        with self.scope():
            super().compile(model, optimizer, loss, jit=False)  # XLA cannot compile the sums over devices
            logits = np.zeros((1, *model.output.shape[1:]), np.float32)
            model.compute_metrics(None, np.zeros(1, np.int32), logits)  # makes their variables
            model.reset_metrics()
        model.train_function, model.test_function = self._function(model.train_step), self._function(model.test_step)
        return model

    def fit(
        self, model: Any, train: Feed, validate: Feed | None, epochs: int, first: int, callbacks: list[Any]
    ) -> None:
        steps = len(train((0, 1)))
        held_out = len(validate((0, 1))) if validate else 0
        with self.scope(), _all_present():
            model.fit(
                self._dataset(model, train, (epochs - first) * steps),
                steps_per_epoch=steps,
                epochs=epochs,
                initial_epoch=first,
                validation_data=validate and self._dataset(model, validate, held_out),
                validation_steps=held_out or None,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,
            )

    def predict(self, model: Any) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
        import tensorflow as tf

        local = self.replicas // self.worker[1]
        forward = tf.function(lambda batch: self._strategy.run(model, (batch,)), reduce_retracing=True)

        def run(batch: NDArray[Any]) -> NDArray[np.float32]:
            slices = np.array_split(batch, local)
            spread = self._strategy.experimental_distribute_values_from_function(
                lambda context: tf.constant(slices[context.replica_id_in_sync_group % local])
            )
            return np.concatenate([one.numpy() for one in self._strategy.experimental_local_results(forward(spread))])

        return run

    def wait(self) -> None:
        import tensorflow as tf

        def one() -> Any:
            return tf.distribute.get_replica_context().all_reduce("sum", tf.ones(()))

        with _all_present():
            tf.function(lambda: self._strategy.run(one))()

    def _function(self, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """One step on every device; what is shown of it is the mean over them."""
        import tensorflow as tf

        @tf.function(reduce_retracing=True)
        def run(iterator: Any) -> Any:
            found = self._strategy.run(step, (next(iterator),))
            return {name: self._strategy.reduce("mean", value, axis=None) for name, value in found.items()}

        return run  # type: ignore[no-any-return]

    def _dataset(self, model: Any, feed: Feed, steps: int) -> Any:
        """This machine reads only the slices of its own devices, one after the other, for step after step."""
        import tensorflow as tf

        shape, dtype = model.input.shape[1:], tf.as_dtype(model.input.dtype)
        index, count = self.worker
        local = self.replicas // count
        parts = [feed((index * local + i, self.replicas)) for i in range(local)]

        def read(k: Any) -> Any:
            inputs, labels = parts[k % local][k // local]
            return inputs, labels

        def load(k: Any) -> Any:
            inputs, labels = tf.numpy_function(read, [k], [dtype, tf.int32])
            return tf.ensure_shape(inputs, (None, *shape)), tf.ensure_shape(labels, (None,))

        threads = max(1, parts[0].workers)
        slices = tf.data.Dataset.range(steps * local).map(load, num_parallel_calls=threads, deterministic=True)
        return self._strategy.distribute_datasets_from_function(lambda _: slices.repeat().prefetch(2 * local))


@contextmanager
def _all_present() -> Iterator[None]:
    """Says in one line what TensorFlow says of a worker that died."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError) as error:
        raise RelevanceError(
            "--distribute workers: another worker is gone; start all of them again, and training goes on from its last "
            "finished round"
        ) from error


def _normalisations(model: Any) -> Sequence[Any]:
    found: list[Any] = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _normalisations(layer)
        elif isinstance(layer, layers.BatchNormalization):
            found.append(layer)
    return found


ONE_DEVICE = Distribution()


def open_distribution(name: str) -> Distribution:
    """`none`: one device; `mirrored`: all GPUs of this machine; `workers`: all GPUs of the machines that $TF_CONFIG
    lists, each of which runs this program. Has to come before anything else that uses TensorFlow.

    Raises DataError for another name, another Keras backend, and a $TF_CONFIG that does not say who this machine is.
    """
    if name not in DISTRIBUTIONS:
        raise DataError(f"--distribute: expected one of {', '.join(DISTRIBUTIONS)}, found {name!r}")
    if name == "none":
        return ONE_DEVICE
    if keras.backend.backend() != "tensorflow":
        raise DataError(
            f"--distribute {name}: expected Keras' TensorFlow backend, found {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow"
        )
    import tensorflow as tf

    if name == "workers":
        worker = read_worker(os.environ.get("TF_CONFIG", ""))
        return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), worker)
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    return Replicas(tf.distribute.MirroredStrategy([device.name for device in devices]), (0, 1))


def read_worker(text: str) -> Part:
    """(index, count) of this machine from the JSON in $TF_CONFIG; a `chief`, where there is one, comes first."""
    try:
        config = json.loads(text)
        names = [(kind, i) for kind in ("chief", "worker") for i in range(len(config["cluster"].get(kind, ())))]
        return names.index((config["task"]["type"], int(config["task"]["index"]))), len(names)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(
            "--distribute workers: expected $TF_CONFIG like "
            '{"cluster": {"worker": ["host0:9999", "host1:9999"]}, "task": {"type": "worker", "index": 0}} with '
            f"this machine's own index, found {text[:200]!r}"
        ) from None
