"""Web servers' logs: every request a row, every broken line held back with the place where it breaks."""

# ruff: noqa: E501 — a line of a log is a line

import random

import pytest

from lakehouse.declare import AccessLog
from tests.sources.reading import only_error, rows, values

ALL = AccessLog.fields
APACHE = rb'127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif?a=1&b=2 HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'
SOURCE = AccessLog("web/access")


def test_the_example_of_apaches_own_documentation_is_read_field_by_field():
    assert values(SOURCE, APACHE, ALL) == [
        ("127.0.0.1", None, "frank", "2000-10-10T13:55:36-07:00", "GET /apache_pb.gif?a=1&b=2 HTTP/1.0", "GET", "/apache_pb.gif", "a=1&b=2",
         "HTTP/1.0", "200", "2326", "http://www.example.com/start.html", "Mozilla/4.08 [en] (Win98; I ;Nav)"),
    ]  # fmt: skip


def test_what_servers_write_for_nothing_is_nothing_and_a_request_of_nonsense_is_still_an_event():
    content = b'\n2001:db8::1 - a b [01/Jan/2026:00:00:00 +0000] "-" 408 - "-" "-"\r\n\n::1 - - [01/Jan/2026:00:00:00 +0000] "\\x16\\x03\\x01" 400 150 "-" "a \\"b\\" \\\\ \\x3b"\n'
    assert values(SOURCE, content, ("host", "user", "method", "request", "status", "bytes", "user_agent")) == [
        ("2001:db8::1", "a b", None, None, "408", None, None), ("::1", None, None, r"\x16\x03\x01", "400", "150", 'a "b" \\ ;'),
    ]  # fmt: skip


BROKEN = {
    b"127.0.0.1": "a host is expected at character 1",
    APACHE.replace(b" - frank", b""): "a user is expected at character 33",
    APACHE.replace(b"10/Oct/2000", b"10/10/2000"): "a time such as [10/Oct/2000:13:55:36 -0700] is expected at character 19",
    APACHE.replace(b"10/Oct", b"31/Feb"): "the time [31/Feb/2000:13:55:36 -0700] is none",
    APACHE.replace(b"Oct", b"Okt"): "the time [10/Okt/2000:13:55:36 -0700] is none",
    APACHE.replace(b"13:55:36", b"25:55:36"): "the time [10/Oct/2000:25:55:36 -0700] is none",
    APACHE.replace(b'"GET', b"GET"): "a request in quotes is expected at character 48",
    APACHE.replace(b" 200 ", b" 20 "): "a status of three digits is expected",
    APACHE.replace(b"2326", b"2kB"): "a number of bytes or - is expected",
    APACHE[: APACHE.index(b' "http')] + b" ": "a referrer in quotes is expected",
    APACHE[: APACHE.index(b' "Mozilla')]: "a user agent in quotes is expected",
    APACHE[:-1]: "a user agent in quotes is expected",
    APACHE + b" 0.012": "the end of the line is expected",
    APACHE + APACHE: "the end of the line is expected",
    APACHE.replace(b"frank", b"fr\0nk"): "a NUL character in the line",
    APACHE.replace(b"frank", b"fr\xffnk"): "no UTF-8 at byte 15 of the line",
}


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line_is_held_back_with_its_reason_and_its_neighbours_are_not(line):
    found = rows(SOURCE, b"\n".join([APACHE, line, APACHE]), ("host", "status"))
    assert [(r["c0"], r["_error"] is None) for r in found] == [("127.0.0.1", True), (None, False), ("127.0.0.1", True)]
    assert BROKEN[line] in found[1]["_error"]


def test_a_line_spoiled_anywhere_is_a_row_or_a_reason_never_a_crash():
    draw = random.Random(4)
    lines = []
    for _ in range(2_000):
        line = bytearray(APACHE)
        for _ in range(draw.randrange(1, 4)):
            place = draw.randrange(len(line))
            line[place : place + draw.randrange(3)] = bytes(draw.randrange(256) for _ in range(draw.randrange(3)))
        lines.append(bytes(line).replace(b"\n", b" "))
    found = rows(SOURCE, b"\n".join(lines), ("host", "at", "status"))
    assert len(found) == len(lines)
    assert all(bool(r["_error"]) != bool(r["c0"]) for r in found)


def test_a_log_cut_off_in_its_archive_gives_no_row():
    import gzip

    assert "ends too early" in only_error(SOURCE, gzip.compress(APACHE * 9)[:-4], ("host",), "a.log.gz")
