"""The network for clinical tables: piecewise-linear columns, many sub-models in one, a linear path.

Each numeric column is smoothly clipped and also cut at its quantiles into pieces
(Gorishniy et al. 2022, On embeddings for numerical features); ``k`` sub-models share
their kernels and differ in scalings of their inputs and outputs (Wen et al. 2020,
BatchEnsemble; Gorishniy et al. 2025, TabM); a linear path beside the layers learns
what a logistic regression on the pieces would, which is most of what a small study
can tell. Hazards of intervals share one score a cause, whose weight each interval
learns around 1: proportional odds as far as the data do not say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medcore.models.network.parts import Floats, Noise, WeightSpec, activate, bucket

_CLIP = 3.0  # Holzmüller et al. 2024, RealMLP: x / sqrt(1 + (x / 3)²)
_MOST_MEASURED = 20_000  # rows from which quantiles are taken
_MOST_PIECES = 2_048  # inputs that pieces may add
_NUMBER = "number"  # the last layer of a network whose output is one
_HAZARDS = "hazards_of_"  # the layer that says how many causes there are
_OVER_TIME = "over_time"  # the layer that makes one score a cause that of each interval


@dataclass(frozen=True, slots=True)
class TableNetwork:
    """The static shape of the network; ``n_numeric`` columns (padded) are cut into ``n_bins`` pieces."""

    n_features: int
    n_outputs: int
    layers: tuple[int, ...]
    activation: str
    dropout: float
    n_submodels: int
    n_numeric: int
    n_bins: int
    linear: bool = True
    n_causes: int = 0
    """Causes whose hazards are predicted interval by interval; 0 where classes are."""
    number: bool = False
    """Whether its one output is a number as it is."""
    n_intervals: int = 0
    """Intervals that share one score a cause; 0 where there are none, or each has scores of its own."""

    @classmethod
    def fitting(cls, features: Floats, n_outputs: int, settings: Any) -> TableNetwork:
        """Return the network of these settings for a padded feature array (R, F)."""
        n_numeric = int(_numeric_columns(features).sum())
        n_bins = min(settings.n_bins, _MOST_PIECES // max(1, n_numeric))
        keeps = n_bins >= 2 and n_numeric > 0
        return cls(
            n_features=features.shape[1],
            n_outputs=n_outputs,
            layers=settings.layers,
            activation=settings.activation,
            dropout=settings.dropout,
            n_submodels=settings.n_submodels,
            n_numeric=bucket(n_numeric, least=4) if keeps else 0,
            n_bins=n_bins if keeps else 0,
            linear=settings.linear_path,
            n_causes=settings.n_causes,
            number=settings.number,
            n_intervals=settings.n_intervals,
        )

    @property
    def n_scores(self) -> int:
        """What the layers and the linear path give: one score a cause where intervals share it, else the logits."""
        return self.n_causes if self.n_intervals else self.n_outputs

    @property
    def n_inputs(self) -> int:
        """Width of what the first layer sees: the columns and their pieces."""
        return self.n_features + self.n_numeric * self.n_bins

    @property
    def parts(self) -> tuple[WeightSpec, ...]:
        """The linear path, kernel, input and output scaling and bias of each layer, and what intervals make of a score."""
        k = self.n_submodels
        parts = [WeightSpec("linear", (self.n_inputs, self.n_scores), decays=True)] if self.linear else []
        width = self.n_inputs
        for i, units in enumerate(self.layers):
            parts += [
                WeightSpec(f"kernel_{i}", (width, units), decays=True),
                WeightSpec(f"scale_in_{i}", (k, width)),
                WeightSpec(f"scale_out_{i}", (k, units)),
                WeightSpec(f"bias_{i}", (k, units)),
            ]
            width = units
        return (
            *parts,
            WeightSpec("head", (k, width, self.n_scores), decays=True),
            WeightSpec("bias", (k, self.n_outputs)),
            *([WeightSpec("over_time", (k, self.n_outputs))] if self.n_intervals else []),
        )

    @property
    def fixed(self) -> tuple[WeightSpec, ...]:
        """Which columns are cut, where each piece begins, how steep it is, and its mean."""
        if not self.n_bins:
            return ()
        pieces = (self.n_numeric, self.n_bins)
        return (
            WeightSpec("column", (self.n_numeric,)),
            WeightSpec("low", pieces),
            WeightSpec("steep", pieces),
            WeightSpec("mean", pieces),
        )

    def initial(self, rng: np.random.Generator, n_features: int) -> dict[str, Floats]:
        """Draw kernels as He et al., input scalings of the first layer around ±1, everything else neutral."""
        arrays = {part.name: np.zeros(part.shape, np.float32) for part in self.parts}
        real = np.zeros(self.n_inputs, bool)
        real[:n_features] = real[self.n_features :] = True
        for i, _ in enumerate(self.layers):
            n_in, n_out = arrays[f"kernel_{i}"].shape
            n_real = int(real.sum()) if i == 0 else n_in
            arrays[f"kernel_{i}"][:] = rng.normal(0.0, np.sqrt(2.0 / n_real), (n_in, n_out))
            arrays[f"scale_in_{i}"][:] = rng.choice([-1.0, 1.0], (self.n_submodels, n_in)) if i == 0 else 1.0
            arrays[f"scale_out_{i}"][:] = 1.0
        arrays["head"][:] = rng.normal(0.0, 0.5 / np.sqrt(arrays["head"].shape[1]), arrays["head"].shape)
        if self.layers:
            arrays["kernel_0"][~real] = 0.0
        if self.n_intervals:
            arrays["over_time"][:] = 1.0
        return arrays

    def measure(self, features: Floats) -> dict[str, Floats]:
        """Find the numeric columns and their quantiles on the training rows of one member."""
        if not self.n_bins:
            return {}
        chosen = np.flatnonzero(_numeric_columns(features))[: self.n_numeric]
        sample = features[:: max(1, len(features) // _MOST_MEASURED)][:, chosen]
        low = np.zeros((self.n_numeric, self.n_bins), np.float32)
        steep, mean = low.copy(), low.copy()
        column = np.zeros(self.n_numeric, np.float32)
        column[: len(chosen)] = chosen
        for c, values in enumerate(sample.T):
            edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, self.n_bins + 1)).astype(np.float32))
            width = np.maximum(np.diff(edges), 1e-6)
            low[c, : len(width)], steep[c, : len(width)] = edges[:-1], 1.0 / width
        pieces = np.clip((sample[:, :, None] - low[None, : len(chosen)]) * steep[None, : len(chosen)], 0.0, 1.0)
        mean[: len(chosen)] = pieces.mean(0)
        return {"column": column, "low": low, "steep": steep, "mean": mean}

    def logits(self, weights: Mapping[str, Any], fixed: Mapping[str, Any], x: Any, noise: Noise | None) -> Any:
        """Map rows (M, B, F) to logits (M, B, k, C)."""
        import tensorflow as tf

        z = self.inputs(fixed, x)
        first = tf.matmul(z, self.first_kernel(weights))
        straight = tf.matmul(z, weights["linear"]) if self.linear else None
        return self.after_first(weights, first, straight, noise)

    def first_kernel(self, weights: Mapping[str, Any]) -> Any:
        """Return the first kernel of all sub-models side by side, (M, D, k · units)."""
        import tensorflow as tf

        kernel = weights["head"]
        if self.layers:  # scaling the kernel is cheaper than scaling every row for every sub-model
            kernel = weights["scale_in_0"][:, :, :, None] * weights["kernel_0"][:, None]
        return tf.reshape(tf.transpose(kernel, (0, 2, 1, 3)), (kernel.shape[0], self.n_inputs, -1))

    def after_first(self, weights: Mapping[str, Any], first: Any, straight: Any, noise: Noise | None) -> Any:
        """Map what the first kernel (M, B, k · units) and the linear path (M, B, C) make of rows to logits (M, B, k, C)."""
        import tensorflow as tf

        members, rows, _ = first.shape
        h = tf.reshape(first, (members, rows, self.n_submodels, -1))
        for i, units in enumerate(self.layers):
            if i > 0:
                h = tf.reshape(h * weights[f"scale_in_{i}"][:, None], (members, rows * self.n_submodels, -1))
                h = tf.reshape(tf.matmul(h, weights[f"kernel_{i}"]), (members, rows, self.n_submodels, units))
            h = h * weights[f"scale_out_{i}"][:, None] + weights[f"bias_{i}"][:, None]
            h = activate(self.activation, h)
            h = noise.keep(h, self.dropout) if noise else h
        if self.layers and self.n_scores == 1:
            h = tf.reduce_sum(h * weights["head"][:, None, :, :, 0], 3, keepdims=True)
        elif self.layers:
            h = tf.einsum("mbki,mkio->mbko", h, weights["head"])
        out = h if straight is None else h + straight[:, :, None, :]
        if self.n_intervals:
            out = tf.tile(out, (1, 1, 1, self.n_intervals)) * weights["over_time"][:, None]
        return out + weights["bias"][:, None]

    @property
    def first_parts(self) -> frozenset[str]:
        """The weights that :meth:`first_kernel` and the linear path use up, so that nothing after them needs them."""
        return frozenset({"linear", *(("scale_in_0", "kernel_0") if self.layers else ("head",))})

    def owners(self, fixed: Mapping[str, Floats], columns: NDArray[np.intp]) -> NDArray[np.intp]:
        """Say of one member's inputs (D,) which of the columns (F,) each is made of."""
        if not self.n_bins:
            return columns
        return np.concatenate([columns, np.repeat(columns[fixed["column"].astype(int)], self.n_bins)])

    def narrowed(
        self, fixed: Mapping[str, Floats], columns: NDArray[np.intp]
    ) -> tuple[TableNetwork, dict[str, Floats]]:
        """Return what one member's inputs of some columns, in rising order, are made by, with where these are cut."""
        if not self.n_bins:
            return self, {}
        cut = np.flatnonzero(np.isin(fixed["column"].astype(int), columns))
        own = {name: fixed[name][cut] for name in ("low", "steep", "mean")}
        own["column"] = np.searchsorted(columns, fixed["column"][cut].astype(int)).astype(np.float32)
        return replace(self, n_features=len(columns), n_numeric=len(cut)), own

    def inputs(self, fixed: Mapping[str, Any], x: Any) -> Any:
        """Return the clipped columns and the pieces, (M, B, D)."""
        import tensorflow as tf

        z = x * tf.math.rsqrt(1.0 + (x / _CLIP) ** 2)
        if not self.n_bins:
            return z
        members, rows, _ = x.shape
        numeric = tf.gather(x, tf.cast(fixed["column"], tf.int32), axis=2, batch_dims=1)
        pieces = (numeric[..., None] - fixed["low"][:, None]) * fixed["steep"][:, None]
        pieces = tf.clip_by_value(pieces, 0.0, 1.0) - fixed["mean"][:, None]
        return tf.concat([z, tf.reshape(pieces, (members, rows, self.n_numeric * self.n_bins))], 2)

    def keras_model(self, weights: Mapping[str, Floats], fixed: Mapping[str, Floats], n_features: int) -> Any:
        """Return one member as a Keras model of ordinary layers, whose weights bear the names of the parts."""
        from keras import Input, Model, layers, ops

        x = Input((n_features,), name="columns")
        z = x * ops.rsqrt(1.0 + ops.square(x / _CLIP))
        if self.n_bins:
            cut = (self.n_numeric, self.n_bins)
            pieces = layers.EinsumDense("bf,fct->bct", cut, bias_axes="ct", name="pieces")(x)
            pieces = layers.ReLU(max_value=1.0, name="clip")(pieces)
            pieces = layers.EinsumDense("bct,ct->bct", cut, bias_axes="ct", name="centre")(pieces)
            z = layers.Concatenate(name="inputs")([z, layers.Flatten(name="flat")(pieces)])
        k, width = self.n_submodels, len(self._real(n_features))
        h = layers.RepeatVector(k, name="submodels")(z)
        for i, units in enumerate(self.layers):
            h = layers.EinsumDense("bki,ki->bki", (k, width), name=f"scale_in_{i}")(h)
            h = layers.Dense(units, use_bias=False, name=f"kernel_{i}")(h)
            h = layers.EinsumDense("bki,ki->bki", (k, units), bias_axes="ki", name=f"scale_out_{i}")(h)
            h = layers.Activation(self.activation, name=f"activation_{i}")(h)
            h = layers.Dropout(self.dropout, name=f"dropout_{i}")(h)
            width = units
        biased = {} if self.n_intervals else {"bias_axes": "ko"}
        h = layers.EinsumDense("bki,kio->bko", (k, self.n_scores), name="head", **biased)(h)
        if self.linear:
            straight = layers.Dense(self.n_scores, use_bias=False, name="linear")(z)
            h = layers.Add(name="logits")([h, layers.RepeatVector(k, name="linear_submodels")(straight)])
        if self.n_intervals:
            shape = (k, self.n_intervals, self.n_causes)
            h = layers.EinsumDense("bkc,kjc->bkjc", shape, bias_axes="kjc", name=_OVER_TIME)(h)
        if self.n_causes:
            shape = (k, self.n_outputs // self.n_causes, self.n_causes)
            odds = ops.exp(layers.Reshape(shape, name=f"{_HAZARDS}{self.n_causes}")(h))
            h = layers.Reshape((k, self.n_outputs))(odds / (1.0 + ops.sum(odds, -1, keepdims=True)))
        elif not self.number:
            h = layers.Activation("sigmoid" if self.n_outputs == 1 else "softmax", name="risks")(h)
        mean = layers.GlobalAveragePooling1D(name=_NUMBER if self.number else "risk")(h)
        model = Model(x, mean, name="network")
        self.fill_keras(model, weights, fixed)
        return model

    def fill_keras(self, model: Any, weights: Mapping[str, Floats], fixed: Mapping[str, Floats]) -> None:
        """Give a model of :meth:`keras_model` the weights of another member of as many columns."""
        n_features = int(model.input_shape[-1])
        for name, arrays in self._keras_arrays(weights, fixed, n_features).items():
            model.get_layer(name).set_weights(arrays)

    def _real(self, n_features: int) -> NDArray[np.intp]:
        """Return which inputs there are without the padding."""
        return np.concatenate([np.arange(n_features), np.arange(self.n_features, self.n_inputs)])

    def _keras_arrays(
        self, weights: Mapping[str, Floats], fixed: Mapping[str, Floats], n_features: int
    ) -> dict[str, list[Floats]]:
        """Return the arrays of each layer of the Keras model that has any."""
        real, arrays = self._real(n_features), dict[str, list[Floats]]()
        if self.n_bins:
            arrays["pieces"] = [_selection(fixed, n_features) * fixed["steep"], -fixed["low"] * fixed["steep"]]
            arrays["centre"] = [np.ones_like(fixed["mean"]), -fixed["mean"]]
        for i in range(len(self.layers)):
            kept = real if i == 0 else slice(None)
            arrays[f"scale_in_{i}"] = [weights[f"scale_in_{i}"][:, kept]]
            arrays[f"kernel_{i}"] = [weights[f"kernel_{i}"][kept]]
            arrays[f"scale_out_{i}"] = [weights[f"scale_out_{i}"], weights[f"bias_{i}"]]
        arrays["head"] = [weights["head"] if self.layers else weights["head"][:, real]]
        if self.linear:
            arrays["linear"] = [weights["linear"][real]]
        if self.n_intervals:
            shape = (self.n_submodels, self.n_intervals, self.n_causes)
            arrays[_OVER_TIME] = [weights["over_time"].reshape(shape), weights["bias"].reshape(shape)]
        else:
            arrays["head"].append(weights["bias"])
        return arrays

    @classmethod
    def from_keras(cls, model: Any) -> tuple[TableNetwork, dict[str, Floats], dict[str, Floats]]:
        """Read shape, weights and fixed parts from a model that :meth:`keras_model` made."""
        named = {layer.name: layer for layer in model.layers}
        held = {name: [np.asarray(a, np.float32) for a in layer.get_weights()] for name, layer in named.items()}
        n_layers = sum(name.startswith("kernel_") for name in named)
        cut, shared = "pieces" in named, held.get(_OVER_TIME)
        n_submodels = held["head"][0].shape[0]
        network = cls(
            n_features=int(model.input_shape[-1]),
            n_outputs=held["head"][0].shape[2] if shared is None else shared[0][0].size,
            layers=tuple(held[f"kernel_{i}"][0].shape[1] for i in range(n_layers)),
            activation=named["activation_0"].activation.__name__ if n_layers else "relu",
            dropout=float(named["dropout_0"].rate) if n_layers else 0.0,
            n_submodels=n_submodels,
            n_numeric=held["centre"][1].shape[0] if cut else 0,
            n_bins=held["centre"][1].shape[1] if cut else 0,
            linear="linear" in named,
            n_causes=next((int(name.removeprefix(_HAZARDS)) for name in named if name.startswith(_HAZARDS)), 0),
            number=_NUMBER in named,
            n_intervals=0 if shared is None else shared[0].shape[1],
        )
        weights = {
            "head": held["head"][0],
            "bias": held["head"][1] if shared is None else shared[1].reshape(n_submodels, -1),
        }
        weights |= {} if shared is None else {"over_time": shared[0].reshape(n_submodels, -1)}
        weights |= {"linear": held["linear"][0]} if network.linear else {}
        for i in range(n_layers):
            weights |= {f"{name}_{i}": held[f"{name}_{i}"][0] for name in ("kernel", "scale_in", "scale_out")}
            weights[f"bias_{i}"] = held[f"scale_out_{i}"][1]
        return network, weights, _fixed_from(held) if cut else {}


def _selection(fixed: Mapping[str, Floats], n_features: int) -> Floats:
    """Return the kernel (F, C, 1) that picks the numeric columns."""
    picked: Floats = np.equal.outer(np.arange(n_features), fixed["column"])[:, :, None].astype(np.float32)
    return picked


def _fixed_from(held: Mapping[str, list[Floats]]) -> dict[str, Floats]:
    """Undo :func:`_selection`: which column each numeric one is, and where its pieces begin."""
    kernel, bias = held["pieces"]
    column = np.abs(kernel).sum(2).argmax(0)
    steep = kernel[column, np.arange(kernel.shape[1])]
    low = np.divide(-bias, steep, out=np.zeros_like(bias), where=steep != 0.0)
    return {"column": column.astype(np.float32), "low": low, "steep": steep, "mean": -held["centre"][1]}


def _numeric_columns(features: Floats) -> Any:
    """Say which columns have more than two values."""
    return ((features != features.min(0)) & (features != features.max(0))).any(0)
