"""Cleaning steps: what people write comes out alike, and what is none comes out as nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lakehouse.cleaning import (
    Money,
    company_name,
    country_code,
    country_facts,
    currency_code,
    day_facts,
    device,
    email,
    in_unit,
    moment,
    money,
    person_name,
    phone,
    plain_text,
    postcode,
)
from lakehouse.cleaning.columns import spark_type
from lakehouse.cleaning.emails import Email
from lakehouse.cleaning.postcodes import Postcode
from lakehouse.declare import Csv
from tests.sources.reading import values


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("â€œHelloâ€\x9d", "“Hello”"), ("CafÃ©  &amp;\tBar", "Café & Bar"), ("MÃ¼ller", "Müller"), ("Köln", "Köln"), (" \x00 ", None),
        (None, None),
        ("&lt;b&gt;", "<b>"), ("Nowâ€“and", "Now–and"), ("¿Qué?", "¿Qué?"),
    ],
)  # fmt: skip
def test_broken_encoding_is_repaired_and_sound_text_left_alone(text, clean):
    assert plain_text(text) == clean


def test_the_rubbish_in_real_tweets_is_repaired(shared_data):
    packed = (shared_data / "brand_tweets" / "judge-1377884607_tweet_product_company.csv.gz").read_bytes()
    tweets = [t for (t,) in values(Csv("x", encoding="mac_roman"), packed, ("tweet_text",), "tweets.csv.gz") if t]
    before = [t for t in tweets if "â€" in t]
    after = [plain_text(t) for t in before]
    lost = [t for t in after if "â€_" in t]  # the file's maker had replaced the last byte by then: nothing is left to repair
    assert len(before) == 398 and sum("â€" in t for t in after) - len(lost) <= 2
    assert "Not Coming Now–and Probably Not Ever?" in " ".join(after) and not any("&amp;" in (plain_text(t) or "") for t in tweets)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("DR. HANS MÜLLER-LÜDENSCHEIDT", ("Dr", "Hans", "Müller-Lüdenscheidt")), ("Müller, Hans", (None, "Hans", "Müller")),
        ("ludwig van beethoven", (None, "Ludwig", "van Beethoven")), ("Mrs. Mary  O'NEIL", ("Mrs", "Mary", "O'NEIL")),
        ("mcdonald, ronald", (None, "Ronald", "McDonald")), ("Madonna", (None, "Madonna", None)),
        ("John Smith, Jr.", (None, "John", "Smith")),
        ("n/a", None), ("ann@example.org", None), ("", None), ("123", None),
    ],
)  # fmt: skip
def test_names_of_persons(text, parts):
    found = person_name(text)
    assert (found and found[:3]) == parts


def test_mail_addresses_of_one_mailbox_have_one_identity():
    same = [" Ann.Smith+news@GMAIL.com ", "mailto:annsmith@googlemail.com", '"Ann" <ann.smith@gmail.com>', "annsmith@gmial.com;"]
    assert {email(text).identity for text in same} == {"annsmith@gmail.com"}
    assert email("annsmith@gmial.com").was_mistyped and not email("ann.smith@web.de").was_mistyped
    assert email("Info@Müller.de") == Email("info@müller.de", "info@müller.de", "müller.de", True, False, False)
    assert [email(t) for t in ("ann", "ann@", "a b@c.de", "ann@localhost", "", None, "ann@@x.de")] == [None] * 7


@pytest.mark.parametrize(
    ("text", "country", "number", "kind"),
    [
        ("030 / 901820", "DE", "+4930901820", "fixed"), ("0049 (0)30 901820", None, "+4930901820", "fixed"),
        ("Tel.: +44 7911 123456", None, "+447911123456", "mobile"), ("(212) 555-2368", "US", "+12125552368", "fixed or mobile"),
        ("901820", None, None, None), ("12", "DE", None, None), ("+49 30 1", None, None, None), ("none", "DE", None, None),
    ],
)  # fmt: skip
def test_phone_numbers(text, country, number, kind):
    found = phone(text, country)
    assert (found and found.number, found and found.kind) == (number, kind)


def test_countries_in_many_words_and_codes():
    assert {country_code(t) for t in ("Germany", "DEUTSCHLAND", "Allemagne", "de", "DEU", "276", " germany ")} == {"DE"}
    assert [country_code(t) for t in ("EIRE", "RSA", "USA", "Côte d’Ivoire", "Österreich", "UK", "Czech Republic")] == [
        "IE", "ZA", "US", "CI", "AT", "GB", "CZ",
    ]  # fmt: skip
    assert [country_code(t) for t in ("Unspecified", "European Community", "", None, "XX")] == [None] * 5
    assert country_facts("de") == ("DE", "Germany", "Europe", "EUR", True) and country_facts("ZZ") is None


def test_every_country_of_the_wholesalers_file_is_known_but_those_that_are_none(shared_data):
    import csv
    import gzip

    with gzip.open(shared_data / "online_retail" / "online_retail.csv.gz", "rt", encoding="utf-8") as file:
        countries = {row["Country"] for row in csv.DictReader(file)}
    assert {c for c in countries if country_code(c) is None} == {"European Community", "Unspecified"}


@pytest.mark.parametrize(
    ("text", "country", "found"),
    [
        ("sw1a1aa", "GB", Postcode("SW1A 1AA", "SW1A")), ("1067", "DE", Postcode("01067", "01")), ("D-10115", "DE", None),
        ("DE-10115", "DE", Postcode("10115", "10")), ("10115-1234", "US", Postcode("10115", "101")),
        ("1234ab", "NL", Postcode("1234 AB", "12")),
        ("99999", "GB", None), ("75008", "FR", Postcode("75008", "75")), ("1", "XX", None), ("k1a0b1", "CA", Postcode("K1A 0B1", "K1A")),
    ],
)  # fmt: skip
def test_postcodes_in_the_spelling_of_their_post(text, country, found):
    assert postcode(text, country) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1.234,56 €", Money(Decimal("1234.56"), "EUR")), ("$1,234.50", Money(Decimal("1234.50"), "USD")),
        ("(12.00)", Money(Decimal("-12.00"), None)),
        ("EUR -5", Money(Decimal(-5), "EUR")), ("CHF 1'000.–", Money(Decimal(1000), "CHF")), ("1,5", Money(Decimal("1.5"), None)),
        ("1,234", None), ("0.125", Money(Decimal("0.125"), None)), ("1.234.567", Money(Decimal(1234567), None)), ("12,34,56", None),
        ("12 apples", None), ("", None), ("5-", Money(Decimal(-5), None)), ("−7 zł", Money(Decimal(-7), "PLN")),
    ],
)  # fmt: skip
def test_amounts_of_money_as_people_write_them(text, found):
    assert money(text) == found


def test_an_amount_that_can_be_read_two_ways_needs_to_be_told():
    assert (money("1,234", ",").amount, money("1,234", ".").amount) == (Decimal("1.234"), Decimal(1234))
    assert [currency_code(t) for t in ("eur", "€", "£", "XXQ", " usd ", None)] == ["EUR", "EUR", "GBP", None, "USD", None]


@pytest.mark.parametrize(
    ("text", "wanted", "unit", "value"),
    [
        ("2 lb", "kg", None, "0.90718474"), ("1,5 km", "m", None, "1500"), ("72 °F", "degC", None, "22.22222222"),
        ("100", "cm", "inch", "254"), ("3 m²", "cm**2", None, "30000"), ("5 kg", "m", None, None), ("5", "m", None, None),
        ("five m", "m", None, None),
        ("5 blurbs", "m", None, None),
    ],
)  # fmt: skip
def test_quantities_in_the_unit_wanted(text, wanted, unit, value):
    assert in_unit(text, wanted, unit) == (value and Decimal(value))


def test_local_times_are_moments_and_the_hours_of_the_clock_change_are_marked():
    assert moment("2026-07-01 12:00:00", "Europe/Berlin").at == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert moment("2026-10-25 02:30:00", "Europe/Berlin")[:] == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True, False)
    assert moment("2026-03-29 02:30:00", "Europe/Berlin").was_skipped
    assert moment("2026-07-01T12:00:00-05:00", "Europe/Berlin").at == datetime(2026, 7, 1, 17, tzinfo=UTC)
    assert moment("7/1/2026", "UTC", "%m/%d/%Y").at == datetime(2026, 7, 1, tzinfo=UTC)
    assert [moment(t, z) for t, z in (("yesterday", "UTC"), ("2026-02-30", "UTC"), ("2026-07-01", "Mars/Base"),
        (None, "UTC"))] == [None] * 4


def test_days_know_their_holidays():
    assert day_facts(date(2026, 12, 25)).is_holiday and day_facts(date(2026, 12, 25)).weekday == 5
    assert (day_facts(date(2026, 6, 4), "DE", "BY").is_holiday, day_facts(date(2026, 6, 4), "DE", "BE").is_holiday) == (True, False)
    assert day_facts(date(2026, 5, 15), "DE").is_bridge_day and not day_facts(date(2026, 5, 13), "DE").is_bridge_day
    assert "Independence" in day_facts(date(2026, 7, 4), "US").holiday and day_facts(None) is None


MOZILLA, APPLE = "Mozilla/5.0", "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "kind", "browser"),
    [
        (f"{MOZILLA} (iPhone; CPU iPhone OS 17_0 like Mac OS X) {APPLE} Version/17.0 Mobile/15E148 Safari/604.1", "phone",
        "Mobile Safari"),
        (f"{MOZILLA} (Windows NT 10.0; Win64; x64) {APPLE} Chrome/120.0.0.0 Safari/537.36", "computer", "Chrome"),
        (f"{MOZILLA} (iPad; CPU OS 16_0 like Mac OS X) {APPLE} Version/16.0 Mobile/15E148 Safari/604.1", "tablet", "Mobile Safari"),
        (f"{MOZILLA} (Linux; Android 13; SM-X700) {APPLE} Chrome/120.0.0.0 Safari/537.36", "tablet", "Chrome"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", "Googlebot"), ("curl/8.1", "bot", "curl"),
    ],
)  # fmt: skip
def test_devices_by_what_the_browser_calls_itself(user_agent, kind, browser):
    found = device(user_agent)
    assert (found.kind, found.browser, found.is_bot) == (kind, browser, kind == "bot")


def test_a_step_of_several_things_is_a_struct_in_a_job():
    assert spark_type(Postcode | None) == "struct<code: string, area: string>" and spark_type(Decimal | None) == "decimal(38,9)"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("MÜLLER  CAFÉ GMBH", ("Müller Café", "GmbH")), ("Mueller Cafe G.m.b.H.", ("Mueller Cafe", "GmbH")),
        ("Hafen & Söhne GmbH & Co. KG", ("Hafen & Söhne", "GmbH & Co. KG")), ("o'brien hotel ltd.", ("O'Brien Hotel", "Ltd")),
        ("Rossi S.p.A.", ("Rossi", "S.p.A.")), ("Beauty Spa", ("Beauty Spa", None)), ("AG", ("Ag", None)), ("n/a", None), (" - ", None),
        (None, None),
    ],
)  # fmt: skip
def test_a_company_s_name_is_told_from_its_legal_form(text, parts):
    found = company_name(text)
    assert (found and (found.name, found.legal_form)) == parts


def test_spellings_of_one_company_share_an_identity():
    spelled = ("MÜLLER CAFÉ GMBH", "Mueller Cafe G.m.b.H.", "müller  café", "Muller Cafe")
    assert {company_name(each).identity for each in spelled} == {"muller cafe"}
    assert company_name("Müller Bakery").identity != company_name("Müller Café").identity
