"""What a SELECT reads: CTE, alias, quoting, nesting, shadowing understood."""

# ruff: noqa: E501 — a case a line reads as a table

import pytest

from lakehouse.graph import reads
from lakehouse.graph.reads import SQLError

READS = {
    "plain": ("SELECT a FROM orders", {"orders"}),
    "alias": ("SELECT o.a FROM orders o JOIN customers AS c ON o.c = c.c", {"orders", "customers"}),
    "backticks": ("SELECT `o`.`a` FROM `orders` AS `o`", {"orders"}),
    "case": ("SELECT a FROM Orders JOIN ORDERS o2 USING (a)", {"orders"}),
    "comma": ("SELECT 1 FROM orders, customers", {"orders", "customers"}),
    "subquery": ("SELECT a FROM (SELECT a FROM (SELECT a FROM orders) x) y", {"orders"}),
    "CTE": ("WITH recent AS (SELECT * FROM orders) SELECT * FROM recent", {"orders"}),
    "CTE on CTE": ("WITH a AS (SELECT * FROM orders), b AS (SELECT * FROM a JOIN customers) SELECT * FROM b", {"orders", "customers"}),
    "CTE unused": ("WITH a AS (SELECT * FROM orders) SELECT * FROM customers", {"orders", "customers"}),
    "CTE of a table's name": ("WITH orders AS (SELECT * FROM orders WHERE x) SELECT * FROM orders", {"orders"}),
    "CTE hiding a table": ("WITH orders AS (SELECT 1 AS a) SELECT * FROM orders", set()),
    "CTE hiding elsewhere": ("SELECT * FROM (WITH orders AS (SELECT * FROM customers) SELECT * FROM orders) x JOIN orders o ON 1=1", {"orders", "customers"}),
    "CTE in another case": ("WITH Recent AS (SELECT * FROM orders) SELECT * FROM RECENT", {"orders"}),
    "CTE in a CTE": ("WITH a AS (WITH b AS (SELECT * FROM orders) SELECT * FROM b) SELECT * FROM a", {"orders"}),
    "IN": ("SELECT a FROM orders WHERE c IN (SELECT c FROM customers)", {"orders", "customers"}),
    "EXISTS": ("SELECT a FROM orders o WHERE NOT EXISTS (SELECT 1 FROM refunds r WHERE r.a = o.a)", {"orders", "refunds"}),
    "scalar": ("SELECT a, (SELECT max(b) FROM rates) AS m FROM orders", {"orders", "rates"}),
    "in CASE": ("SELECT CASE WHEN a IN (SELECT a FROM refunds) THEN 1 END FROM orders", {"orders", "refunds"}),
    "in HAVING": ("SELECT a FROM orders GROUP BY a HAVING count(*) > (SELECT n FROM limits)", {"orders", "limits"}),
    "in ON": ("SELECT 1 FROM orders o JOIN customers c ON c.c = (SELECT max(c) FROM rates)", {"orders", "customers", "rates"}),
    "in ORDER BY": ("SELECT a FROM orders ORDER BY (SELECT max(x) FROM rates)", {"orders", "rates"}),
    "set operations": ("SELECT a FROM orders UNION ALL SELECT a FROM refunds EXCEPT SELECT a FROM rates INTERSECT SELECT a FROM limits", {"orders", "refunds", "rates", "limits"}),
    "union in a CTE": ("WITH a AS (SELECT x FROM orders UNION SELECT x FROM refunds) SELECT * FROM a", {"orders", "refunds"}),
    "lateral view": ("SELECT id, item FROM orders LATERAL VIEW explode(items) t AS item", {"orders"}),
    "lateral subquery": ("SELECT * FROM orders o, LATERAL (SELECT * FROM refunds r WHERE r.a = o.a) x", {"orders", "refunds"}),
    "table function": ("SELECT id FROM range(10)", set()),
    "values": ("SELECT * FROM VALUES (1), (2) AS t(a)", set()),
    "values beside a table": ("SELECT * FROM orders JOIN (VALUES (1)) AS t(a) USING (a)", {"orders"}),
    "no table": ("SELECT 1", set()),
    "qualified": ("SELECT * FROM lake.orders", {"lake.orders"}),
    "by path": ("SELECT * FROM delta.`s3a://lake/silver/orders`", {"delta.s3a://lake/silver/orders"}),
    "table named like a column": ("SELECT orders.orders FROM orders", {"orders"}),
    "in a comment and in text": ("SELECT 'FROM refunds' AS x /* FROM rates */ FROM orders -- FROM limits", {"orders"}),
    "pivot": ("SELECT * FROM orders PIVOT (sum(a) FOR b IN ('x', 'y'))", {"orders"}),
    "parameter": ("SELECT * FROM orders WHERE ordered_date < :as_of", {"orders"}),
}  # fmt: skip


@pytest.mark.parametrize(("sql", "tables"), READS.values(), ids=READS.keys())
def test_the_tables_a_select_reads_are_exactly_found(sql, tables):
    assert reads.tables_read(sql) == tables


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("amount > 5", set()),
        ("customer_id IN (SELECT customer_id FROM customers)", {"customers"}),
        ("`selected` = 'SELECT'", set()),
    ],
)
def test_a_condition_that_hides_a_subquery_is_seen(text, tables):
    assert reads.nested_reads(text) == tables


@pytest.mark.parametrize("sql", ["SELECT FROM FROM", "SELECT (", "", "INSERT INTO a SELECT 1", "SELECT 1; SELECT 2", "DROP TABLE a"])
def test_what_is_not_one_select_is_refused(sql):
    with pytest.raises(SQLError):
        reads.tables_read(sql)


CLOCKS = {
    "now": "SELECT now()", "today": "SELECT current_date", "called today": "SELECT current_date()",
    "timestamp": "SELECT a FROM t WHERE at < current_timestamp - INTERVAL 1 DAY", "random": "SELECT rand(), a FROM t",
    "uuid": "SELECT uuid() AS id FROM t", "unix": "SELECT unix_timestamp()", "in a subquery": "SELECT * FROM (SELECT now() AS x)",
    "counting id": "SELECT monotonically_increasing_id() FROM t", "local": "SELECT localtimestamp()",
    "curdate": "SELECT curdate()", "shuffle": "SELECT shuffle(items) FROM t", "randstr": "SELECT randstr(5) FROM t",
}  # fmt: skip


@pytest.mark.parametrize("sql", CLOCKS.values(), ids=CLOCKS.keys())
def test_functions_of_time_and_chance_are_found(sql):
    assert reads.clocks(sql)


def test_times_out_of_the_data_are_no_clock():
    assert not reads.clocks("SELECT date_add(ordered_at, 3), to_date(:as_of), unix_timestamp(ordered_at) FROM orders")


WHOLE = {
    "aggregate": "SELECT sum(a) FROM t", "group": "SELECT a FROM t GROUP BY a", "window": "SELECT row_number() OVER (ORDER BY a) FROM t",
    "distinct": "SELECT DISTINCT a FROM t", "limit": "SELECT a FROM t LIMIT 5", "union": "SELECT a FROM t UNION SELECT a FROM u",
    "except": "SELECT a FROM t EXCEPT SELECT a FROM u", "intersect": "SELECT a FROM t INTERSECT SELECT a FROM u",
    "right join": "SELECT * FROM t RIGHT JOIN u USING (a)", "full join": "SELECT * FROM t FULL JOIN u USING (a)",
    "offset": "SELECT a FROM t OFFSET 3", "collect": "SELECT collect_list(a) FROM t", "in a subquery": "SELECT * FROM (SELECT count(*) FROM t)",
}  # fmt: skip


@pytest.mark.parametrize("sql", WHOLE.values(), ids=WHOLE.keys())
def test_operations_over_more_than_one_row_are_found(sql):
    assert reads.whole_table_operations(sql)


@pytest.mark.parametrize(
    "sql",
    ["SELECT a, b * 2 FROM t JOIN u USING (a)", "SELECT a FROM t UNION ALL SELECT a FROM u", "SELECT a FROM t LEFT JOIN u USING (a)"],
)
def test_row_by_row_work_is_let_through(sql):
    assert not reads.whole_table_operations(sql)
