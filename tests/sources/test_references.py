"""Files that stay what they are: one row each, true to the content; what is cut off, empty or of another kind gives none."""

import gzip
import hashlib
import io
import zipfile

import openpyxl
import pytest

from lakehouse.declare import Files
from tests.sources.reading import only_error, values

ALL = Files.fields


def picture(form, **more):
    from PIL import Image

    out = io.BytesIO()
    Image.effect_noise((123, 45), 50).save(out, form, **more)
    return out.getvalue()


def workbook():
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.txt", "a")
    return out.getvalue()


KINDS = {
    "image/png": picture("PNG"), "image/jpeg": picture("JPEG", exif=b"Exif\0\0" + b"x" * 900), "image/gif": picture("GIF"),
    "image/webp": picture("WEBP"), "application/pdf": picture("PDF"), "application/zip": archive(),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": workbook(), "application/gzip": gzip.compress(b"x"),
    "text/plain": "Größe 東京\n".encode(), "text/html": b"<!DOCTYPE html><p>x", "application/octet-stream": b"\x00\x01\x02\xff" * 99,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_told_by_its_content_with_size_and_hash(kind):
    content = KINDS[kind]
    (found,) = values(Files("scans"), content, ALL, "scans/whatever.bin")
    sized = ("123", "45") if kind in ("image/png", "image/jpeg", "image/gif") else (None, None)
    assert found == ("scans/whatever.bin", kind, str(len(content)), hashlib.sha256(content).hexdigest(), *sized)


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "application/zip"])
def test_a_file_cut_off_gives_no_row(kind):
    content = KINDS[kind]
    assert "ends too early: the delivery was cut off" in only_error(Files("scans"), content[: len(content) * 2 // 3].rstrip(b";"), ALL)


def test_an_empty_file_and_one_of_another_kind_give_no_row():
    assert "the object is empty" in only_error(Files("scans"), b"", ALL)
    pictures = Files("scans", types=("image/*",))
    assert "the content is application/pdf; declared are image/*." in only_error(pictures, KINDS["application/pdf"], ALL)


def test_a_text_whose_first_part_ends_within_a_letter_is_text():
    assert values(Files("notes"), b"x" + "é".encode() * 300_000, ("media_type",)) == [("text/plain",)]
