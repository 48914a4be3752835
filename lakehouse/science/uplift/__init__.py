"""Whom a contact moves: effects per customer, how well they are ranked, what a policy earns, who gets what."""

from lakehouse.science.uplift.decisions import Limits, decide
from lakehouse.science.uplift.fatigue import Fatigue, fit_fatigue, opens_tire, pressure
from lakehouse.science.uplift.learners import Uplift, fit_uplift
from lakehouse.science.uplift.lift import Lift, total_lift
from lakehouse.science.uplift.policy import PolicyValue, policy_difference, policy_value
from lakehouse.science.uplift.qini import Qini, qini, qini_curve

__all__ = [
    "Fatigue",
    "Lift",
    "Limits",
    "PolicyValue",
    "Qini",
    "Uplift",
    "decide",
    "fit_fatigue",
    "fit_uplift",
    "opens_tire",
    "policy_difference",
    "policy_value",
    "pressure",
    "qini",
    "qini_curve",
    "total_lift",
]
