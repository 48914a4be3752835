"""From data to one answer: several forms fitted, judged by foresight, stacked, and the answer's dependence on the form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lakehouse.science.media_mix.baseline import Baseline
from lakehouse.science.media_mix.data import MediaData
from lakehouse.science.media_mix.future import Foresight, foresee, stacking
from lakehouse.science.media_mix.lift import LiftTest, rows
from lakehouse.science.media_mix.model import Form
from lakehouse.science.media_mix.priors import Priors, pooled
from lakehouse.science.media_mix.sampling import Contract, Effort, Posterior, Unconverged, sample, setting

Floats = npt.NDArray[np.float64]
FORMS = (Form("hill"), Form("logistic"), Form("exponential"))


@dataclass(frozen=True)
class MediaMix:
    """Forms' posteriors with their weights; `parts` holds as many draws of each as its weight says.

    foresight: per form, where it was judged. left_out: forms that did not converge, and why.
    """

    data: MediaData
    fits: tuple[Posterior, ...]
    weights: Floats
    parts: tuple[Posterior, ...]
    foresight: tuple[Foresight, ...] = ()
    tests: tuple[LiftTest, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    def draws(self, of: Callable[[Posterior], Floats]) -> Floats:
        """`of` each part, one below the other: (S, …)."""
        return np.concatenate([of(part) for part in self.parts])


def stacked(
    fits: Sequence[Posterior],
    weights: Floats,
    *,
    draws: int = 800,
    foresight: Sequence[Foresight] = (),
    tests: Sequence[LiftTest] = (),
    left_out: dict[str, str] | None = None,
) -> MediaMix:
    """The mixture of the fits: draws in proportion to weights."""
    parts = tuple(fit.thinned(round(draws * weight)) for fit, weight in zip(fits, weights, strict=True) if round(draws * weight) > 0)
    data = fits[0].setting.data
    return MediaMix(data, tuple(fits), np.asarray(weights), parts, tuple(foresight), tuple(tests), left_out or {})


def fit_media_mix(
    data: MediaData,
    *,
    forms: Sequence[Form] = FORMS,
    tests: Sequence[LiftTest] = (),
    priors: Priors | None = None,
    baseline: Baseline | None = None,
    lags: int = 8,
    holdout: int | None = None,
    effort: Effort | None = None,
    contract: Contract | None = None,
    draws: int = 800,
) -> MediaMix:
    """Fit every form, judge each on the last `holdout` periods (an eighth of the data, 8 to 26), stack.

    priors: `pooled` unless given. A form that does not converge is left out and named in the result; when none converges,
    `Unconverged` says why.
    """
    evidence = rows(data, tests, lags)
    last = holdout or min(26, max(8, len(data.dates) // 8))
    fits: list[Posterior] = []
    seen: list[Foresight] = []
    left_out: dict[str, str] = {}
    for form in forms:
        s = setting(data, form, priors or pooled(data), baseline or Baseline(), lags, evidence)
        try:
            fitted = sample(s, effort, contract)
            judged = foresee(s, len(data.dates) - last, effort, contract) if len(forms) > 1 or holdout else None
        except Unconverged as why:
            left_out[str(form)] = str(why)
            continue
        fits.append(fitted)
        seen += [judged] if judged else []
    if not fits:
        raise Unconverged("media mix: no form converged. " + " ".join(left_out.values()))
    weights = stacking(np.stack([f.score for f in seen])) if len(fits) > 1 else np.ones(1)
    return stacked(fits, weights, draws=draws, foresight=seen, tests=tests, left_out=left_out)
