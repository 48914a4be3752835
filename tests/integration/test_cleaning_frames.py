"""Cleaning in a job: steps as columns, outliers, gaps and currencies over whole columns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from lakehouse import cleaning
from lakehouse.delta.session import open_session
from lakehouse.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_steps_work_in_a_job_and_leave_visible_what_they_did(stack: Settings) -> None:
    with open_session() as spark:
        from pyspark.sql import functions as F

        people = spark.createDataFrame([("Ann@Example.org", "030 901820"), ("nonsense", None)], "mail string, tel string")
        clean = people.select(
            cleaning.column(cleaning.email, "mail")["address"].alias("mail"), cleaning.column(cleaning.phone, "tel", "DE").alias("tel")
        )  # fmt: skip
        assert [tuple(r) for r in clean.select("mail", "tel.number").collect()] == [("Ann@example.org", "+4930901820"), (None, None)]

        sold = [("a", v) for v in (10, 11, 9, 10, 12, 500)] + [("b", v) for v in (7, 7, 7, 7, 7)] + [("c", None)]
        marked = cleaning.with_outliers(spark.createDataFrame(sold, "shop string, sold double"), "sold", ["shop"]).collect()
        assert [r["sold"] for r in marked if r["sold_is_outlier"]] == [500.0]
        score = next(r["sold_score"] for r in marked if r["sold"] == 500.0)
        assert score == pytest.approx(0.6745 * (500 - 10.5) / 1.0)  # median 10.5; distances 0.5 0.5 0.5 1.5 1.5 489.5, their median 1

        gaps = [("a", 1.0, "x"), ("a", 3.0, "y"), ("a", None, "y"), ("b", None, None), ("a", 3.0, None)]
        frame = spark.createDataFrame(gaps, "g string, v double, w string")
        filled = sorted(tuple(r) for r in cleaning.imputed(cleaning.imputed(frame, "v", ["g"]), "w", ["g"], how="mode").collect())
        assert filled == sorted([
            ("a", 1.0, "x", False, False), ("a", 3.0, "y", False, False), ("a", 3.0, "y", True, False), ("b", 3.0, "y", True, True),
            ("a", 3.0, "y", False, True),
        ])  # fmt: skip

        rates = spark.createDataFrame(
            [
                ("USD", "EUR", Decimal("0.90"), date(2026, 1, 1), date(2026, 2, 1)),
                ("USD", "EUR", Decimal("0.955"), date(2026, 2, 1), None),
            ],
            "from_currency string, to_currency string, rate decimal(12,6), valid_from date, valid_to date",
        )
        orders = [("USD", "2026-01-31"), ("USD", "2026-02-01"), ("EUR", "2026-01-31"), ("USD", "2025-12-31"), ("GBP", "2026-01-31")]
        frame = spark.createDataFrame(orders, "currency string, day string").withColumn("total", F.lit(Decimal("10.01")))
        in_euro = cleaning.converted(frame, rates, "total", "currency", "day", "EUR").collect()
        got = {(r["currency"], r["day"]): r["total_eur"] for r in in_euro}
        assert got == {
            ("USD", "2026-01-31"): Decimal("9.01"), ("USD", "2026-02-01"): Decimal("9.56"), ("EUR", "2026-01-31"): Decimal("10.01"),
            ("USD", "2025-12-31"): None, ("GBP", "2026-01-31"): None,
        }  # fmt: skip
