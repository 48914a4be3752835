"""Archives: unpacked whole or not at all, whatever they are packed with."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest
import zstandard

from lakehouse.declare import Csv
from lakehouse.sources.read import content_hash
from tests.sources.reading import only_error, values

TEXT = b"id,name,price\n" + b"".join(b"%d,name %d,%d\n" % (n, n, n * 7) for n in range(3_000))


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def packed(content):
    return {
        "x.csv.gz": gzip.compress(content), "x.csv.bz2": bz2.compress(content), "x.csv.xz": lzma.compress(content),
        "x.csv.zst": zstandard.ZstdCompressor(write_checksum=True).compress(content), "X.CSV.ZIP": zipped(orders=content),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(packed(b"x")))
def test_an_archive_gives_what_is_in_it(name):
    assert len(values(Csv("x"), packed(TEXT)[name], name=name)) == 3_000


@pytest.mark.parametrize("name", list(packed(b"x")))
@pytest.mark.parametrize("cut", [1, 8, 60])
def test_a_cut_archive_gives_no_row(name, cut):
    reason = only_error(Csv("x"), packed(TEXT)[name][:-cut], name=name)
    assert "ends too early" in reason or "is damaged" in reason


@pytest.mark.parametrize("name", list(packed(b"x")))
def test_a_damaged_archive_gives_no_row(name):
    whole = bytearray(packed(TEXT)[name])
    middle = len(whole) // 2
    whole[middle : middle + 4] = b"\x00\xff\x13\x37"
    reason = only_error(Csv("x"), bytes(whole), name=name)
    assert "is damaged" in reason or "ends too early" in reason


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv.bz2", "x.csv.xz", "x.csv.zst", "x.csv.zip"])
def test_an_empty_archive_is_no_delivery(name):
    reason = only_error(Csv("x"), b"", name=name)
    assert "is empty: nothing was delivered" in reason or "is damaged" in reason


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv.bz2", "x.csv.xz", "x.csv.zst"])
def test_archives_one_after_the_other_are_one_content(name):
    content = packed(TEXT)[name] + packed(b"9999,last,1\n")[name]
    assert values(Csv("x"), content, name=name)[-1] == ("9999", "last", "1")


def test_an_archive_under_a_plain_name_is_refused_with_the_repair():
    for name, content in packed(TEXT).items():
        assert f"does not end in '.{name.rsplit('.', 1)[1].lower()}'" in only_error(Csv("x"), content, name="x.csv")


def test_a_zip_of_several_files_or_with_a_password_is_refused():
    assert "holds 2 files (a, b)" in only_error(Csv("x"), zipped(a=b"1", b=b"2"), name="x.zip")
    assert len(values(Csv("x"), zipped(**{"__MACOSX/x": b"junk", "orders": TEXT}), name="x.zip")) == 3_000


def test_a_file_packed_anew_with_another_packer_is_the_same_delivery():
    hashes = {content_hash(io.BytesIO(c)) for n, c in packed(TEXT).items() if not n.endswith("ZIP")}
    assert hashes == {content_hash(io.BytesIO(TEXT))}
