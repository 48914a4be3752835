from lakehouse.declare import Fitted, NotEnoughData, Snapshot, model

from ..gold.fct_geo_results import around_campaigns


@model(
    owner="crm",
    tags="market",
    assumes=[
        "The variant, or being held out, was drawn by lot for each customer, and nobody's mail changes what another does.",
        "Towns with a campaign would have gone on as the mixture of the others that resembled them before.",
    ],
    limits=[
        "What happened within the days counted, by people whose programs do not hide it; lasting effects are told by lots held for good.",
        "What else began in a campaign's towns on its first day is not told apart from it.",
    ],
)
def experiment_readings(
    fct_experiment_results: Snapshot, fct_holdout_value: Snapshot, campaign_markets: Snapshot, store_sales: Snapshot
) -> Fitted:
    """A report page for each experiment: campaigns sent in variants, run in some towns only, or withheld by lot: who got which,
    what changed, how sure, in words and charts."""
    from lakehouse.science.charts import together
    from lakehouse.science.experiments.holdout_report import holdout_report
    from lakehouse.science.experiments.reading import FEWEST, FIGURES, variants_report
    from lakehouse.science.experiments.town_report import towns_report

    results = fct_experiment_results.select(*FIGURES).where("sample_ratio <> 'blocked'").toPandas()
    results = results.sort_values(["experiment", "kpi", "arm"], ignore_index=True)
    pages: dict[str, str] = {}
    metrics: dict[str, float] = {}
    for campaign, rows in results.groupby("experiment"):
        pages[str(campaign)] = variants_report(rows)
        metrics |= {f"{campaign}_{row['kpi']}_{row['arm']}": float(row["effect"]) for _, row in rows.iterrows()}
    for campaign, rows in fct_holdout_value.toPandas().groupby("campaign"):
        pages[f"{campaign} by lot"] = holdout_report(str(campaign), rows)
        worth = float(rows.sort_values("period")["cumulative"].iloc[-1])
        metrics |= {f"{campaign} by lot_cumulative": worth} if worth == worth else {}
    for campaign, daily in around_campaigns(campaign_markets, store_sales).toPandas().groupby("campaign"):
        found = towns_report(str(campaign), daily)
        pages |= {str(campaign): found} if found else {}
    if not pages:
        raise NotEnoughData(
            f"experiment_readings: no experiment to show: a campaign in variants needs {FEWEST} mails of each whose days are over, and a "
            "sound sample ratio (those withheld are in fct_experiment_results); one in some towns has to be over; one withheld by lot "
            "needs customers drawn. Wait, or load more history."
        )
    files = {f"{_plain(name)}.html": text for name, text in pages.items()}
    return Fitted(results, ("experiment",), metrics, {**files, "report.html": together("Experiments", pages)})


def _plain(name: str) -> str:
    """A name of a file."""
    return "".join(c if c.isalnum() or c in "-._" else "_" for c in name)
