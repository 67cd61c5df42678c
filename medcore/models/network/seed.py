"""The reference network: dense layers and a sigmoid or softmax, as Keras builds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.models.network.parts import Floats, Noise, WeightSpec, activate


@dataclass(frozen=True, slots=True)
class DenseNetwork:
    """Dense layers with Keras' initialisers (Glorot uniform, zero bias).

    ``n_features`` is the padded number of columns; the weights of padded columns
    are zero and meet zeros, so they stay zero.
    """

    n_features: int
    n_outputs: int
    layers: tuple[int, ...]
    activation: str
    dropout: float

    @property
    def n_scores(self) -> int:
        """What the layers give: the logits."""
        return self.n_outputs

    @property
    def n_causes(self) -> int:
        """None: it predicts classes."""
        return 0

    @property
    def number(self) -> bool:
        """Never: it predicts classes."""
        return False

    @property
    def parts(self) -> tuple[WeightSpec, ...]:
        """Kernel and bias of each layer."""
        widths = (self.n_features, *self.layers, self.n_outputs)
        return tuple(
            part
            for i, (n_in, n_out) in enumerate(pairwise(widths))
            for part in (
                WeightSpec(f"kernel_{i}", (n_in, n_out), decays=True),
                WeightSpec(f"bias_{i}", (n_out,), decays=True),
            )
        )

    @property
    def fixed(self) -> tuple[WeightSpec, ...]:
        """Nothing is measured: scaling is done before."""
        return ()

    def initial(self, rng: np.random.Generator, n_features: int) -> dict[str, Floats]:
        """Draw Glorot-uniform kernels with the fan-in of the real columns."""
        arrays = {part.name: np.zeros(part.shape, np.float32) for part in self.parts}
        for part in self.parts:
            if part.name.startswith("kernel"):
                n_in = n_features if part.name == "kernel_0" else part.shape[0]
                limit = np.sqrt(6.0 / (n_in + part.shape[1]))
                arrays[part.name][:n_in] = rng.uniform(-limit, limit, (n_in, part.shape[1]))
        return arrays

    def measure(self, features: Floats) -> dict[str, Floats]:  # noqa: ARG002 - part of the protocol
        """Measure nothing."""
        return {}

    def logits(self, weights: Mapping[str, Any], fixed: Mapping[str, Any], x: Any, noise: Noise | None) -> Any:
        """Map rows (M, B, F) to logits (M, B, 1, C)."""
        import tensorflow as tf

        return self.after_first(weights, tf.matmul(self.inputs(fixed, x), self.first_kernel(weights)), None, noise)

    def inputs(self, fixed: Mapping[str, Any], x: Any) -> Any:  # noqa: ARG002
        """Return the rows as they are."""
        return x

    def narrowed(
        self,
        fixed: Mapping[str, Floats],  # noqa: ARG002 - part of the protocol
        columns: NDArray[np.intp],  # noqa: ARG002
    ) -> tuple[DenseNetwork, dict[str, Floats]]:
        """Return itself: columns are read as they are."""
        return self, {}

    def first_kernel(self, weights: Mapping[str, Any]) -> Any:
        """Return the first kernel, (M, F, units)."""
        return weights["kernel_0"]

    def after_first(self, weights: Mapping[str, Any], first: Any, straight: None, noise: Noise | None) -> Any:  # noqa: ARG002
        """Map what the first kernel makes of rows, (M, B, units), to logits (M, B, 1, C)."""
        import tensorflow as tf

        h = first + weights["bias_0"][:, None, :]
        last = len(self.layers)
        for i in range(1, last + 1):
            h = activate(self.activation, h)
            h = noise.keep(h, self.dropout) if noise else h
            kernel = weights[f"kernel_{i}"]
            if i == last and self.n_outputs == 1:  # a product with a vector compiles slower than this
                h = tf.reduce_sum(h * kernel[:, None, :, 0], 2, keepdims=True)
            else:
                h = tf.matmul(h, kernel)
            h = h + weights[f"bias_{i}"][:, None, :]
        return h[:, :, None, :]

    @property
    def first_parts(self) -> frozenset[str]:
        """The weights that :meth:`first_kernel` uses up."""
        return frozenset({"kernel_0"})

    def owners(self, fixed: Mapping[str, Floats], columns: NDArray[np.intp]) -> NDArray[np.intp]:  # noqa: ARG002
        """Say of the inputs which of the columns (F,) each is made of: they are the columns."""
        return columns

    @property
    def n_submodels(self) -> int:
        """A dense network is a single model."""
        return 1

    def keras_model(self, weights: Mapping[str, Floats], fixed: Mapping[str, Floats], n_features: int) -> Any:
        """Return a ``keras.Sequential`` with these weights."""
        import keras

        model = keras.Sequential([keras.Input((n_features,))])
        for i, width in enumerate(self.layers):
            model.add(keras.layers.Dense(width, activation=self.activation, name=f"dense_{i}"))
            if self.dropout:
                model.add(keras.layers.Dropout(self.dropout, name=f"dropout_{i}"))
        final = "sigmoid" if self.n_outputs == 1 else "softmax"
        model.add(keras.layers.Dense(self.n_outputs, activation=final, name="risk"))
        self.fill_keras(model, weights, fixed)
        return model

    def fill_keras(self, model: Any, weights: Mapping[str, Floats], fixed: Mapping[str, Floats]) -> None:  # noqa: ARG002
        """Give a model of :meth:`keras_model` the weights of another member of as many columns."""
        arrays = [weights[part.name] for part in self.parts]
        arrays[0] = arrays[0][: int(model.input_shape[-1])]
        model.set_weights(arrays)

    @classmethod
    def from_keras(cls, model: Any) -> tuple[DenseNetwork, dict[str, Floats], dict[str, Floats]]:
        """Read shape, weights and fixed parts (none) from a model that :meth:`keras_model` made."""
        dense = [layer for layer in model.layers if type(layer).__name__ == "Dense"]
        drop = [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"]
        arrays = [np.asarray(a, np.float32) for a in model.get_weights()]
        activation = dense[0].activation.__name__ if len(dense) > 1 else "relu"
        network = cls(
            n_features=arrays[0].shape[0],
            n_outputs=arrays[-1].shape[0],
            layers=tuple(layer.units for layer in dense[:-1]),
            activation=activation,
            dropout=float(drop[0]) if drop else 0.0,
        )
        return network, {part.name: a for part, a in zip(network.parts, arrays, strict=True)}, {}
