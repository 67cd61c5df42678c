"""A tower for measurements in the order of time beside the network for tables.

Every measurement comes as its last value in each step of time, how many steps ago that
was, and so whether it is of this step. An old value fades towards the training mean, as
fast as it is learnt (Che et al., Sci Rep 2018;8:6085, GRU-D): nothing is made up where
nothing was measured, and the gap itself is told. Patches of four steps become one vector
each, a gated recurrent unit (Cho et al. 2014) reads them from the first to the last, and
what it holds at the end joins what the table's columns give in the first layer of
:class:`~medcore.models.network.table.TableNetwork` and in its linear path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from medcore.data.values.sequences import STEPS
from medcore.models.network.parts import Floats, Noise, WeightSpec, activate
from medcore.models.network.table import TableNetwork

PATCH = 4
"""Steps in a patch: twelve patches of two days, which a recurrent unit reads in a twelfth of the time of 48 steps."""
WIDTH, STATE = 32, 32
"""What a patch becomes, and what the recurrent unit remembers."""
_MOST = 4.0  # standard deviations: what is further off says no more
_DROPPED = 0.3  # share of what is told of steps, patches and at the end that is left out in training
_FADES = 0.05  # a step at first: half of a value is left after 14 steps
_GAP = 0.25  # scale of log(1 + steps), so that gaps are about as large as values


@dataclass(frozen=True, slots=True)
class TowerNetwork:
    """The static shape: rows are ``n_series`` measurements' last values and gaps in ``n_steps``, then the columns of ``table``."""

    table: TableNetwork
    n_series: int
    n_steps: int

    @classmethod
    def fitting(cls, features: Floats, n_outputs: int, settings: Any) -> TowerNetwork:
        """Return the network of these settings for a padded feature array (R, F)."""
        own = features[:, 2 * settings.n_series * STEPS :]
        return cls(TableNetwork.fitting(own, n_outputs, settings), settings.n_series, STEPS)

    @property
    def n_told(self) -> int:
        """Columns of a row that tell of measurements."""
        return 2 * self.n_series * self.n_steps

    @property
    def n_patches(self) -> int:
        """Patches that the recurrent unit reads."""
        return self.n_steps // PATCH

    @property
    def n_features(self) -> int:
        """Number of columns, padded."""
        return self.n_told + self.table.n_features

    @property
    def n_outputs(self) -> int:
        """Number of logits."""
        return self.table.n_outputs

    @property
    def n_scores(self) -> int:
        """What the layers give."""
        return self.table.n_scores

    @property
    def n_submodels(self) -> int:
        """How many risks of one member are averaged."""
        return self.table.n_submodels

    @property
    def n_causes(self) -> int:
        """How many kinds of events it predicts hazards of."""
        return self.table.n_causes

    @property
    def number(self) -> bool:
        """Whether its one output is a number as it is."""
        return self.table.number

    @property
    def parts(self) -> tuple[WeightSpec, ...]:
        """The table's weights, then the tower's: how values fade, patches, recurrent unit, and how its state joins."""
        patch = PATCH * 3 * self.n_series
        units = self.table.layers[0] if self.table.layers else self.n_scores

        def kernel(name: str, *shape: int) -> WeightSpec:
            return WeightSpec(name, shape, decays=True)

        return (
            *self.table.parts,
            WeightSpec("fading", (self.n_series,)),
            kernel("patch", patch, WIDTH),
            WeightSpec("patch_bias", (WIDTH,)),
            kernel("read", WIDTH, 3 * STATE),
            kernel("remembered", STATE, 3 * STATE),
            WeightSpec("read_bias", (3 * STATE,)),
            WeightSpec("remembered_bias", (STATE,)),
            kernel("joined", STATE, units),
            kernel("joined_linear", STATE, self.n_scores),
        )

    @property
    def fixed(self) -> tuple[WeightSpec, ...]:
        """What the table measures."""
        return self.table.fixed

    def initial(self, rng: np.random.Generator, n_features: int) -> dict[str, Floats]:
        """Draw kernels with variance 1 / inputs; the linear path and all biases begin at nothing."""
        arrays = self.table.initial(rng, n_features - self.n_told)
        for part in self.parts[len(self.table.parts) :]:
            drawn = part.decays and part.name != "joined_linear"
            spread = 1.0 / np.sqrt(part.shape[0])
            values = rng.normal(0.0, spread, part.shape) if drawn else np.zeros(part.shape)
            arrays[part.name] = values.astype(np.float32)
        arrays["fading"][:] = _FADES
        return arrays

    def measure(self, features: Floats) -> dict[str, Floats]:
        """Return what the table measures on the training rows of one member."""
        return self.table.measure(features[:, self.n_told :])

    def logits(self, weights: Mapping[str, Any], fixed: Mapping[str, Any], x: Any, noise: Noise | None) -> Any:
        """Map rows (M, B, F) to logits (M, B, k, C)."""
        import tensorflow as tf

        z = self.table.inputs(fixed, x[:, :, self.n_told :])
        steps = self.told(weights, x[:, :, : self.n_told])
        steps = noise.keep(steps, _DROPPED) if noise else steps
        members, rows = x.shape[:2]
        patches = tf.reshape(steps, (members, rows * self.n_patches, -1))
        patches = tf.reshape(tf.matmul(patches, weights["patch"]), (members, rows, -1))
        first = tf.matmul(z, self.table.first_kernel(weights))
        straight = tf.matmul(z, weights["linear"]) if self.table.linear else None
        return self.after_sums(weights, first, straight, patches, noise)

    def told(self, weights: Mapping[str, Any], x: Any) -> Any:
        """Return what a row tells of each step, (M, B, T, 3 · V): faded values, whether they are of the step, and the gaps."""
        import tensorflow as tf

        members, rows, _ = x.shape
        both = tf.reshape(x, (members, rows, 2, self.n_steps, self.n_series))
        last, since = both[:, :, 0], both[:, :, 1]
        fading = tf.maximum(weights["fading"], 0.0)[:, None, None, :]
        values = tf.clip_by_value(last, -_MOST, _MOST) * tf.exp(-fading * since)
        return tf.concat([values, tf.cast(since == 0.0, tf.float32), _GAP * tf.math.log1p(since)], -1)

    def after_sums(
        self, weights: Mapping[str, Any], first: Any, straight: Any, patches: Any, noise: Noise | None
    ) -> Any:
        """Map what the first kernels make of rows, of columns (M, B, H) and of patches (M, B, N · WIDTH), to logits."""
        import tensorflow as tf

        state = self._read(weights, patches, noise)
        joined = tf.matmul(state, weights["joined"])
        first = first + tf.tile(joined, (1, 1, self.n_submodels))
        if straight is not None:
            straight = straight + tf.matmul(state, weights["joined_linear"])
        return self.table.after_first(weights, first, straight, noise)

    def _read(self, weights: Mapping[str, Any], patches: Any, noise: Noise | None) -> Any:
        """Read the patches in their order; return the state at the end (M, B, STATE)."""
        import tensorflow as tf

        members, rows, _ = patches.shape
        seen = tf.reshape(patches, (members, rows * self.n_patches, WIDTH)) + weights["patch_bias"][:, None]
        seen = activate("mish", seen)
        seen = noise.keep(seen, _DROPPED) if noise else seen
        given = tf.matmul(seen, weights["read"]) + weights["read_bias"][:, None]
        given = tf.reshape(given, (members, rows, self.n_patches, 3 * STATE))
        state = tf.zeros((members, rows, STATE))
        for place in range(self.n_patches):
            reset, keep, new = tf.split(given[:, :, place], 3, axis=2)
            again, kept, old = tf.split(tf.matmul(state, weights["remembered"]), 3, axis=2)
            kept = tf.sigmoid(keep + kept)
            old = tf.sigmoid(reset + again) * (old + weights["remembered_bias"][:, None])
            state = kept * state + (1.0 - kept) * tf.tanh(new + old)
        return noise.keep(state, _DROPPED) if noise else state

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that :meth:`from_dict` reads back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TowerNetwork:
        """Read what :meth:`to_dict` wrote."""
        table = TableNetwork(**{**data["table"], "layers": tuple(data["table"]["layers"])})
        return cls(table, int(data["n_series"]), int(data["n_steps"]))
