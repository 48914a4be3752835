"""What the other systems land becomes tables: read whole, cleaned, the same in portions as at once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import reduce
from hashlib import sha256
from typing import Any

import pytest
from pyspark.sql import functions as F

from infra.world import reports, web
from infra.world.company import Company
from infra.world.day import simulate
from infra.world.faults import FAULTS, spoiled
from infra.world.market import crm
from infra.world.market.objects import objects
from infra.world.population import begin
from lakehouse import storage
from lakehouse.delta.location import quarantine_uri, table_uri
from lakehouse.delta.log import DeltaLog
from lakehouse.delta.session import open_session
from lakehouse.graph import Graph, load
from lakehouse.run import run_table, watermarks
from lakehouse.run.erase import NotErased, erase, look
from lakehouse.settings import REPOSITORY
from lakehouse.web_analytics import is_bot
from plugins.lakehouse_airflow.sensor import behind
from tests.integration.world.lake import Lake, lake_of

DAYS, FIRST = 16, 9
FAULTY = {
    11: ("duplicate_key", "truncated_gzip", "empty_gzip", "new_column", "renamed_column", "retyped_column"),
    12: ("invalid_utf8", "broken_encoding", "unclosed_quote"),
    13: ("text_after", "missing_day", "late_events", "clock_skew", "bots"),
}
"""The faults of three days that come with the second portion; contacts come twice on all of its days."""
EVENTS = ("web__events", "web_events")
GOLD = ("dim_date", "dim_channel", "fct_conversions")
VISITED = (7, 13)
"""Days whose web events land, one of each portion."""
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]


@dataclass
class Market(Lake):
    """A company's landed objects and the tables made of them, loaded in two portions so that the second is incremental."""

    reports: dict[str, Any] = field(default_factory=dict)

    def run(self, *more: str) -> None:
        for name in self.graph.order():
            table = self.graph[name]
            if name in more or ("market" in table.tags and table.layer in ("bronze", "silver")):
                self.reports[name] = run_table(self.graph, name, record=False)

    def telling(self, *words: str) -> set[str]:
        """Tables and quarantines of which some row, in whatever column, holds one of the words."""
        places = {name: table_uri(table) for name, table in self.graph.tables.items() if table.kind == "table"}
        places |= {f"quarantine.{name}": quarantine_uri(name) for name in self.graph.tables}
        there = {name: uri for name, uri in places.items() if DeltaLog(uri).version is not None}
        rows = [
            self.spark.read.format("delta").load(uri).select(F.lit(name).alias("name"), F.lower(F.to_json(F.struct("*"))).alias("row"))
            for name, uri in there.items()
        ]
        found = reduce(lambda a, b: a.union(b), rows).where(" OR ".join(f"contains(row, '{word.lower()}')" for word in words))
        return {name for (name,) in found.select("name").distinct().collect()}


@pytest.fixture(scope="module")
def market(places: Any) -> Iterator[Market]:
    place = places()
    company = Company(7, "tiny", 300, date(2026, 8, 24))
    firms, state = Company(7, "tiny", 2_000, date(2026, 8, 24)), begin(company)
    with lake_of(place) as landing, open_session() as spark:
        here = Market(spark, load(REPOSITORY / "jobs"))
        for number in range(DAYS):
            day = simulate(company, state)
            made = [each for each in objects(company, state, day) if not each[0].startswith("crm/companies/")]
            made += crm.companies(firms, state)
            seen = b"".join(web.receive(company, state, day))
            made += [(f"web/events/{company.date(number)}T12.jsonl.gz", seen)] if number in VISITED else []
            if number == max(FAULTY):
                made += reports.objects(company, day)
            for each in made:
                for key, body in spoiled((*FAULTY.get(number, ()), *(("repeated_object",) if number > FIRST else ())), *each):
                    storage.put(f"{landing}/{key}", body)
            state = day.after
            if number + 1 in (FIRST, DAYS):
                here.run(*EVENTS, *(GOLD if number + 1 == DAYS else ()))
        yield here


def at_once(market: Market, name: str) -> Any:
    """What the table's function gives on everything its inputs hold, of each key the latest."""
    from pyspark.sql import Window

    table = market.graph[name]
    given = {read.name: market.frame(read.name) for read in table.inputs}
    for read, frame in given.items():
        frame.createOrReplaceTempView(read)
    made = table.function(**{read: read for read in given} if table.returns_sql else given)
    rows = market.spark.sql(made) if isinstance(made, str) else made
    if table.latest_by:
        latest = Window.partitionBy(*table.key).orderBy(F.col(table.latest_by).desc())
        rows = rows.withColumn("_place", F.row_number().over(latest)).where("_place = 1")
    return rows.select(*[column.name for column in table.columns])


def holds_what_it_would_hold_built_at_once(market: Market, name: str) -> bool:
    held, whole = market.frame(name).select(*[c.name for c in market.graph[name].columns]), at_once(market, name)
    return sorted(map(repr, held.collect())) == sorted(map(repr, whole.collect()))


def test_built_in_portions_a_table_holds_what_it_would_hold_built_at_once(market: Market) -> None:
    ours = [table.name for table in market.graph.tables.values() if "market" in table.tags and table.layer == "silver"]
    assert [name for name in ours if not holds_what_it_would_hold_built_at_once(market, name)] == []


def test_a_questionnaire_counts_once_and_answers_are_numbers(market: Market) -> None:
    ((rows, once, least, most),) = market.ask(
        "SELECT count(*), count(DISTINCT answer_id), min(least(need_taste, need_price, need_speed, need_origin)), "
        "max(greatest(need_taste, need_price, need_speed, need_origin)) FROM survey_answers",
        "survey_answers",
    )
    assert rows == once > 5
    assert 1 <= least < most <= 5


def reasons(market: Market, table: str) -> str:
    report = market.reports[table]
    return "; ".join((*report.reasons, *report.warnings))


@pytest.mark.parametrize(
    ("fault", "table", "said"),
    [
        ("duplicate_key", "email__events", "event"),
        ("invalid_utf8", "email__events", "UTF-8"),
        ("text_after", "service__messages", "object"),
        ("truncated_gzip", "service__messages", "archive"),
        ("empty_gzip", "social__mentions", "empty"),
        ("new_column", "stores__sales", "Bonuspunkte"),
        ("renamed_column", "sensors__footfall", "entries"),
        ("unclosed_quote", "sensors__footfall", "quote"),
        ("retyped_column", "conversions__sent", "is no decimal(12,2)"),
    ],
)
def test_a_spoiled_object_costs_no_more_than_itself_and_the_run_says_why(market: Market, fault: str, table: str, said: str) -> None:
    print(fault, "→", reasons(market, table)[:400])
    assert said in reasons(market, table), FAULTS[fault].met_by
    assert market.reports[table].rows_written > 0


def test_an_export_that_comes_twice_counts_once(market: Market) -> None:
    assert market.reports["crm__contacts"].duplicates > 0
    query = "SELECT count(*), count(DISTINCT contact_id, changed_at) FROM crm__contacts"
    assert len(set(market.ask(query, "crm__contacts")[0])) == 1


def test_garbled_texts_are_repaired_and_marked(market: Market) -> None:
    query = "SELECT count_if(was_garbled), count_if(text LIKE '%Ã%' OR text LIKE '%â€%'), count(*) FROM brand_mentions"
    ((repaired, left, rows),) = market.ask(query, "brand_mentions")
    assert repaired > 0
    assert left == 0
    assert rows > repaired


def test_late_and_skewed_events_are_marked_and_a_crawler_says_what_it_is(market: Market) -> None:
    query = """SELECT count_if(received_at > event_at + INTERVAL 2 DAYS AND is_late), count_if(received_at < event_at - INTERVAL 1 HOUR)
               FROM web_events"""
    ((late, ahead),) = market.ask(query, "web_events")
    assert late > 0
    assert ahead > 0
    broken = {rule["rule"]: rule["failed"] for rule in market.reports["web_events"].rules}
    assert broken["received_after_it_happened"] >= ahead
    robots = f"SELECT count(*) FROM web__events WHERE {is_bot('user_agent')}"
    assert market.ask(robots, "web__events")[0][0] > 0


def test_a_report_that_does_not_come_keeps_the_night_waiting_which_names_the_source(market: Market) -> None:
    needed = datetime(2026, 9, 7, tzinfo=UTC)
    tables = {name: market.graph[name] for name in ("ads__google_daily", "ads__meta_daily")}
    arrived = watermarks(Graph({"ads__meta_daily": tables["ads__meta_daily"]}))
    assert behind(arrived, ("ads",), needed) == []
    assert behind(watermarks(Graph(tables)), ("ads",), needed) == [
        "source 'ads': nothing has arrived yet; needed complete to 2026-09-07 00:00 UTC"
    ]


def test_contacts_are_clean_whatever_way_they_were_typed(market: Market) -> None:
    query = """SELECT count(*), count(email), count_if(email RLIKE '^[a-z0-9.]+@[a-z.]+$'), count(first_name), count(country),
                      count_if(length(country) = 2), count(phone), count_if(phone LIKE '+49%') FROM crm_contacts"""
    ((rows, mails, clean, named, country, codes, phones, german),) = market.ask(query, "crm_contacts")
    assert rows > 250
    assert mails == clean > 0.95 * rows
    assert named == rows
    assert country == codes == rows
    assert 0.7 * rows < phones == german


def test_weather_is_in_one_unit_and_the_panels_last_figure_counts(market: Market) -> None:
    units = market.ask("SELECT DISTINCT unit FROM market_observations", "market_observations")
    assert {unit for (unit,) in units} == {"degC", "mm", "EUR", "day"}
    warm = "SELECT place, avg(value) FROM market_observations WHERE series = 'temperature' GROUP BY 1"
    assert all(0 < value < 35 for _, value in market.ask(warm, "market_observations"))
    finals = "SELECT wave, max(is_final) FROM brand_tracker GROUP BY 1 ORDER BY 1"
    assert [final for _, final in market.ask(finals, "brand_tracker")] == [True, True, False]


def test_a_conversation_knows_its_order_and_how_long_it_took(market: Market) -> None:
    query = """SELECT count(*), min(minutes_to_answer), count(customer_id), count_if(customer_text LIKE concat('%', order_id, '%')),
                      count(order_id) FROM service_conversations"""
    ((rows, least, who, named, orders),) = market.ask(query, "service_conversations")
    assert rows == who > 0
    assert least >= 0
    assert named == orders


def test_sales_of_the_shops_are_money_and_moments(market: Market) -> None:
    query = "SELECT count(*), count(amount), count_if(hour(sold_at) BETWEEN 6 AND 17), count(DISTINCT receipt_id) FROM store_sales"
    ((rows, paid, opened, once),) = market.ask(query, "store_sales")
    assert rows == paid == once > 50
    assert opened == rows


def test_a_conversion_counts_once_whoever_tells_of_it_and_how_often(market: Market) -> None:
    told = """SELECT count(DISTINCT coalesce(order_id, conversion_id)) FROM (
                  SELECT order_id, conversion_id FROM conversions__sent
                  UNION ALL SELECT order_id, event_id FROM web_events WHERE event_type = 'purchase' AND NOT is_bot)"""
    query = """SELECT count(*), count(DISTINCT conversion_id), count_if(told_by = 'server and browser'), count_if(server_reports = 2),
                      count_if(NOT values_agree), count_if(place = 'store' AND order_id IS NULL) FROM conversions"""
    ((rows, once, both, twice, disagree, stores),) = market.ask(query, "conversions")
    assert rows == once == market.ask(told, "conversions__sent", "web_events")[0][0]
    assert min(both, twice, stores) > 0
    assert disagree == 0
    assert market.ask("SELECT count(*), sum(value) FROM fct_conversions", "fct_conversions") == market.ask(
        "SELECT count(*), sum(value) FROM conversions", "conversions"
    )


def test_a_conversion_says_how_well_it_can_be_matched_and_how_good_its_report_is(market: Market) -> None:
    query = """SELECT min(match_score), max(match_score), min(quality_score), max(quality_score),
                      count_if(match_score < 40 AND hashed_email IS NOT NULL),
                      count_if(quality_score = 100 AND told_by <> 'server and browser' AND place = 'web') FROM conversions"""
    ((least, most, worst, best, known, alone),) = market.ask(query, "conversions")
    assert 0 <= least < most <= 100
    assert 0 <= worst < best == 100
    assert (known, alone) == (0, 0)


def test_a_counter_that_is_stuck_or_silent_leaves_a_gap_that_says_so(market: Market) -> None:
    query = """SELECT count(*), count(DISTINCT sensor_id) * count(DISTINCT footfall_date) * count(DISTINCT hour(hour_at)),
                      count_if(reading = 'missing'), count_if(reading = 'stuck'), count_if((reading = 'counted') <> (entries IS NOT NULL)),
                      max(entries), max(entries_estimated), count(entries_estimated) FROM footfall"""
    ((rows, hours, missing, stuck, wrong, most, estimated, known),) = market.ask(query, "footfall")
    received = market.ask("SELECT count_if(entries > 5000), count(*) FROM sensors__footfall", "sensors__footfall")[0]
    assert rows == hours == known == missing + received[1]
    assert missing >= 100  # a whole day's report was refused, and the rest of another's
    assert stuck == received[0] > 0
    assert wrong == 0
    assert most < 5000 > estimated


def test_a_company_that_was_entered_twice_is_one(market: Market) -> None:
    query = """SELECT count(*), count_if(is_duplicate), count_if(company_id LIKE 'F5%'),
                      count_if(company_id LIKE 'F5%' AND vat_number IS NOT NULL AND right(main_company_id, 4) <> right(company_id, 4)),
                      count_if(main_company_id <> company_id AND right(main_company_id, 4) <> right(company_id, 4)),
                      count_if(name = upper(name) OR name = lower(name)), count(legal_form), count(DISTINCT country),
                      count_if(country IS NULL AND vat_number IS NOT NULL), count(DISTINCT exported_in) FROM companies"""
    ((rows, found, again, missed, merged, cased, formed, countries, unplaced, files),) = market.ask(query, "companies")
    assert rows > 40
    assert found - merged == again > 5
    assert merged <= 1  # two of one name and legal form, one without VAT number: nothing tells them apart
    assert (missed, cased, unplaced, files) == (0, 0, 0, 1)
    assert formed == rows
    assert countries == 3


def test_a_person_who_is_erased_stands_in_no_table_any_more_and_what_was_bought_stays_bought(market: Market) -> None:
    known = """SELECT c.customer_id, min(c.email) FROM crm_contacts c
               JOIN store_sales s USING (customer_id) JOIN email_events e USING (customer_id)
               JOIN conversions v ON v.hashed_email = sha2(c.email, 256) WHERE v.order_id IS NULL GROUP BY 1 ORDER BY 1 LIMIT 1"""
    ((person, address),) = market.ask(known, "crm_contacts", "store_sales", "email_events", "conversions")
    words = (person, address, sha256(address.encode()).hexdigest())
    sums = """SELECT (SELECT count(*) FROM store_sales), (SELECT sum(amount) FROM store_sales), (SELECT count(*) FROM conversions),
                     (SELECT sum(value) FROM conversions), (SELECT count(*) FROM web_events),
                     (SELECT count(*) FROM email_events WHERE customer_id <> '{}'), (SELECT count(*) FROM crm_contacts)"""
    before = market.ask(sums.format(person), "store_sales", "conversions", "web_events", "email_events", "crm_contacts")[0]
    told = market.telling(*words)
    assert {"crm__contacts", "crm_contacts", "stores__sales", "store_sales", "email__events", "email_events", "conversions"} <= told
    found = erase(market.graph, person)
    print(", ".join(f"{each.table} {each.rows} {each.becomes}" for each in found))
    assert {each.becomes for each in found} == {"deleted", "emptied"}
    market.run(*EVENTS, *GOLD)
    assert market.telling(*words) == set()
    assert look(market.graph, *words) == []
    after = market.ask(sums.format(person), "store_sales", "conversions", "web_events", "email_events", "crm_contacts")[0]
    assert after[:-1] == before[:-1]
    assert after[-1] == before[-1] - 1
    assert all(holds_what_it_would_hold_built_at_once(market, name) for name in ("store_sales", "email_events", "conversions"))


def test_a_word_that_could_be_anybody_is_refused_before_anything_is_looked_at(market: Market) -> None:
    with pytest.raises(NotErased, match="'C1' would be found in rows of others"):
        erase(market.graph, "C1")
