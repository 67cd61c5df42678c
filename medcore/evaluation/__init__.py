"""The honest judgement of predicted risks: arrays of outcomes and risks in, frozen results out."""

from medcore.evaluation.calibration import CalibrationCurve, calibration_curve
from medcore.evaluation.comparison import Comparison, Reclassification, compare
from medcore.evaluation.confusion import Confusion, confusion
from medcore.evaluation.curves import (
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
from medcore.evaluation.estimates import Estimate
from medcore.evaluation.performance import Evaluation, evaluate
from medcore.evaluation.utility import DecisionCurve, decision_curve, net_benefit

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
