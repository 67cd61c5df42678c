"""The honest judgement of predicted risks: arrays of outcomes and risks in, frozen results out.

Each name is imported when it is first used: who needs one figure waits for no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medcore.first_use import imported_when_used

if TYPE_CHECKING:
    from medcore.evaluation.comparison.paired import Comparison as Comparison
    from medcore.evaluation.comparison.paired import Reclassification as Reclassification
    from medcore.evaluation.comparison.paired import compare as compare
    from medcore.evaluation.curves.calibration import CalibrationCurve as CalibrationCurve
    from medcore.evaluation.curves.calibration import calibration_curve as calibration_curve
    from medcore.evaluation.curves.discrimination import GainCurve as GainCurve
    from medcore.evaluation.curves.discrimination import PrecisionRecallCurve as PrecisionRecallCurve
    from medcore.evaluation.curves.discrimination import Ranked as Ranked
    from medcore.evaluation.curves.discrimination import RiskDistribution as RiskDistribution
    from medcore.evaluation.curves.discrimination import RocCurve as RocCurve
    from medcore.evaluation.curves.discrimination import gain as gain
    from medcore.evaluation.curves.discrimination import precision_recall as precision_recall
    from medcore.evaluation.curves.discrimination import risk_distribution as risk_distribution
    from medcore.evaluation.curves.discrimination import roc as roc
    from medcore.evaluation.curves.utility import DecisionCurve as DecisionCurve
    from medcore.evaluation.curves.utility import decision_curve as decision_curve
    from medcore.evaluation.curves.utility import net_benefit as net_benefit
    from medcore.evaluation.figures.confusion import Confusion as Confusion
    from medcore.evaluation.figures.confusion import confusion as confusion
    from medcore.evaluation.figures.estimates import Estimate as Estimate
    from medcore.evaluation.figures.performance import Evaluation as Evaluation
    from medcore.evaluation.figures.performance import evaluate as evaluate
    from medcore.evaluation.number.calibration import Agreement as Agreement
    from medcore.evaluation.number.calibration import NumberCalibration as NumberCalibration
    from medcore.evaluation.number.calibration import agreement as agreement
    from medcore.evaluation.number.calibration import number_calibration as number_calibration
    from medcore.evaluation.number.groups import NumberComparison as NumberComparison
    from medcore.evaluation.number.groups import compare_numbers as compare_numbers
    from medcore.evaluation.number.groups import groups_of_numbers as groups_of_numbers
    from medcore.evaluation.number.performance import NumberPerformance as NumberPerformance
    from medcore.evaluation.number.performance import evaluate_numbers as evaluate_numbers
    from medcore.evaluation.survival.accuracy import IntegratedBrier as IntegratedBrier
    from medcore.evaluation.survival.accuracy import integrated_brier as integrated_brier
    from medcore.evaluation.survival.calibration import calibration_curve_at_horizon as calibration_curve_at_horizon
    from medcore.evaluation.survival.groups import compare_at_horizon as compare_at_horizon
    from medcore.evaluation.survival.groups import groups_at_horizon as groups_at_horizon
    from medcore.evaluation.survival.groups import mistakes_at_horizon as mistakes_at_horizon
    from medcore.evaluation.survival.incidence import IncidenceCurve as IncidenceCurve
    from medcore.evaluation.survival.incidence import incidence_by_risk as incidence_by_risk
    from medcore.evaluation.survival.incidence import round_times as round_times
    from medcore.evaluation.survival.performance import HorizonPerformance as HorizonPerformance
    from medcore.evaluation.survival.performance import SurvivalPerformance as SurvivalPerformance
    from medcore.evaluation.survival.performance import evaluate_at_horizons as evaluate_at_horizons
    from medcore.evaluation.survival.utility import decision_curve_at_horizon as decision_curve_at_horizon
    from medcore.evaluation.survival.utility import net_benefit_at_horizon as net_benefit_at_horizon

_NAMES = {
    "comparison.paired": ("Comparison", "Reclassification", "compare"),
    "curves.calibration": ("CalibrationCurve", "calibration_curve"),
    "curves.discrimination": (
        "GainCurve",
        "PrecisionRecallCurve",
        "Ranked",
        "RiskDistribution",
        "RocCurve",
        "gain",
        "precision_recall",
        "risk_distribution",
        "roc",
    ),
    "curves.utility": ("DecisionCurve", "decision_curve", "net_benefit"),
    "figures.confusion": ("Confusion", "confusion"),
    "figures.estimates": ("Estimate",),
    "figures.performance": ("Evaluation", "evaluate"),
    "number.calibration": ("Agreement", "NumberCalibration", "agreement", "number_calibration"),
    "number.groups": ("NumberComparison", "compare_numbers", "groups_of_numbers"),
    "number.performance": ("NumberPerformance", "evaluate_numbers"),
    "survival.accuracy": ("IntegratedBrier", "integrated_brier"),
    "survival.calibration": ("calibration_curve_at_horizon",),
    "survival.groups": ("compare_at_horizon", "groups_at_horizon", "mistakes_at_horizon"),
    "survival.incidence": ("IncidenceCurve", "incidence_by_risk", "round_times"),
    "survival.performance": ("HorizonPerformance", "SurvivalPerformance", "evaluate_at_horizons"),
    "survival.utility": ("decision_curve_at_horizon", "net_benefit_at_horizon"),
}
_HOME = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}

__all__ = sorted(_HOME)

__getattr__ = imported_when_used(__name__, _HOME)
