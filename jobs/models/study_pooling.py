from lakehouse.declare import Fitted, NotEnoughData, Snapshot, model


@model(
    owner="marketing",
    tags="market",
    assumes=[
        "True effects of studies of one kind differ as draws from one distribution; each study's error is known.",
        "Studies are told whatever they found; the checks for missing ones see only a marked tilt.",
    ],
    limits=["A mean over studies is no promise for a next one: its interval is the wider, given beside it."],
)
def study_pooling(fct_studies: Snapshot) -> Fitted:
    """What all studies of one kind say together, and what a further one may find: random effects with priors, with checks for missing
    studies. Waits until a measure has 10 lift tests or 15 A/B tests."""
    from lakehouse.science.pooling.answer import pool_each
    from lakehouse.science.pooling.report import pooling_report
    from lakehouse.science.pooling.served import QUESTIONS, ServedPools

    studies = fct_studies.select("kind", "measure", "study", "effect", "error").toPandas().sort_values(["kind", "measure", "study"])
    together, lacking = pool_each(studies)
    if not together:
        raise NotEnoughData(f"study_pooling: nothing to pool yet. {' '.join(lacking)} They are in fct_studies.")
    described = studies[(studies["kind"] == "descriptive") | ~(studies["error"] > 0)].dropna(subset=["effect"])
    metrics = {"pools": float(len(together)), "studies": float(sum(len(one.studies) for one in together))}
    metrics |= {f"{one.kind}_{one.measure}".replace(" ", "_"): one.believed.mean for one in together}
    page = pooling_report(together, lacking, described)
    return Fitted(ServedPools.of(together), QUESTIONS, metrics, {"report.html": page})
