"""How many patients a model needs (Riley 2020); computed where the data are known, named here for evaluation."""

from medcore.data.sample_size import SampleSize, riley_sample_size

__all__ = ["SampleSize", "riley_sample_size"]
