"""The honest judgement of predicted risks: arrays of outcomes and risks in, frozen results out."""

from medcore.evaluation.confusion import Confusion, confusion
from medcore.evaluation.estimates import Estimate
from medcore.evaluation.performance import Evaluation, evaluate

__all__ = ["Confusion", "Estimate", "Evaluation", "confusion", "evaluate"]
