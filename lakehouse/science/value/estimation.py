"""Maximum likelihood for positive parameters, with an optional weak prior and the posterior's spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from lakehouse.science.propensity.unfit import UnfitData, Vector

FARTHEST = 12.0
STEP = 1e-3


@dataclass(frozen=True)
class Prior:
    """Independent normals on the logarithms of the parameters: weak alone, pooling when centred on all customers."""

    centre: Mapping[str, float]
    spread: float = 3.0

    @staticmethod
    def pooled(whole: Estimate, spread: float = 0.5) -> Prior:
        """Centred on the estimate of all customers: a segment with few of them stays near it."""
        return Prior({name: float(np.log(value)) for name, value in whole.values.items()}, spread)


@dataclass(frozen=True)
class Estimate:
    """The optimum and the Laplace approximation of the posterior: log parameters are normal around it."""

    values: dict[str, float]
    log_likelihood: float
    customers: float
    covariance: NDArray[np.float64]

    def interval(self, name: str, z: float = 1.959964) -> tuple[float, float]:
        """Where the parameter lies with 95 % (unless told): value · e^(±z·standard error of its logarithm)."""
        place = list(self.values).index(name)
        factor = float(np.exp(z * np.sqrt(self.covariance[place, place])))
        return self.values[name] / factor, self.values[name] * factor

    def draws(self, count: int, seed: int = 0) -> list[dict[str, float]]:
        """Parameters drawn from the posterior (Tierney & Kadane 1986, JASA 81, first order)."""
        centre = np.log(list(self.values.values()))
        drawn = np.exp(np.random.default_rng(seed).multivariate_normal(centre, self.covariance, count))
        return [dict(zip(self.values, map(float, row), strict=True)) for row in drawn]

    def credible(self, of: Callable[[dict[str, float]], float], draws: int = 200, seed: int = 0) -> tuple[float, float, float]:
        """Mean and 95 % credible interval of anything computed from the parameters, such as a total forecast.

        Carries the uncertainty of the parameters; what single customers do by chance comes on top.
        """
        found = np.array([of(one) for one in self.draws(draws, seed)])
        low, high = np.quantile(found, [0.025, 0.975])
        return float(found.mean()), float(low), float(high)


def maximise(
    log_likelihood: Callable[[Vector], float],
    names: Sequence[str],
    customers: float,
    starts: Sequence[Sequence[float]],
    prior: Prior | None = None,
    polish: int = 4000,
) -> Estimate:
    """Parameters θ > 0 maximising ln L(θ) − ½ Σ ((ln θⱼ − centreⱼ) ÷ spread)².

    L-BFGS-B on ln θ from every start, the best polished by Nelder–Mead; the covariance of ln θ is the inverse
    of the numerical Hessian there. The log-likelihood reported is without the prior.

    Args:
        log_likelihood: of the parameters in the order of `names`.
        names: of the parameters.
        customers: how many; the objective is divided by it.
        starts: points to start from.
        prior: or None for plain maximum likelihood.
        polish: evaluations that the polishing may take.

    Raises:
        UnfitData: no finite optimum; the data do not tell the parameters apart.
    """
    centre = np.array([prior.centre.get(name, 0.0) for name in names]) if prior else np.zeros(len(names))
    weight = 1 / prior.spread**2 if prior else 0.0

    def objective(logs: Vector) -> float:
        value = log_likelihood(np.exp(logs)) - 0.5 * weight * float(np.sum((logs - centre) ** 2))
        return -value / customers if np.isfinite(value) else 1e10

    limits = [(-FARTHEST, FARTHEST)] * len(names)
    tried = [minimize(objective, np.log(start), method="L-BFGS-B", bounds=limits) for start in starts]
    best = min(tried, key=lambda one: float(one.fun)).x
    options = {"xatol": 1e-7, "fatol": 1e-13, "maxiter": polish, "maxfev": polish}
    logs = np.asarray(minimize(objective, best, method="Nelder-Mead", options=options).x)
    hessian = _hessian(objective, logs) * customers
    if np.max(np.abs(logs)) >= FARTHEST or np.linalg.eigvalsh(hessian)[0] <= 0:
        found = {name: float(f"{value:.3g}") for name, value in zip(names, np.exp(logs), strict=True)}
        raise UnfitData(
            f"{customers:g} customers do not tell the parameters apart (search ended at {found}); "
            "give more customers or a longer period, or a prior: Prior({}) or Prior.pooled(estimate of all)"
        )
    values = dict(zip(names, map(float, np.exp(logs)), strict=True))
    covariance = np.asarray(np.linalg.inv(hessian), dtype=np.float64)
    return Estimate(values, float(log_likelihood(np.exp(logs))), customers, covariance)


def _hessian(objective: Callable[[Vector], float], at: Vector) -> NDArray[np.float64]:
    size = len(at)
    steps = np.eye(size) * STEP
    result = np.empty((size, size))
    for i in range(size):
        for j in range(i, size):
            near = objective(at + steps[i] + steps[j]) + objective(at - steps[i] - steps[j])
            far = objective(at + steps[i] - steps[j]) + objective(at - steps[i] + steps[j])
            result[i, j] = result[j, i] = (near - far) / (4 * STEP**2)
    return result
