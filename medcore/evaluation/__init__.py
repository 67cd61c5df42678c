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
from medcore.evaluation.number.calibration import (
    Agreement,
    NumberCalibration,
    agreement,
    number_calibration,
)
from medcore.evaluation.number.groups import NumberComparison, compare_numbers, groups_of_numbers
from medcore.evaluation.number.performance import NumberPerformance, evaluate_numbers
from medcore.evaluation.survival.accuracy import IntegratedBrier, integrated_brier
from medcore.evaluation.survival.calibration import calibration_curve_at_horizon
from medcore.evaluation.survival.groups import compare_at_horizon, groups_at_horizon, mistakes_at_horizon
from medcore.evaluation.survival.incidence import IncidenceCurve, incidence_by_risk, round_times
from medcore.evaluation.survival.performance import HorizonPerformance, SurvivalPerformance, evaluate_at_horizons
from medcore.evaluation.survival.utility import decision_curve_at_horizon, net_benefit_at_horizon

__all__ = [
    "Agreement",
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
    "NumberCalibration",
    "NumberComparison",
    "NumberPerformance",
    "PrecisionRecallCurve",
    "Ranked",
    "Reclassification",
    "RiskDistribution",
    "RocCurve",
    "SurvivalPerformance",
    "agreement",
    "calibration_curve",
    "calibration_curve_at_horizon",
    "compare",
    "compare_at_horizon",
    "compare_numbers",
    "confusion",
    "decision_curve",
    "decision_curve_at_horizon",
    "evaluate",
    "evaluate_at_horizons",
    "evaluate_numbers",
    "gain",
    "groups_at_horizon",
    "groups_of_numbers",
    "incidence_by_risk",
    "integrated_brier",
    "net_benefit",
    "net_benefit_at_horizon",
    "mistakes_at_horizon",
    "number_calibration",
    "precision_recall",
    "risk_distribution",
    "roc",
    "round_times",
]
