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
from medcore.evaluation.survival.accuracy import IntegratedBrier, integrated_brier
from medcore.evaluation.survival.calibration import calibration_curve_at_horizon
from medcore.evaluation.survival.incidence import IncidenceCurve, incidence_by_risk, round_times
from medcore.evaluation.survival.performance import HorizonPerformance, SurvivalPerformance, evaluate_at_horizons
from medcore.evaluation.survival.utility import decision_curve_at_horizon, net_benefit_at_horizon

__all__ = [
    "CalibrationCurve",
    "Comparison",
    "Confusion",
    "DecisionCurve",
    "Estimate",
    "Evaluation",
    "GainCurve",
    "HorizonPerformance",
    "IncidenceCurve",
    "IntegratedBrier",
    "PrecisionRecallCurve",
    "Ranked",
    "Reclassification",
    "RiskDistribution",
    "RocCurve",
    "SurvivalPerformance",
    "calibration_curve",
    "calibration_curve_at_horizon",
    "compare",
    "confusion",
    "decision_curve",
    "decision_curve_at_horizon",
    "evaluate",
    "evaluate_at_horizons",
    "gain",
    "incidence_by_risk",
    "integrated_brier",
    "net_benefit",
    "net_benefit_at_horizon",
    "precision_recall",
    "risk_distribution",
    "roc",
    "round_times",
]
