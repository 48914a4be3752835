"""Running in pieces equals running whole: for every table, whatever comes late, twice, out of order, is corrected or erased."""

import pytest

from tests.proofs.story import Outcome

pytestmark = [pytest.mark.integration, pytest.mark.prove, pytest.mark.timeout(0)]


def test_a_table_built_in_pieces_equals_the_table_built_whole(incremental_equals_full: list[Outcome]) -> None:
    differing = [str(o) for o in incremental_equals_full if o.problems]
    assert not differing, "\n\n".join(differing)
