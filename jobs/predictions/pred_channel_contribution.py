from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lakehouse.declare import Column, Model, Snapshot, at_least, references, table

FIGURES = (
    "contribution", "contribution_low", "contribution_high",
    "roas", "roas_low", "roas_high", "marginal_roas", "marginal_roas_low", "marginal_roas_high",
)  # fmt: skip


@table(
    key=("channel", "week_start"),
    owner="marketing",
    refresh="nightly",
    columns=[
        Column("channel", "string", "Marketing channel with spend."),
        Column("week_start", "date", "Monday of the week."),
        Column("spend", "decimal(22,2)", "Spent in the week, EUR.", at_least(0)),
        Column("contribution", "double", "Revenue the channel's spend, earlier weeks' included, brought in the week, EUR."),
        Column("contribution_low", "double", "Lower end of its 90 % interval."),
        Column("contribution_high", "double", "Upper end of its 90 % interval."),
        Column("roas", "double", "Contribution ÷ spend of the channel over the model's whole time."),
        Column("roas_low", "double", "Lower end of its 90 % interval."),
        Column("roas_high", "double", "Upper end of its 90 % interval."),
        Column("marginal_roas", "double", "What a further euro would have brought, over the model's whole time."),
        Column("marginal_roas_low", "double", "Lower end of its 90 % interval."),
        Column("marginal_roas_high", "double", "Upper end of its 90 % interval."),
        Column("model_version", "int", "Version of media_mix that computed it."),
    ],
    checks=[references("dim_channel", "channel")],
)
def pred_channel_contribution(agg_channel_performance_daily: Snapshot, media_mix: Model) -> DataFrame:
    """What each channel brought, week by week, and what it returns, as the media mix model served sees it."""
    weeks = (
        agg_channel_performance_daily.where("spend > 0")
        .groupBy("channel", F.expr("CAST(date_trunc('WEEK', date_id) AS date)").alias("week_start"))
        .agg(F.sum("spend").cast("decimal(22,2)").alias("spend"))
        .selectExpr(
            "*",
            "CAST(crc32(channel) AS double) AS channel_code",
            "CAST(date_diff(week_start, DATE'1970-01-01') AS double) AS days_since_1970",
        )
    )
    answered = media_mix.table(weeks, ", ".join(f"{name} double" for name in FIGURES))
    known = answered.where("contribution IS NOT NULL")
    return known.select("channel", "week_start", "spend", *FIGURES, F.lit(media_mix.version).alias("model_version"))
