from typing import Any

from pyspark.sql import functions as F

from lakehouse.declare import Fitted, NotEnoughData, Snapshot, model

FEWEST_WEEKS = 52


@model(
    owner="marketing",
    parameters={"lags": 8, "media_share": 0.3},
    assumes=[
        "Effects are constant over time: spend carries over by weeks and saturates in one of the forms compared.",
        "Spend that follows demand is told apart from spend that makes it by controls and experiments only.",
    ],
    limits=[
        "Curves beyond the largest spend seen are the form's word, not the data's.",
        "Channels that always move together cannot be told apart.",
    ],
)
def media_mix(agg_channel_performance_daily: Snapshot, parameters: dict[str, Any]) -> Fitted:
    """What each paid channel adds to revenue: weekly sales as baseline plus carried-over, saturating spend, in several forms that
    are stacked by foresight. Draws that do not converge are refused, and the version before stays."""
    from lakehouse.science.media_mix.data import from_frame
    from lakehouse.science.media_mix.mix import fit_media_mix
    from lakehouse.science.media_mix.outcomes import out_of_time, returns
    from lakehouse.science.media_mix.priors import from_spend
    from lakehouse.science.media_mix.report import media_mix_report
    from lakehouse.science.media_mix.served import QUESTIONS, ServedMix
    from lakehouse.science.media_mix.weeks import whole_weeks

    daily = agg_channel_performance_daily.select(
        "date_id", "channel", F.col("spend").cast("double").alias("spend"), F.col("revenue").cast("double").alias("revenue")
    )
    spend, revenue = whole_weeks(daily.toPandas())
    paid = sorted(name for name, total in spend.sum().items() if total > 0)
    if len(spend) < FEWEST_WEEKS or not paid:
        raise NotEnoughData(
            f"media_mix: {len(spend)} whole weeks and {len(paid)} channels with spend; {FEWEST_WEEKS} weeks and one channel are needed. "
            "Wait, or load more history (lakehouse backfill)."
        )
    frame = spend[paid].assign(revenue=revenue).reset_index()
    data = from_frame(frame, date="week", target="revenue", channels=paid)
    mix = fit_media_mix(data, priors=from_spend(data, parameters["media_share"]), lags=parameters["lags"])
    found, seen = returns(mix), out_of_time(mix)
    metrics = {"weeks": float(len(spend)), "channels": float(len(paid)), "forms": float(len(mix.fits))}
    metrics |= {"out_of_time_error": float(seen["absolute_error"].min()), "worst_r_hat": max(p.diagnosis.r_hat for p in mix.fits)}
    metrics |= {f"roas_{name}": float(value) for name, value in zip(found["channel"], found["roas"], strict=True)}
    return Fitted(ServedMix.of(mix), QUESTIONS, metrics, {"report.html": media_mix_report(mix)})
