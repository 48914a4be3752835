from lakehouse.declare import Fitted, NotEnoughData, Snapshot, model

from ..gold.fct_experiment_results import DAYS, mails


@model(owner="crm", tags="market")
def experiment_readings(email_events: Snapshot) -> Fitted:
    """A report page for each campaign sent in variants: who got which, what changed, how sure, in words and charts."""
    from lakehouse.science.experiments.reading import FEWEST, read_variants
    from lakehouse.science.experiments.report import experiment_report

    pages, metrics, tables = {}, {}, []
    for campaign, sent in mails(email_events).toPandas().groupby("campaign"):
        read = read_variants(str(campaign), sent)
        if read is not None and read[2].state != "blocked":
            rows, plan, ratio = read
            tables.append(rows)
            metrics |= {f"{campaign}_{row['kpi']}_{row['arm']}": float(row["effect"]) for _, row in rows.iterrows()}
            pages[f"{campaign}.html"] = experiment_report(plan, rows, ratio, sent)
    if not pages:
        raise NotEnoughData(
            f"experiment_readings: no campaign has {FEWEST} mails of each variant sent {DAYS} days before the newest event whose sample "
            "ratio is sound (fct_experiment_results has those withheld). Wait, or load more history."
        )
    return Fitted(tables, ("campaign",), metrics, {**pages, "report.html": next(iter(pages.values()))})
