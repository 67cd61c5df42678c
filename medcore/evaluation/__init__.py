"""The honest judgement of predicted risks: arrays of outcomes and risks in, frozen results out."""

from medcore.evaluation.comparison.paired import Comparison, Reclassification, compare
from medcore.evaluation.curves.calibration import CalibrationCurve, calibration_curve
from medcore.evaluation.curves.discrimination import (
    GainCurve,
    PrecisionRecallCurve,
    Ranked,
    RiskDistribution,
    RocCurve,
    gain,
    precision_recall,
    risk_distribution,
    roc,
)
from medcore.evaluation.curves.utility import DecisionCurve, decision_curve, net_benefit
from medcore.evaluation.figures.confusion import Confusion, confusion
from medcore.evaluation.figures.estimates import Estimate
from medcore.evaluation.figures.performance import Evaluation, evaluate

__all__ = [
    "CalibrationCurve",
    "Comparison",
    "Confusion",
    "DecisionCurve",
    "Estimate",
    "Evaluation",
    "GainCurve",
    "PrecisionRecallCurve",
    "Ranked",
    "Reclassification",
    "RiskDistribution",
    "RocCurve",
    "calibration_curve",
    "compare",
    "confusion",
    "decision_curve",
    "evaluate",
    "gain",
    "net_benefit",
    "precision_recall",
    "risk_distribution",
    "roc",
]
