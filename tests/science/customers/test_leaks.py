"""A leak planted on purpose in each of five ways is caught, and honest rows pass."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.propensity.leaks import (
    LeakFound,
    labels_known_by,
    no_column_tells_alone,
    nothing_known_later,
    rows_apart,
    same_when_replayed,
)

MOMENT = pd.Timestamp("2026-10-01", tz="UTC")


def orders(n: int = 3000) -> pd.DataFrame:
    """Orders of 300 customers around the moment; some are recorded a day after they were placed."""
    draw = np.random.default_rng(4)
    at = MOMENT + pd.to_timedelta(draw.uniform(-28, 30, n), unit="D")
    late = np.where(draw.random(n) < 0.05, 1.2, 0.0)
    rate = draw.gamma(1.0, 1.0, 300)
    who = draw.choice(300, n, p=rate / rate.sum())
    return pd.DataFrame({"customer": who, "ordered_at": at, "recorded_at": at + pd.to_timedelta(late, unit="D")})


def counted(used: pd.DataFrame) -> pd.DataFrame:
    return used.groupby("customer").agg(orders=("recorded_at", "size"), known_until=("recorded_at", "max"))


def label(rows: pd.DataFrame, of: pd.Index) -> np.ndarray:
    later = rows[(rows.recorded_at >= MOMENT) & (rows.recorded_at < MOMENT + pd.Timedelta("10D"))]
    return np.asarray(of.isin(later.customer.unique()).astype(int))


def test_honest_features_pass_every_check():
    seen = orders()
    features = counted(seen[seen.recorded_at < MOMENT])
    nothing_known_later(features.known_until, pd.Series(MOMENT, index=features.index))
    alone = no_column_tells_alone(features[["orders"]], label(seen, features.index))
    assert 0.6 < alone["orders"] < 0.95
    then = counted(seen[seen.recorded_at < MOMENT]).reset_index()
    same_when_replayed(features.reset_index(), then, ["customer"])


def test_first_way_a_window_that_reaches_past_the_moment_is_caught():
    features = counted(orders())
    with pytest.raises(LeakFound, match="recorded later"):
        nothing_known_later(features.known_until, pd.Series(MOMENT, index=features.index))


def test_second_way_a_record_dated_back_is_caught():
    seen = orders()
    features = counted(seen[seen.ordered_at < MOMENT])  # by the time of the event, not of recording
    with pytest.raises(LeakFound, match="recorded_at < moment"):
        nothing_known_later(features.known_until, pd.Series(MOMENT, index=features.index))


def test_third_way_todays_value_in_place_of_the_one_then_is_caught():
    then = pd.DataFrame({"customer": range(100), "segment": ["student"] * 100})
    now = then.assign(segment=["student"] * 93 + ["business"] * 7)
    with pytest.raises(LeakFound, match=r"'segment' of 7 of 100 rows.*valid_from"):
        same_when_replayed(now, then, ["customer"])


def test_fourth_way_a_column_made_from_the_label_is_caught_also_as_a_text_or_a_gap():
    seen = orders()
    features = counted(seen[seen.recorded_at < MOMENT])[["orders"]]
    y = label(seen, features.index)
    draw = np.random.default_rng(1)
    proxies = {
        "number": y + draw.normal(0, 0.1, len(y)),
        "text": np.where(y == 1, "thank-you mail", "reminder"),
        "gap": np.where(y == 1, 1.0, np.nan),
    }
    for name, values in proxies.items():
        with pytest.raises(LeakFound, match=f"'{name}' alone ranks the label"):
            no_column_tells_alone(features.assign(**{name: values}), y)
    no_column_tells_alone(features.assign(number=proxies["number"]), y, allowed={"number": 1.0})


def test_fifth_way_the_answers_of_the_check_in_training_are_caught():
    days = pd.Series(pd.to_datetime(["2026-08-01", "2026-08-20", "2026-09-05"]))
    with pytest.raises(LeakFound, match="1 of 3 training rows have labels that end after 2026-10-01"):
        labels_known_by(days, "30D", "2026-10-01")
    labels_known_by(days[:2], "30D", "2026-10-01")
    rows = pd.DataFrame({"customer": [1, 2, 3], "day": ["a", "a", "b"]})
    with pytest.raises(LeakFound, match="1 rows are in both"):
        rows_apart(rows[:2], rows[1:], ["customer", "day"])
    rows_apart(rows[:2], rows[2:], ["customer", "day"])


def test_people_who_came_later_or_were_dropped_since_are_caught_and_erased_ones_are_not():
    then = pd.DataFrame({"customer": range(100), "orders": 1})
    with pytest.raises(LeakFound, match="1 rows of today's computation were not there then"):
        same_when_replayed(pd.DataFrame({"customer": range(101), "orders": 1}), then, ["customer"])
    with pytest.raises(LeakFound, match="5 of 100 rows of then are missing"):
        same_when_replayed(then[5:], then, ["customer"])
    same_when_replayed(then[1:], then, ["customer"], gone=0.02)
