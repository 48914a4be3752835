"""How likely a customer does something: fitting, calibrating, evaluating, deciding and explaining.

Start with `split_by_time`, `fit_calibrated_logistic` and `evaluate`.
"""

from lakehouse.science.propensity.drift import drift
from lakehouse.science.propensity.evaluation import Evaluation, evaluate, reliability
from lakehouse.science.propensity.leaks import LeakFound
from lakehouse.science.propensity.logistic import CalibratedLogistic, fit_calibrated_logistic
from lakehouse.science.propensity.promotion import Gain, gain
from lakehouse.science.propensity.time_split import TimeSplit, split_by_time
from lakehouse.science.propensity.unfit import UnfitData

__all__ = [
    "CalibratedLogistic",
    "Evaluation",
    "Gain",
    "LeakFound",
    "TimeSplit",
    "UnfitData",
    "drift",
    "evaluate",
    "fit_calibrated_logistic",
    "gain",
    "reliability",
    "split_by_time",
]
