"""A million customers: value fitted on sufficient statistics, and scored in batches with flat memory."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import psutil

from lakehouse.delta.session import open_session
from lakehouse.science.propensity.logistic import fit_calibrated_logistic
from lakehouse.science.value.bg_nbd import fit_bg_nbd
from lakehouse.science.value.histories import Histories
from lakehouse.settings import settings
from tests.bench import cpu
from tests.bench.figure import Figure
from tests.models.at_hand import at_hand

CUSTOMERS = int(os.environ.get("LAKEHOUSE_BENCH_CUSTOMERS", "1000000"))
FEATURES = ("recency_days", "tenure_days", "orders_7d", "orders_28d", "spend_28d")


def figures() -> Iterator[Figure]:
    """Fit, then score a quarter of the customers and all of them."""
    yield from _fit()
    yield from _score()


def _fit() -> Iterator[Figure]:
    draw = np.random.default_rng(7)
    rate, leave = draw.gamma(0.25, 1 / 4.4, CUSTOMERS), draw.beta(0.8, 2.4, CUSTOMERS)
    x, last, at = np.zeros(CUSTOMERS), np.zeros(CUSTOMERS), np.zeros(CUSTOMERS)
    buying = np.ones(CUSTOMERS, dtype=bool)
    while buying.any():
        at = at + draw.exponential(1 / np.maximum(rate, 1e-12))
        buying &= at < 39
        x[buying] += 1
        last[buying] = np.ceil(at[buying])
        buying &= draw.random(CUSTOMERS) > leave
    with cpu.measured() as cost:
        rows = Histories.of(x, last, np.full(CUSTOMERS, 39.0)).distinct()
        model, _ = fit_bg_nbd(rows)
    found = f"r {model.r:.3f} (true .25), α {model.alpha:.2f} (4.4), a {model.a:.2f} (.8), b {model.b:.2f} (2.4)"
    how = f"{cost}; {len(rows.x):,} distinct rows; {found}"
    yield Figure(f"BG/NBD of {CUSTOMERS:,} customers", 120, cost.cpu, "CPU-s", how)


def _score() -> Iterator[Figure]:
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(draw.gamma(1.0, 5.0, (2000, len(FEATURES))), columns=list(FEATURES))
    label = draw.random(2000) < 1 / (1 + np.exp(1 - 0.2 * frame["orders_28d"]))
    version = at_hand("bench", 1, FEATURES, fit_calibrated_logistic(frame, label.astype(float)))
    peaks, spent = {}, {}
    for rows in (CUSTOMERS // 4, CUSTOMERS):
        with open_session() as spark, _watched() as peak, cpu.measured() as cost:
            columns = [f"CAST((id * {k * 7919 + 13}) % 1009 AS double) / 50 AS {name}" for k, name in enumerate(FEATURES, 1)]
            frame = spark.range(0, rows, 1, 8).selectExpr("id AS customer_id", *columns)
            found = version.score(frame, "p").selectExpr("count(*) AS n", "avg(p) AS p").collect()[0]
        assert found["n"] == rows and 0 < found["p"] < 1
        peaks[rows], spent[rows] = peak[0], cost
    largest = f"Python workers at most {peaks[CUSTOMERS] / 1e6:.0f} MB each, {peaks[CUSTOMERS // 4] / 1e6:.0f} MB with a quarter"
    how = f"{spent[CUSTOMERS]}; {largest}"
    yield Figure(f"scoring {CUSTOMERS:,} customers", 180, spent[CUSTOMERS].wall, "s", how)
    yield Figure("memory of scoring all / a quarter", 1.1, peaks[CUSTOMERS] / peaks[CUSTOMERS // 4], "ratio", how)


class _watched:
    """The largest resident memory of one Python worker of the stack's Spark server, sampled while the block runs."""

    def __enter__(self) -> list[float]:
        self.peak, self.ends = [0.0], threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()
        return self.peak

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        self.thread.join()

    def _look(self) -> None:
        folder = str(settings().home)
        while not self.ends.is_set():
            for server in psutil.process_iter(["cmdline"]):
                line = " ".join(server.info["cmdline"] or [])
                if "SparkConnectServer" in line and folder in line:
                    for one in server.children(recursive=True):
                        try:
                            self.peak[0] = max(self.peak[0], float(one.memory_info().rss))
                        except psutil.NoSuchProcess:
                            continue
            time.sleep(0.2)
