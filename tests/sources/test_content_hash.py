"""A delivery is known by its content."""

import gzip
import hashlib
import io

from lakehouse.sources.read import content_hash


def test_a_file_packed_anew_is_the_same_delivery():
    content = b"id,name\n1,a\n"
    hashes = {content_hash(io.BytesIO(packed)) for packed in (content, gzip.compress(content, mtime=1), gzip.compress(content, 1, mtime=2))}
    assert hashes == {hashlib.sha256(content).hexdigest()}


def test_a_damaged_archive_is_known_by_its_bytes():
    whole = gzip.compress(b"id,name\n" * 1000)
    cut = whole[:-3]
    assert content_hash(io.BytesIO(cut)) == hashlib.sha256(cut).hexdigest() != content_hash(io.BytesIO(whole))


def test_an_empty_object_has_a_hash_too():
    assert content_hash(io.BytesIO(b"")) == hashlib.sha256(b"").hexdigest()
