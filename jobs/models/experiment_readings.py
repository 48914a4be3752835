from lakehouse.declare import Fitted, NotEnoughData, Snapshot, model


@model(
    owner="crm",
    tags="market",
    assumes=["The variant was drawn by lot for each customer, and nobody's mail changes what another does."],
    limits=["What happened within the days counted, by people whose programs do not hide it; lasting effects are not told."],
)
def experiment_readings(fct_experiment_results: Snapshot) -> Fitted:
    """A report page for each campaign sent in variants: who got which, what changed, how sure, in words and charts."""
    from lakehouse.science.experiments.reading import FEWEST, FIGURES, variants_report

    results = fct_experiment_results.select(*FIGURES).where("sample_ratio <> 'blocked'").toPandas()
    if results.empty:
        raise NotEnoughData(
            f"experiment_readings: fct_experiment_results has no result to show: a campaign needs {FEWEST} mails of each variant whose "
            "days are over, and a sound sample ratio (those withheld are in the table). Wait, or load more history."
        )
    results = results.sort_values(["experiment", "kpi", "arm"], ignore_index=True)
    pages = {f"{campaign}.html": variants_report(rows) for campaign, rows in results.groupby("experiment")}
    metrics = {f"{row['experiment']}_{row['kpi']}_{row['arm']}": float(row["effect"]) for _, row in results.iterrows()}
    return Fitted(results, ("experiment",), metrics, {**pages, "report.html": next(iter(pages.values()))})
