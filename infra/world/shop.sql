-- The shop's own database, as its developers would have made it, with the outbox the lakehouse reads.
SET search_path = public;

-- What the shop believes the time is: the world's time while the world writes, else the clock.
CREATE OR REPLACE FUNCTION shop_now() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('shop.now', true), '')::timestamptz, clock_timestamp()) $$;

CREATE TABLE IF NOT EXISTS customers (
    customer_id text PRIMARY KEY,
    email text NOT NULL UNIQUE,
    first_name text NOT NULL,
    last_name text NOT NULL,
    phone text,
    street text NOT NULL,
    postcode text NOT NULL,
    city text NOT NULL,
    country char(2) NOT NULL,
    segment text NOT NULL CHECK (segment IN ('private', 'business', 'student')),
    created_at timestamptz NOT NULL DEFAULT shop_now(),
    updated_at timestamptz NOT NULL DEFAULT shop_now()
);
CREATE TABLE IF NOT EXISTS products (
    product_id text PRIMARY KEY,
    name text NOT NULL,
    category text NOT NULL,
    brand text NOT NULL,
    price numeric(12,2) NOT NULL CHECK (price > 0),
    cost numeric(12,2) NOT NULL CHECK (cost > 0),
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT shop_now(),
    updated_at timestamptz NOT NULL DEFAULT shop_now()
);
CREATE TABLE IF NOT EXISTS orders (
    order_id text PRIMARY KEY,
    customer_id text REFERENCES customers,  -- empty once the customer was deleted
    status text NOT NULL CHECK (status IN ('placed', 'shipped', 'delivered', 'cancelled')),
    sales_channel text NOT NULL CHECK (sales_channel IN ('web', 'phone')),
    utm_source text,
    utm_medium text,
    utm_campaign text,
    payment_method text NOT NULL,
    currency char(3) NOT NULL DEFAULT 'EUR',
    total numeric(12,2) NOT NULL CHECK (total >= 0),
    ordered_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT shop_now(),
    updated_at timestamptz NOT NULL DEFAULT shop_now()
);
CREATE INDEX IF NOT EXISTS orders_of_customer ON orders (customer_id);
CREATE TABLE IF NOT EXISTS order_lines (
    line_id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    line_number integer NOT NULL CHECK (line_number > 0),
    product_id text NOT NULL REFERENCES products,
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(12,2) NOT NULL CHECK (unit_price >= 0),
    discount numeric(12,2) NOT NULL DEFAULT 0 CHECK (discount >= 0),
    amount numeric(12,2) NOT NULL CHECK (amount = quantity * unit_price - discount),
    updated_at timestamptz NOT NULL DEFAULT shop_now(),
    UNIQUE (order_id, line_number)
);
CREATE TABLE IF NOT EXISTS refunds (
    refund_id text PRIMARY KEY,
    order_id text NOT NULL REFERENCES orders,
    line_id text REFERENCES order_lines,
    amount numeric(12,2) NOT NULL CHECK (amount > 0),
    reason text NOT NULL,
    refunded_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT shop_now()
);
CREATE TABLE IF NOT EXISTS consents (
    consent_id text PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers,
    purpose text NOT NULL CHECK (purpose IN ('email_marketing', 'analytics', 'personalisation')),
    is_granted boolean NOT NULL,
    source text NOT NULL,
    changed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT shop_now(),
    UNIQUE (customer_id, purpose)
);
-- Points for delivered orders, kept by another team's program that writes no outbox: the lakehouse reads its changes from the log.
CREATE TABLE IF NOT EXISTS loyalty_accounts (
    account_id text PRIMARY KEY,
    customer_id text NOT NULL UNIQUE REFERENCES customers ON DELETE CASCADE,
    points integer NOT NULL CHECK (points >= 0),
    enrolled_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- One row per change, written in the change's own transaction.
CREATE TABLE IF NOT EXISTS outbox (
    sequence bigserial PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    operation text NOT NULL CHECK (operation IN ('upsert', 'delete')),
    table_name text NOT NULL,
    row jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS outbox_by_transaction ON outbox (xid);

-- Whole statements at once: a row trigger would cost a third of the load's time. The key is the first argument.
CREATE OR REPLACE FUNCTION note_upserts() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO outbox (operation, table_name, row, at)
    SELECT 'upsert', TG_TABLE_NAME, to_jsonb(c), c.updated_at FROM changed c
    ORDER BY c.updated_at, to_jsonb(c) ->> TG_ARGV[0];
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION note_deletes() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO outbox (operation, table_name, row, at)
    SELECT 'delete', TG_TABLE_NAME, jsonb_build_object(TG_ARGV[0], to_jsonb(c) -> TG_ARGV[0]), shop_now() FROM changed c
    ORDER BY to_jsonb(c) ->> TG_ARGV[0];
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION note_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := shop_now();
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION give_points() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loyalty_accounts AS known (account_id, customer_id, points, enrolled_at, updated_at)
    SELECT 'L-' || n.customer_id, n.customer_id, sum(floor(n.total))::int, max(n.updated_at), max(n.updated_at)
    FROM now_there n JOIN before_it b USING (order_id)
    WHERE n.status = 'delivered' AND b.status <> 'delivered' AND n.customer_id IS NOT NULL
    GROUP BY n.customer_id ORDER BY n.customer_id
    ON CONFLICT (account_id) DO UPDATE SET points = known.points + EXCLUDED.points, updated_at = EXCLUDED.updated_at;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER orders_give_points AFTER UPDATE ON orders REFERENCING OLD TABLE AS before_it NEW TABLE AS now_there
    FOR EACH STATEMENT EXECUTE FUNCTION give_points();
-- An order's total is the sum of its lines' amounts in every committed state; refunds and cancellations are rows and
-- states beside it and never change it.
CREATE OR REPLACE FUNCTION check_total() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked text := CASE WHEN TG_OP = 'DELETE' THEN OLD.order_id ELSE NEW.order_id END;
    stated numeric := (SELECT total FROM orders WHERE order_id = checked);
    summed numeric := (SELECT coalesce(sum(amount), 0) FROM order_lines WHERE order_id = checked);
BEGIN
    IF stated <> summed THEN
        RAISE EXCEPTION 'order %: its total is %, its lines sum up to %. Write an order and its lines in one transaction',
            checked, stated, summed USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    t text;
    key text;
BEGIN
    FOR t, key IN VALUES ('customers', 'customer_id'), ('products', 'product_id'), ('orders', 'order_id'),
                         ('order_lines', 'line_id'), ('refunds', 'refund_id'), ('consents', 'consent_id') LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I_inserted AFTER INSERT ON %I REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION note_upserts(%L)', t, t, key);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I_updated AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION note_upserts(%L)', t, t, key);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS changed
                        FOR EACH STATEMENT EXECUTE FUNCTION note_deletes(%L)', t, t, key);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I_touched BEFORE UPDATE ON %I FOR EACH ROW
                        WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION note_time()', t, t);
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'order_total_agrees') THEN
        CREATE CONSTRAINT TRIGGER order_total_agrees AFTER INSERT OR UPDATE OF total ON orders
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_total();
        CREATE CONSTRAINT TRIGGER line_amounts_agree AFTER INSERT OR DELETE OR UPDATE OF amount, order_id ON order_lines
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_total();
    END IF;
END $$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'lakehouse') THEN
        CREATE PUBLICATION lakehouse FOR TABLE loyalty_accounts;
    END IF;
END $$;

-- The world's own memory, apart from the shop's tables; nothing of it is ever landed.
CREATE SCHEMA IF NOT EXISTS world;
CREATE TABLE IF NOT EXISTS world.company (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seed bigint NOT NULL,
    size text NOT NULL,
    customers integer NOT NULL,
    start date NOT NULL,
    advanced_to timestamptz NOT NULL,
    day integer NOT NULL,
    state bytea NOT NULL
);
-- Up to which moment the outbox is complete: a promise the lander asks for instead of the clock.
CREATE OR REPLACE FUNCTION outbox_clock() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT advanced_to FROM world.company $$;
