"""The media mix on the scorecard's market of 130 weeks and five channels: one form, and the default stack with its foresight."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from lakehouse.science.media_mix import sampling
from lakehouse.science.media_mix.mix import FORMS, fit_media_mix
from tests.bench import cpu
from tests.bench.figure import Figure
from tests.scorecard.company import company

SEED = 101


def figures() -> Iterator[Figure]:
    """Each from nothing: models compiled for it are forgotten in between (the compiler's cache on disk stays)."""
    data = company("base", SEED).data
    for what, goal, forms in (("one form of the media mix", 120.0, FORMS[:1]), ("its stack of three, with foresight", 300.0, FORMS)):
        sampling._compiled.cache_clear()
        begun, used = time.perf_counter(), time.process_time() + cpu.of_children()
        mix = fit_media_mix(data, forms=forms)
        seconds = time.perf_counter() - begun
        spent = f"{time.process_time() + cpu.of_children() - used:.0f} CPU-s"
        worst = max(fit.diagnosis.r_hat for fit in mix.fits)
        how = f"{spent}; {len(mix.fits)} converged (worst r-hat {worst:.3f}), {len(data.dates)} weeks, {len(data.channels)} channels"
        yield Figure(what, goal, seconds, "s", f"{how}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
