"""Each refusal says what was received, what is valid, how to repair it, and where."""

# ruff: noqa: E501 — a case a line reads as a table

import re

import pytest

from lakehouse.graph import GraphError, load

from .package import CUSTOMERS, FCT_ORDERS, ORDERS, SHOP_ORDERS, STANDING, sql_table, write

NEW = "gold/fct_new.py"
DAY = 'Column("as_of_date", "date", "Day.")'


def table(signature, body="return orders", columns='Column("order_id", "string", "Number.")', **options):
    given = {"key": '"order_id"', "owner": '"commerce"', **options}
    declared = ", ".join(f"{k}={v}" for k, v in given.items() if v)
    return f'@table({declared}, columns=[{columns}])\ndef {signature}:\n    "New."\n    {body}\n'


def told(tmp_path, files):
    jobs = write(tmp_path, {**STANDING, **files})
    with pytest.raises(GraphError) as refused:
        load(jobs)
    return str(refused.value)


ORDER_ID = 'Column("order_id", "string", "Number."'

REFUSALS = {
    # what a parameter may be
    "misspelt input": (NEW, table("fct_new(ordres: Snapshot)"), "fct_new: parameter 'ordres' is no table. Did you mean 'orders'?"),
    "input from nowhere": (NEW, table("fct_new(zzz: Snapshot)"), "parameter 'zzz' is no table. Valid: customers, fct_orders, orders, shop__orders."),
    "no annotation": (NEW, table("fct_new(orders)"), "parameter 'orders' has no annotation. Valid: Snapshot, Changes, Touched[\"column\"]"),
    "wrong annotation": (NEW, table("fct_new(orders: int)"), "parameter 'orders' has annotation <class 'int'>. Valid: Snapshot"),
    "annotation not imported": (NEW, table("fct_new(orders: 'Snapshat')"), "an annotation names name 'Snapshat' is not defined. Import it from lakehouse.declare."),
    "later layer": ("silver/lines.py", table("lines(fct_orders: Snapshot)"), "a silver table reads 'fct_orders' of the later layer gold. Valid: bronze, silver. Move one of the two files."),
    "reads itself": (NEW, table("fct_new(fct_new: Snapshot)"), "fct_new: a cycle, fct_new reads fct_new. Remove one"),
    "model read as a table": (NEW, table("fct_new(orders: Model)"), "parameter 'orders' is annotated model but is a table. Annotate it Snapshot."),
    # names and places
    "name of another layer": ("gold/orders_daily.py", table("orders_daily(orders: Snapshot)"), "the name does not fit the layer gold. Valid: fct_<events>, dim_<thing> or agg_<subject>_<grain>."),
    "silver with a gold name": ("silver/dim_new.py", table("dim_new(orders: Snapshot)"), "does not fit the layer silver. Valid: <things>, without a prefix"),
    "bronze without its source's name": ("bronze/raw.py", SHOP_ORDERS.replace("shop__orders", "raw"), "does not fit the layer bronze. Valid: <source>__<things>."),
    "file of another name": ("gold/fct_other.py", table("fct_new(orders: Snapshot)"), "the file is called 'fct_other.py'. Rename it to 'fct_new.py'"),
    "two in one file": (NEW, table("fct_new(orders: Snapshot)") + "\n" + table("fct_second(orders: Snapshot)"), "fct_new: 2 declarations in one file (fct_new, fct_second). A table is one file: move the others."),
    "two of one name": ("gold/again/fct_orders.py", FCT_ORDERS, "fct_orders: two tables of one name. Rename one of them."),
    "model outside its folder": ("gold/fct_new.py", '@model(owner="x")\ndef fct_new(orders: Snapshot):\n    "M."\n', "a model declared in jobs/gold/. Models belong in jobs/models/"),
    # what a declaration holds
    "no docstring": (NEW, table("fct_new(orders: Snapshot)").replace('    "New."\n', ""), "it has no docstring. The docstring is the table's description: write one sentence."),
    "no owner": (NEW, table("fct_new(orders: Snapshot)", owner='""'), "owner is empty. Say who answers for it"),
    "refresh unknown": (NEW, table("fct_new(orders: Snapshot)", refresh='"daily"'), "refresh='daily' is none. Valid: hourly, nightly, weekly."),
    "type unknown": (NEW, table("fct_new(orders: Snapshot)", columns='Column("order_id", "text", "N.")'), "column 'order_id': type 'text' is none. Valid: string, boolean"),
    "sensitivity unknown": (NEW, table("fct_new(orders: Snapshot)", columns=f'{ORDER_ID}, sensitivity="secret")'), "sensitivity 'secret' is none. Valid: public, internal, pseudonym, personal, highly_sensitive."),
    "no rule": (NEW, table("fct_new(orders: Snapshot)", columns=f'{ORDER_ID}, "not null")'), "column 'order_id': 'not null' is no rule. Rules are made by at_least"),
    "no key": (NEW, table("fct_new(orders: Snapshot)", key=""), "it has no key. Every table above bronze has one"),
    "key no column": (NEW, table("fct_new(orders: Snapshot)", key='"order"'), "key 'order' is no column. Did you mean 'order_id'?"),
    "partition no column": (NEW, table("fct_new(orders: Snapshot)", partitioned_by='"day"'), "partitioned_by 'day' is no column. Valid: order_id."),
    "column twice": (NEW, table("fct_new(orders: Snapshot)", columns=f"{ORDER_ID}), {ORDER_ID})"), "column 'order_id' is declared 2 times. Keep one."),
    "rule on no column": (NEW, table("fct_new(orders: Snapshot)", checks='[references("customers", "customer")]'), "rule 'customer' is no column. Valid: order_id."),
    "rule twice": (NEW, table("fct_new(orders: Snapshot)", columns=f"{ORDER_ID}, not_null(), not_null())"), "rule 'order_id: not_null' is declared 2 times. Keep one, or name them apart."),
    "clock moves rows": (NEW, table("fct_new(orders: Snapshot)", columns=f'{ORDER_ID}), Column("at", "timestamp", "W.", not_in_future("quarantine"))'), "rule 'at: not_in_future' depends on the time of the run, so it cannot move rows. Use action=\"flag\"."),
    "deletion without order": (NEW, table("fct_new(orders: Changes)", deleted_when='"gone"'), "deleted_when= needs latest_by="),
    "latest without changes": (NEW, table("fct_new(orders: Snapshot)", latest_by='"order_id"'), "latest_by= goes with an input annotated Changes."),
    "erased above bronze": (NEW, table("fct_new(orders: Snapshot)", when_erased='"empty"'), "when_erased= is for bronze: what rests on it follows. Say it of the bronze table."),
    "erased somehow": (NEW, table("fct_new(orders: Snapshot)", when_erased='"forget"'), "when_erased='forget' is none. Valid: delete, empty."),
    # references
    "reference to no table": (NEW, table("fct_new(orders: Snapshot)", checks='[references("customer", "order_id")]'), "the reference names 'customer', which is no table. Did you mean 'customers'?"),
    "reference to no column": (NEW, table("fct_new(orders: Snapshot)", checks='[references("customers", "order_id", "customer")]'), "the reference names 'customer', which is no column of customers. Did you mean 'customer_id'?"),
    "reference to a later layer": ("silver/lines.py", table("lines(orders: Snapshot)", checks='[references("fct_orders", "order_id")]'), "the reference looks into 'fct_orders' of the later layer gold. Reference a table of an earlier layer."),
    # how inputs go together
    "two Changes": (NEW, table("fct_new(orders: Changes, customers: Changes)"), "2 inputs are annotated Changes (orders, customers); one may be. To join changes use Touched[…] on both."),
    "Changes beside Touched": (NEW, table('fct_new(orders: Changes, customers: Touched["customer_id"])'), "Changes and Touched do not go together. Use Touched[…] on all inputs"),
    "different groups": (NEW, table('fct_new(orders: Touched["order_id"], customers: Touched["customer_id"])'), "all Touched inputs name the same columns; received orders: ['order_id'], customers: ['customer_id']."),
    "group not in the input": (NEW, table('fct_new(customers: Touched["order_id"])'), "Touched['order_id'] is no column of 'customers'. Did you mean 'customer_id'?"),
    "group not in the table": (NEW, table('fct_new(orders: Touched["customer_id"])'), "Touched['customer_id'] must be a column of this table too, so that its groups can be found. Add it."),
    "day outside the key": (NEW, table("fct_new(orders: Snapshot, as_of: AsOf)"), "it takes as_of, so its rows belong to a day: add the column 'as_of_date' (date) to its key."),
    "day over changes": (NEW, table("fct_new(orders: Changes, as_of: AsOf)", key='["order_id", "as_of_date"]', columns=f"{ORDER_ID}), {DAY}"), "computes that day from whole inputs: annotate them Snapshot or Frozen."),
    # bronze
    "bronze without source": ("bronze/web__events.py", table("web__events(landed: Landed)", key=""), 'a bronze table needs its source. Add source=JsonLines("web/events"), Csv(…) or ChangeRows(…).'),
    "bronze reads a table": ("bronze/web__events.py", table("web__events(shop__orders: Snapshot)", key="", source='JsonLines("web/events")'), "a bronze table reads landing and nothing else. Give it one parameter"),
    "landing above bronze": ("silver/lines.py", table("lines(landed: Landed)"), "only bronze tables read landing; this one is in jobs/silver/. Read a bronze table instead."),
    "source above bronze": ("silver/lines.py", table("lines(orders: Snapshot)", source='Csv("retail")'), "only bronze tables read landing"),
    # SQL
    "SQL reads what is no parameter": (NEW, sql_table("SELECT order_id FROM orders JOIN customers USING (customer_id)"), "the SQL reads 'customers', which is no parameter. Valid: orders. Add it as a parameter to read it."),
    "SQL reads a misspelt table": (NEW, sql_table("SELECT order_id FROM order"), "the SQL reads 'order', which is no parameter. Did you mean 'orders'?"),
    "SQL leaves an input unread": (NEW, sql_table("SELECT order_id FROM orders", "orders: Snapshot, customers: Snapshot"), "parameter 'customers' is never read by the SQL. Remove it, or read it."),
    "SQL broken": (NEW, sql_table("SELECT order_id FROM orders WHERE ("), "the SQL cannot be parsed:"),
    "SQL of two statements": (NEW, sql_table("SELECT order_id FROM orders; SELECT 1"), "the SQL must be one SELECT. Remove further statements"),
    "SQL that writes": (NEW, sql_table("DROP TABLE orders"), "the SQL must be one SELECT"),
    "SQL with a clock": (NEW, sql_table("SELECT order_id FROM orders WHERE total < CURRENT_DATE"), "a table has no clock and no chance. Take `as_of: AsOf`"),
    "SQL with chance": (NEW, sql_table("SELECT order_id FROM orders WHERE rand() < 0.5"), "the SQL calls rand()"),
    "SQL aggregates changes": (NEW, sql_table("SELECT order_id, count(*) FROM orders GROUP BY order_id", "orders: Changes"), "over an input annotated Changes, which holds changed rows only. Use Touched[…] or Snapshot."),
    "SQL not returned": (NEW, sql_table("").replace("return ''", "return None"), "it is annotated `-> SQL` but returned NoneType. Return the SELECT as text."),
    "SQL failing to be written": (NEW, sql_table("").replace("return ''", "return orders.sql"), "the function fails where it should return SQL: AttributeError"),
    # Python
    "a clock in Python": (NEW, "import datetime\n" + table("fct_new(orders: Snapshot)", "return orders.where(str(datetime.date.today()))"), "calls date.today(): a table has no clock and no chance"),
    "file that fails": (NEW, "1 / 0\n", "fct_new: the file cannot be imported: ZeroDivisionError: division by zero"),
    "file that is no Python": (NEW, "def fct_new(:\n", "fct_new: the file cannot be imported: SyntaxError"),
}  # fmt: skip


@pytest.mark.parametrize(("file", "text", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_what_does_not_fit_is_refused_with_its_reason_and_place(tmp_path, file, text, message):
    said = told(tmp_path, {file: text})
    assert message in said, said
    problem = said[said.rindex("\n", 0, said.index(message)) :]
    assert re.search(rf"{re.escape(file)}:\d+$", problem, re.M), said


def test_a_refusal_points_at_the_line_where_the_declaration_begins(tmp_path):
    said = told(tmp_path, {NEW: "\n\n" + table("fct_new(ordres: Snapshot)")})
    assert said.endswith("jobs/gold/fct_new.py:6")


def test_a_cycle_names_every_table_and_file_in_it(tmp_path):
    files = {
        f"silver/{name}.py": table(f"{name}({reads}: Snapshot)", f"return {reads}")
        for name, reads in (("first", "second"), ("second", "third"), ("third", "first"))
    }
    said = told(tmp_path, files)
    ring = re.search(r"a cycle, (\w+) reads (\w+) reads (\w+) reads (\w+)\. Remove one of these inputs", said)
    assert ring and ring[1] == ring[4] and {*ring.groups()} == {"first", "second", "third"}
    assert all(f"silver/{name}.py:4" in said for name in ("first", "second", "third"))


def test_a_cycle_through_a_reference_is_a_cycle(tmp_path):
    customers = CUSTOMERS.replace('owner="crm"', 'owner="crm", checks=[references("orders", "customer_id")]')
    orders = ORDERS.replace('owner="commerce"', 'owner="commerce", checks=[references("customers", "customer_id")]')
    assert "a cycle" in told(tmp_path, {"silver/customers.py": customers, "silver/orders.py": orders})


def test_a_table_may_not_look_values_up_in_itself(tmp_path):
    tree = table("categories(orders: Snapshot)", columns=f'{ORDER_ID}), Column("parent", "string", "Above.")',
                 checks='[references("categories", "parent", "order_id")]')  # fmt: skip
    said = told(tmp_path, {"silver/categories.py": tree})
    assert "looks into the table itself" in said and "Check it in a table that reads this one." in said


def test_a_misspelt_option_is_refused_not_ignored(tmp_path):
    said = told(tmp_path, {NEW: table("fct_new(orders: Snapshot)", partioned_by='"order_id"')})
    assert "unexpected keyword argument 'partioned_by'" in said and "fct_new.py:" in said


def test_the_number_of_problems_stands_first(tmp_path):
    assert told(tmp_path, {NEW: table("fct_new(ordres: Snapshot)")}).startswith("1 problem in ")
