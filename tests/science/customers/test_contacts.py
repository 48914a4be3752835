"""Fatigue, permission, and one decision per customer whatever the channel asks."""

import numpy as np
import pandas as pd
import pytest

from lakehouse.science.unfit import UnfitData
from lakehouse.science.uplift import Limits, decide, fit_fatigue, opens_tire, pressure
from lakehouse.science.uplift.offers import next_best


def campaign(rate: float, n: int = 40_000, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    load = draw.gamma(1.0, 1.5, n)
    treated = (draw.random(n) < 0.5).astype(int)
    p = 0.10 + 0.01 * load.clip(0, 5) + treated * 0.10 * np.exp(-rate * load)
    return load, treated, (draw.random(n) < p).astype(float)


def test_a_contact_counts_half_after_its_half_life_and_later_ones_are_not_seen():
    contacts = pd.DataFrame({"customer_id": ["a", "a", "b"], "contacted_at": ["2026-10-01", "2026-10-08", "2026-10-09"]})
    found = pressure(contacts, "2026-10-08T00:00:01")
    assert found["a"] == pytest.approx(1.5, abs=1e-4) and found["b"] == 0


def test_the_rate_of_fatigue_is_recovered_within_its_interval():
    inside = []
    for seed in range(4):
        found = fit_fatigue(*campaign(0.4, seed=seed))
        inside.append(found.low <= 0.4 <= found.high)
        assert found.left([0.0, 3.0])[0] == 1
    assert sum(inside) >= 3


def test_no_fatigue_is_not_invented_and_a_campaign_without_effect_tells_nothing():
    assert fit_fatigue(*campaign(0.0)).low < 0.03
    load, treated, _ = campaign(0.0)
    noise = np.random.default_rng(9).random(len(load)) < 0.1
    with pytest.raises(UnfitData, match="moved nobody"):
        fit_fatigue(load, treated, noise.astype(float))


def lot_drawn_once(rate: float, seed: int, n: int = 4000) -> pd.DataFrame:
    """Offers to all, newsletters to who the lot lets have them; the more active agree to more mails and open more."""
    draw = np.random.default_rng(seed)
    lot, active = (draw.random(n) < 0.75).astype(float), draw.gamma(4.0, 0.25, n)
    load = 1 + 0.8 * active + 4 * lot
    mails = draw.integers(1, 5, n)
    opened = draw.binomial(mails, np.clip(0.35 * active * np.exp(-rate * load), 0, 1))
    return pd.DataFrame({"lot": lot, "mails": mails, "opened": opened, "pressure": load})


def test_how_attention_tires_is_told_by_a_lot_drawn_once_and_not_by_who_agrees_to_more():
    told = [opens_tire(lot_drawn_once(0.08, seed)) for seed in range(40)]
    none = [opens_tire(lot_drawn_once(0.0, 100 + seed)) for seed in range(40)]
    inside, invented = sum(f.low <= 0.08 <= f.high for f in told), sum(f.told() for f in none)
    print(f"planted .08: {np.mean([f.rate for f in told]):.3f}, in the interval {inside} of 40; invented {invented} of 40")
    assert inside >= 35 and sum(f.told() for f in told) >= 35 and invented <= 3
    assert told[0].left([told[0].usual, told[0].usual + 3])[0] == 1 > told[0].left([told[0].usual + 3])[0]
    few = lot_drawn_once(0.08, 1, n=60)
    with pytest.raises(UnfitData, match="30 customers and 20 opens"):
        opens_tire(few)
    with pytest.raises(UnfitData, match="make a difference"):
        opens_tire(lot_drawn_once(0.0, 1).assign(pressure=2.0))


def test_web_mobile_mail_and_shop_read_one_decision_of_a_channel_that_may_be_used():
    customers = pd.Index(["anna", "ben", "clara"])
    effects = pd.DataFrame({"mail": [0.5, 0.5, 0.1], "mobile": [0.3, 0.3, 0.05], "shop": [0.2, 0.2, 0.2]}, index=customers)
    allowed = pd.DataFrame({"mail": [True, False, True], "mobile": True, "shop": [True, True, False]}, index=customers)
    costs = {"mail": 0.1, "mobile": 0.1, "shop": 0.5}
    made = decide(effects, [10.0, 10.0, 10.0], costs, allowed=allowed)
    assert made.index.is_unique and made["offer"].to_list() == ["mail", "mobile", "mail"]
    nobody = decide(effects, [10.0] * 3, costs, allowed=allowed & False)
    assert set(nobody["reason"]) == {"not allowed"} and set(nobody["offer"]) == {"none"}
    with pytest.raises(UnfitData, match="allowed"):
        decide(effects, [10.0] * 3, costs, allowed=allowed.drop(columns="shop"))


def test_the_tired_get_what_still_pays_or_nothing():
    effects = pd.DataFrame({"mail": [0.5, 0.5]}, index=["fresh", "tired"])
    made = decide(effects, [1.0, 1.0], {"mail": 0.2}, tiredness=[1.0, 0.3], recent_contacts=[0, 3], limits=Limits())
    assert made["offer"].to_list() == ["mail", "none"]
    assert made.loc["fresh", "net_gain"] == pytest.approx(0.3)


def test_who_had_enough_mails_or_refused_them_is_not_mailed():
    rows = pd.DataFrame(
        {
            "customer_id": ["fresh", "tired", "bounced"], "effect": 20.0, "has_email_consent": 1, "visits_28d": [0, 0, 2],
            "phone_visit_share_28d": 1.0, "orders_28d": 0, "mails_7d": [3, 4, 0], "refuses_mail": [0, 0, 1],
        }
    )  # fmt: skip
    offers = {"mail: newsletter": (1.0, 0.5)} | {f"{place}: invitation": (0.1, 0.05) for place in ("web", "mobile", "shop")}
    made = next_best(rows, offers, margin=0.4, budget=100.0, contacts=4).set_index("customer_id")
    assert made["offer"].to_dict() == {"fresh": "mail: newsletter", "tired": "none", "bounced": "mobile: invitation"}
    assert made.loc["tired", "reason"] == "contact limit"
