"""What a declaration becomes in Postgres, without Postgres."""

from __future__ import annotations

import pytest

from lakehouse.declare import Column, references
from lakehouse.warehouse.shape import LONGEST_NAME, Unpublishable, create_view, postgres_type, shape
from tests.warehouse.star import DIM_CUSTOMER, FCT_ORDERS, declared, star


@pytest.mark.parametrize(
    ("declared_as", "held_as"),
    [
        ("string", "text"), ("decimal(38,10)", "numeric(38,10)"), ("timestamp", "timestamp with time zone"),
        ("tinyint", "smallint"), ("array<string>", "text[]"), ("array<decimal(12,2)>", "numeric(12,2)[]"),
        ("array<array<int>>", "jsonb"), ("array<struct<a:int>>", "jsonb"), ("struct<a:int>", "jsonb"), ("map<string,int>", "jsonb"),
    ],
)  # fmt: skip
def test_a_type_keeps_its_meaning(declared_as: str, held_as: str) -> None:
    assert postgres_type(declared_as) == held_as


def test_only_columns_that_tell_of_a_person_are_masked() -> None:
    view = create_view(shape(star(DIM_CUSTOMER), DIM_CUSTOMER), "dim_customer__3", ["country", "customer_id", "balance"]).as_string()
    assert view == (
        'CREATE OR REPLACE VIEW "marts"."dim_customer" AS SELECT "country", '
        "(CASE WHEN marts_data.sees('reads_pseudonym') THEN \"customer_id\" END)::text AS \"customer_id\", "
        "(CASE WHEN marts_data.sees('reads_personal') THEN \"balance\" END)::numeric(12,2) AS \"balance\" "
        'FROM "marts_data"."dim_customer__3"'
    )


def test_hidden_columns_are_left_out() -> None:
    table = declared("dim_thing", "number", [Column("number", "int", "Counts."), Column("_run_id", "string", "Lineage.")])
    assert [c.name for c in shape(star(table), table).columns] == ["number"]


def test_references_count_only_to_published_tables_and_give_an_index_and_a_comment() -> None:
    both, alone = shape(star(DIM_CUSTOMER, FCT_ORDERS), FCT_ORDERS), shape(star(FCT_ORDERS), FCT_ORDERS)
    assert [str(r) for r in both.references] == ["fct_orders.customer_id → dim_customer.customer_id"]
    assert both.indexed == ("customer_id",)
    assert {c.name: c.comment for c in both.columns}["customer_id"] == "Who ordered. References dim_customer.customer_id."
    assert (alone.references, alone.indexed) == ((), ())


def test_a_reference_on_the_keys_first_column_needs_no_second_index() -> None:
    table = declared("fct_x", ["order_id", "n"], [Column("order_id", "bigint", "Order."), Column("n", "int", "N.")],
                     checks=[references("fct_orders", "order_id")])  # fmt: skip
    assert shape(star(table, FCT_ORDERS), table).indexed == ()


def test_a_name_that_postgres_would_cut_is_refused() -> None:
    table = declared("fct_" + "x" * LONGEST_NAME, "n", [Column("n", "int", "N.")])
    with pytest.raises(Unpublishable, match=f"Valid: at most {LONGEST_NAME}"):
        shape(star(table), table)


def test_data_are_loaded_again_for_another_type_and_not_for_another_description() -> None:
    def thing(kind: str, description: str) -> tuple[str, str]:
        table = declared("dim_thing", "n", [Column("n", "int", "N."), Column("name", kind, description)])
        made = shape(star(table), table)
        return made.data, made.view

    first, described, retyped = thing("string", "A."), thing("string", "B."), thing("int", "A.")
    assert first[0] == described[0] != retyped[0]
    assert first[1] != described[1]
