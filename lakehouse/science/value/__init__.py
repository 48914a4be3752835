"""What customers will buy and be worth: probability models of buying while alive, spending and renewal."""

from lakehouse.science.value.acquisition import acquisition
from lakehouse.science.value.audiences import Lookalike, conversion_values, fit_lookalike, value_audiences
from lakehouse.science.value.bg_bb import BgBb, fit_bg_bb
from lakehouse.science.value.bg_nbd import BgNbd, fit_bg_nbd
from lakehouse.science.value.estimation import Estimate, Prior
from lakehouse.science.value.gamma_gamma import GammaGamma, fit_gamma_gamma
from lakehouse.science.value.groups import Pooled, fit_groups, pooled_means
from lakehouse.science.value.histories import Histories
from lakehouse.science.value.pareto_nbd import ParetoNbd, fit_pareto_nbd
from lakehouse.science.value.renewals import ShiftedBetaGeometric, fit_renewals

__all__ = [
    "BgBb",
    "BgNbd",
    "Estimate",
    "GammaGamma",
    "Histories",
    "Lookalike",
    "ParetoNbd",
    "Pooled",
    "Prior",
    "ShiftedBetaGeometric",
    "acquisition",
    "conversion_values",
    "fit_bg_bb",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_groups",
    "fit_lookalike",
    "fit_pareto_nbd",
    "fit_renewals",
    "pooled_means",
    "value_audiences",
]
