"""How likely a customer does something: fitting, calibrating, evaluating, deciding and explaining.

Start with `split_by_time`, `fit_calibrated_logistic` and `evaluate`.
"""

from lakehouse.science.propensity.evaluation import Evaluation, evaluate, reliability
from lakehouse.science.propensity.logistic import CalibratedLogistic, fit_calibrated_logistic
from lakehouse.science.propensity.time_split import TimeSplit, split_by_time
from lakehouse.science.propensity.unfit import UnfitData

__all__ = [
    "CalibratedLogistic",
    "Evaluation",
    "TimeSplit",
    "UnfitData",
    "evaluate",
    "fit_calibrated_logistic",
    "reliability",
    "split_by_time",
]
