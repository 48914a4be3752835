import pandas as pd
import pytest

from lakehouse.science.attribution.breakdown import break_down
from lakehouse.science.attribution.journeys import ChannelRule, build_journeys, name_channels
from lakehouse.science.attribution.methods import METHODS, attribute


def touches(*rows):
    frame = pd.DataFrame(rows, columns=["customer", "at", "channel"])
    return frame.assign(at=pd.to_datetime(frame["at"]))


def conversions(*rows):
    frame = pd.DataFrame(rows, columns=["customer", "at", "value"])
    return frame.assign(at=pd.to_datetime(frame["at"]))


def as_text(journeys):
    paths = journeys.paths
    names = [paths.channels[touch] for touch in paths.touch]
    return [(" > ".join(names[a:b]), int(won)) for a, b, won in zip(paths.start[:-1], paths.start[1:], paths.converted, strict=True)]


def test_a_journey_ends_at_its_conversion_and_the_next_begins_after_it():
    journeys = build_journeys(
        touches(("x", "2026-01-01", "ads"), ("x", "2026-01-02", "mail"), ("x", "2026-01-05", "ads")),
        conversions(("x", "2026-01-02", 10.0), ("x", "2026-01-06", 20.0)),
    )
    assert as_text(journeys) == [("ads > mail", 1), ("ads", 1)]
    assert journeys.paths.value.tolist() == [10.0, 20.0]
    assert journeys.paths.age.tolist() == [1.0, 0.0, 1.0]


def test_a_touch_older_than_the_look_back_earns_nothing():
    journeys = build_journeys(
        touches(("x", "2026-01-01", "ads"), ("x", "2026-03-01", "mail")),
        conversions(("x", "2026-03-02", 10.0)),
        lookback_days=30,
    )
    assert as_text(journeys) == [("ads", 0), ("mail", 1)]


def test_customers_do_not_share_journeys():
    journeys = build_journeys(
        touches(("x", "2026-01-01", "ads"), ("y", "2026-01-02", "mail")),
        conversions(("y", "2026-01-03", 5.0)),
    )
    assert as_text(journeys) == [("ads", 0), ("mail", 1)]
    assert journeys.paths.customer.tolist() == [0, 1]


def test_a_conversion_nobody_touched_is_counted_apart():
    journeys = build_journeys(touches(("x", "2026-01-01", "ads")), conversions(("x", "2026-06-01", 7.0), ("z", "2026-01-01", 2.0)))
    assert journeys.unattributed == 2
    assert journeys.unattributed_value == 9.0


def test_a_journey_still_open_can_be_left_out():
    given = (
        touches(("x", "2026-01-01", "ads"), ("y", "2026-03-30", "mail")),
        conversions(("z", "2026-03-31", 1.0)),
    )
    assert as_text(build_journeys(*given)) == [("ads", 0), ("mail", 0)]
    assert as_text(build_journeys(*given, keep_open=False)) == [("ads", 0)]


def test_a_silence_longer_than_the_look_back_parts_two_lost_journeys():
    journeys = build_journeys(
        touches(("x", "2026-01-01", "ads"), ("x", "2026-01-09", "ads"), ("x", "2026-04-01", "mail")),
        conversions(("z", "2026-01-01", 1.0)),
    )
    assert as_text(journeys) == [("ads > ads", 0), ("mail", 0)]


def test_the_first_rule_that_fits_names_the_channel():
    seen = pd.DataFrame({"medium": ["cpc", "email", None], "source": ["google", "crm", "google"]})
    rules = [
        ChannelRule("paid search", {"medium": "^cpc$", "source": "google"}),
        ChannelRule("search", {"source": "google"}),
        ChannelRule("email", {"medium": "mail"}),
    ]
    assert name_channels(seen, rules).tolist() == ["paid search", "email", "search"]
    with pytest.raises(ValueError, match=r"reads \['campaign'\]; touches have medium, source"):
        name_channels(seen, [ChannelRule("x", {"campaign": "."})])


@pytest.mark.parametrize("method", list(METHODS))
def test_credit_by_campaign_and_day_sums_to_the_credit_of_the_channel(method):
    seen = touches(
        ("x", "2026-01-01", "ads"), ("x", "2026-01-02", "mail"), ("x", "2026-01-03", "ads"),
        ("y", "2026-01-02", "mail"), ("z", "2026-01-03", "ads"), ("z", "2026-01-03", "social"),
    ).assign(campaign=["a1", "m1", "a2", "m1", "a1", None])  # fmt: skip
    journeys = build_journeys(seen, conversions(("x", "2026-01-04", 30.0), ("z", "2026-01-05", 10.0)))
    detail = break_down(journeys.paths, journeys.touches, method)
    whole = attribute(journeys.paths, [method]).set_index("channel")
    summed = detail.groupby("channel")[["conversions", "value"]].sum()
    for figure in ("conversions", "value"):
        assert summed[figure].to_dict() == pytest.approx(whole[figure].to_dict())
    assert set(detail.columns) == {"channel", "campaign", "day", "conversions", "value"}


def test_a_column_touches_do_not_have_is_named():
    journeys = build_journeys(touches(("x", "2026-01-01", "ads")), conversions(("x", "2026-01-02", 1.0)))
    with pytest.raises(ValueError, match=r"touches lack \['campaign'\]"):
        break_down(journeys.paths, journeys.touches, "linear")


def test_clocks_of_different_units_meet():
    coarse = touches(("x", "2026-01-01", "ads"))
    coarse["at"] = coarse["at"].dt.as_unit("us")
    journeys = build_journeys(coarse, conversions(("x", "2026-01-02", 1.0)))
    assert as_text(journeys) == [("ads", 1)]


def test_no_conversions_at_all_leave_lost_journeys():
    journeys = build_journeys(touches(("x", "2026-01-01", "ads")), conversions())
    assert as_text(journeys) == [("ads", 0)]
    assert (journeys.unattributed, journeys.unattributed_value) == (0, 0.0)
