"""By which words a person is found, and by which not."""

import hashlib
import re

import pytest

from lakehouse.graph import load
from lakehouse.run.erase import emptied, told, with_hash, word_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("C0000123", True), ("c0000123:newsletter", True), ("written by C0000123.", True), ("C00001234", False), ("XC0000123", False),
        ("b@x.org", True), ("MAILTO:B@X.ORG;", True), ("Ann <b@x.org>", True), ("Write to b@x.org.", True), ("a.b@x.org", False),
        ("ab@x.org", False), ("b@x.org.au", False), ("", False),
    ],
)  # fmt: skip
def test_a_word_is_found_where_it_stands_by_itself(text: str, found: bool) -> None:
    pattern = word_of({"c0000123", *with_hash("B@x.org")})
    assert (re.search(pattern, text.lower()) is not None) == found


def test_an_address_is_known_by_its_hash_too() -> None:
    assert with_hash(" Ann@Example.org ") == {"ann@example.org", hashlib.sha256(b"ann@example.org").hexdigest()}


def test_every_table_of_files_says_by_its_contract_where_a_person_may_stand() -> None:
    graph = load("jobs")
    assert told(graph["crm__contacts"])[:2] == ["customer_id", "name"]
    assert emptied(graph["stores__sales"]) == ["customer_id"] and emptied(graph["crm__contacts"]) == []
    assert "email" in emptied(graph["shop__customers"]) and "customer_id" not in emptied(graph["shop__customers"])
    for name in ("conversions__sent", "email__events", "service__messages", "social__mentions", "survey__answers", "web__events"):
        assert told(graph[name]), name
