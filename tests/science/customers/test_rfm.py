"""RFM: the published table of the CDNOW sample, and scores that depend on nothing but the customers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.propensity import UnfitData
from lakehouse.science.segmentation import rfm, rfm_scores, value_tiers


def cdnow_purchases(data: Path) -> pd.DataFrame:
    names = ["master_id", "customer_id", "day", "cds", "amount"]
    lines = pd.read_csv(data / "cdnow_sample/CDNOW_sample.txt", sep=r"\s+", names=names, dtype={"day": str})
    return lines.assign(ordered_at=pd.to_datetime(lines.day, format="%Y%m%d"))


def test_the_cdnow_sample_gives_its_published_recency_frequency_table(shared_data):
    """Source: Fader & Hardie's summary of the sample; first 39 weeks; times within 0.005."""
    table = rfm(cdnow_purchases(shared_data), as_of="1997-09-30", unit_days=7)
    published = pd.read_csv(shared_data / "cdnow_sample" / "cdnow_customers_summary_with_transactions.csv").set_index("ID")
    assert len(table) == len(published) == 2357
    assert (table.x.to_numpy() == published.x.to_numpy()).all()
    assert np.abs(table.t_x.to_numpy() - published.t_x.to_numpy()).max() <= 0.0051
    assert np.abs(table["T"].to_numpy() - published["T"].to_numpy()).max() <= 0.0051
    assert np.abs(table.zbar.to_numpy() - published.zbar.to_numpy()).max() <= 0.0051
    assert (table.x > 0).sum() == 946


def purchases() -> pd.DataFrame:
    rows = [
        ("a", "2026-01-01 08:00", 10.0), ("a", "2026-01-01 20:00", 5.0), ("a", "2026-01-11", 30.0),
        ("b", "2026-01-05", 7.0), ("c", "2026-01-31 23:59", 1.0), ("c", "2026-02-01", 99.0),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.assign(ordered_at=pd.to_datetime(frame.ordered_at, format="mixed", utc=True))


def test_purchases_of_one_day_are_one_occasion_and_later_ones_are_not_seen():
    table = rfm(purchases(), as_of="2026-01-31")
    assert table.loc["a", ["recency_days", "tenure_days", "frequency", "monetary"]].tolist() == [
        20,
        30,
        2,
        45,
    ]
    assert table.loc["a", ["x", "t_x", "T", "zbar"]].tolist() == [1, 10, 30, 30]
    assert table.loc["c", ["recency_days", "frequency", "monetary", "zbar"]].tolist() == [0, 1, 1, 0]


def test_the_order_of_purchases_changes_nothing():
    draw = np.random.default_rng(1)
    lines = pd.DataFrame(
        {
            "customer_id": draw.integers(0, 50, 900),
            "ordered_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(draw.integers(0, 60, 900), unit="D"),
            "amount": draw.gamma(2, 10, 900),
        }
    )
    pd.testing.assert_frame_equal(
        rfm(lines, as_of="2026-02-20"),
        rfm(lines.sample(frac=1, random_state=3), as_of="2026-02-20"),
        check_exact=True,
    )


def test_equal_customers_have_equal_scores_and_rows_may_come_in_any_order():
    draw = np.random.default_rng(2)
    table = pd.DataFrame(
        {
            "recency_days": draw.integers(0, 9, 400),
            "frequency": draw.geometric(0.5, 400),
            "monetary": draw.integers(1, 30, 400) * 5.0,
        },
        index=[f"c{i:03}" for i in range(400)],
    )
    scores = rfm_scores(table)
    assert scores.groupby(table.frequency).f.nunique().max() == 1
    assert scores.f.is_monotonic_increasing or (scores.f.corr(table.frequency) > 0)
    assert (scores.r[table.recency_days == 0].min()) > scores.r[table.recency_days == 8].max()
    for ties in ("together", "even"):
        once, again = (
            rfm_scores(table, ties=ties),
            rfm_scores(table.sample(frac=1, random_state=5), ties=ties),
        )
        pd.testing.assert_frame_equal(once, again.loc[once.index])
    assert rfm_scores(table, ties="even").f.value_counts().tolist() == [80] * 5


def test_tiers_have_their_shares_and_the_best_first():
    value = pd.Series(np.arange(200) // 4, index=range(200))
    tiers = value_tiers(value)
    assert tiers.value_counts().to_dict() == {"low": 100, "middle": 60, "high": 30, "top": 10}
    assert value[tiers == "top"].min() >= value[tiers == "high"].max()
    pd.testing.assert_series_equal(value_tiers(value[::-1]).sort_index(), tiers)


def test_purchases_without_a_customer_are_refused_with_their_number():
    with pytest.raises(UnfitData, match=r"missing values \{'customer': 1\}"):
        rfm(purchases().assign(customer_id=["a", None, "a", "b", "c", "c"]), as_of="2026-01-31")
    with pytest.raises(UnfitData, match="no purchase on or before"):
        rfm(purchases(), as_of="2025-01-31")
