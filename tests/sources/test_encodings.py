"""Characters: declared, marked or detected, and never guessed silently."""

import gzip

import pytest

from lakehouse.declare import Csv, Json, JsonLines
from tests.sources.reading import met, only_error, rows, values

CITIES = ["San José", "Bogotá", "Córdoba", "São Paulo", "Düsseldorf"]
PLACES = "id,name,price\r\n" + "".join(f"{n},{place},1\r\n" for n, place in enumerate(CITIES))
EXPECTED = [(str(n), place, "1") for n, place in enumerate(CITIES)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "mac_roman", "cp1252"])
def test_an_encoding_is_detected(encoding):
    assert values(Csv("x", encoding="detect"), PLACES.encode(encoding)) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "mac_roman", "cp1252", "shift_jis"])
def test_an_encoding_is_declared(encoding):
    text = PLACES if encoding != "shift_jis" else "id,name,price\n1,東京,2\n"
    found = values(Csv("x", encoding=encoding), text.encode(encoding))
    assert found == (EXPECTED if encoding != "shift_jis" else [("1", "東京", "2")])


def test_json_lines_and_documents_come_in_other_encodings_too():
    line = '{"id": 1, "name": "Käse", "price": 2}'
    for encoding in ("utf-16", "cp1252", "utf-8-sig"):
        declared = "utf-8" if encoding == "utf-8-sig" else encoding
        assert values(JsonLines("x", encoding=declared), f"{line}\n{line}".encode(encoding)) == [("1", "Käse", "2")] * 2
        assert values(Json("x", encoding=declared), f"[{line}, {line}]".encode(encoding)) == [("1", "Käse", "2")] * 2


def test_a_mark_wins_over_what_is_declared():
    assert values(Csv("x", encoding="cp1252"), PLACES.encode("utf-8-sig")) == EXPECTED


def test_half_a_character_at_the_end_of_utf16_spoils_its_line_only():
    found = rows(Csv("x", encoding="utf-16"), "id,name,price\n1,a,2\n3,b,4".encode("utf-16")[:-1])
    assert [(r["_line"], r["_error"]) for r in found] == [(2, None), (3, "no UTF-16-LE at byte 5 of the line")]


def test_utf16_where_utf8_is_declared_is_refused_with_the_repair():
    assert 'declare encoding="utf-16"' in only_error(Csv("x"), PLACES.encode("utf-16"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimiter_is_detected_by_the_declared_names(delimiter):
    content = PLACES.replace(",", delimiter).replace("San José", '"San, José; | und mehr"')
    assert values(Csv("x", delimiter="detect"), content.encode())[1:] == EXPECTED[1:]


def test_without_a_header_columns_come_in_declared_order():
    source = Csv("x", header=False)
    assert values(source, b"1,a,2\n3,,4\n") == [("1", "a", "2"), ("3", None, "4")]
    assert [r["_error"] for r in rows(source, b"1,a\n")] == ["too few fields: 2, declared are 3"]


def test_the_real_files_are_read_in_their_own_encodings(shared_data):
    sales = (shared_data / "saas_sales" / "sales_pipeline.csv.gz").read_bytes()
    cities = {city for (city,) in values(Csv("x", encoding="detect"), sales, ("City",), "sales.csv.gz")}
    assert {"San José", "Bogotá", "Córdoba", "São Paulo"} <= cities
    campaign = (shared_data / "marketing_campaign" / "marketing_campaign.csv").read_bytes()
    assert len(values(Csv("x", delimiter="detect", encoding="detect"), campaign, ("ID", "Income"))) == 2_240
    tweets = (shared_data / "brand_tweets" / "judge-1377884607_tweet_product_company.csv.gz").read_bytes()
    assert gzip.decompress(tweets)[:3] != b"\xef\xbb\xbf"
    assert len(values(Csv("x", encoding="detect"), tweets, ("tweet_text",), "tweets.csv.gz")) == 9_093


def test_what_does_not_fit_the_contract_any_more_is_said():
    found = met(Csv("x"), b"id,name,price,colour\n1,a,2,red\n")
    assert (found["unknown"], found["missing"]) == (["colour"], [])
    assert met(JsonLines("x"), b'{"id": 1, "shade": 2}')["missing"] == ["name", "price"]
