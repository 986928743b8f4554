-- A first session: tables, rows, joins, aggregates, transactions, errors. What psql shows is
-- recorded from PostgreSQL 15 (server/tests/cluster/psql.rs).
CREATE TABLE customer (
    id      serial PRIMARY KEY,
    name    text NOT NULL UNIQUE,
    born    date,
    active  boolean DEFAULT true
);
CREATE TABLE purchase (
    id       bigserial PRIMARY KEY,
    customer integer NOT NULL,
    item     varchar(20) NOT NULL,
    price    numeric(10, 2) NOT NULL,
    at       timestamp DEFAULT '2024-02-29 12:00:00'
);
CREATE INDEX purchase_customer ON purchase (customer);

INSERT INTO customer (name, born) VALUES
    ('Ada', '1815-12-10'), ('Grace', '1906-12-09'), ('Edsger', '1930-05-11'), ('Barbara', NULL);
INSERT INTO purchase (customer, item, price)
    VALUES (1, 'engine', 1200.50), (1, 'paper', 3.20), (2, 'compiler', 99), (3, 'algol', 0.99)
    RETURNING id, item, price;
INSERT INTO purchase (customer, item, price)
    SELECT id, 'coffee', 2.5 * id FROM customer WHERE born IS NOT NULL;
UPDATE customer SET active = false WHERE name LIKE 'E%' RETURNING *;
SELECT * FROM customer ORDER BY id;

-- Joins
SELECT c.name, p.item, p.price
    FROM customer c JOIN purchase p ON p.customer = c.id
    ORDER BY c.name, p.price DESC;
SELECT c.name, p.item
    FROM customer c LEFT JOIN purchase p ON p.customer = c.id AND p.price > 50
    ORDER BY c.name, p.item NULLS FIRST;
SELECT a.name AS older, b.name AS younger
    FROM customer a, customer b WHERE a.born < b.born ORDER BY 1, 2;
SELECT name FROM customer c
    WHERE NOT EXISTS (SELECT 1 FROM purchase p WHERE p.customer = c.id);

-- Aggregates
SELECT count(*), count(born), min(born), max(born), bool_and(active) FROM customer;
SELECT c.name, count(p.id) AS purchases, sum(p.price) AS total, round(avg(p.price), 3) AS average
    FROM customer c LEFT JOIN purchase p ON p.customer = c.id
    GROUP BY c.name HAVING count(p.id) <> 1 ORDER BY total DESC NULLS LAST;
SELECT extract(century FROM born) AS century, string_agg(name, ', ' ORDER BY name)
    FROM customer GROUP BY 1 ORDER BY 1;
SELECT DISTINCT item FROM purchase ORDER BY item LIMIT 3 OFFSET 1;
SELECT name FROM customer UNION SELECT item FROM purchase ORDER BY 1;

-- Types as they are shown
SELECT 1::int2, 2::int8, 1.50::numeric, 1e10::float8, 'x'::char(3), '\xdead'::bytea,
       '12:34:56.7'::time, interval '1 day 2 hours', true;
SELECT '{"b": [1, 2], "a": null}'::jsonb AS j,
       'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, NULL AS nothing, '' AS empty;

-- Transactions
BEGIN;
UPDATE purchase SET price = price * 2 WHERE item = 'coffee';
SELECT sum(price) FROM purchase WHERE item = 'coffee';
ROLLBACK;
SELECT sum(price) FROM purchase WHERE item = 'coffee';
BEGIN;
DELETE FROM purchase WHERE item = 'paper';
SAVEPOINT before_more;
DELETE FROM purchase;
SELECT count(*) FROM purchase;
ROLLBACK TO before_more;
SELECT count(*) FROM purchase;
COMMIT;
SELECT count(*) FROM purchase;

-- An error in a block
BEGIN;
INSERT INTO customer (name) VALUES ('Alan');
SELECT 1 / 0;
SELECT count(*) FROM customer;
COMMIT;
SELECT count(*) FROM customer WHERE name = 'Alan';

-- DDL is rolled back
BEGIN;
CREATE TABLE passing (id int PRIMARY KEY);
INSERT INTO passing VALUES (1), (2);
ALTER TABLE customer ADD COLUMN email text DEFAULT 'none';
SELECT name, email FROM customer ORDER BY id LIMIT 1;
DROP TABLE purchase;
ROLLBACK;
SELECT * FROM passing;
SELECT email FROM customer;
SELECT count(*) FROM purchase;
ALTER TABLE customer ADD COLUMN email text DEFAULT 'none';
UPDATE customer SET email = lower(name) || '@example.org' WHERE id = 1;
SELECT id, name, email FROM customer ORDER BY id;
ALTER TABLE customer DROP COLUMN email;

-- Errors, one after another
INSERT INTO customer (name) VALUES ('Ada');
INSERT INTO customer (id, name) VALUES (100, NULL);
INSERT INTO purchase (customer, item, price) VALUES (1, 'an item with much too long a name', 1);
INSERT INTO purchase (customer, item, price) VALUES (1, 'costly', 123456789012);
SELECT * FROM nowhere;
SELECT nothing FROM customer;
SELECT nofunction(1);
SELECT 'twelve'::int;
SELEC 1;
SELECT name FROM customer GROUP BY id, born HAVING name > 'A' ORDER BY max(id) LIMIT 1;
SELECT name, count(*) FROM customer;
DROP TABLE nowhere;
CREATE TABLE customer (id int);

-- Writes that meet what is there
INSERT INTO customer (name, born) VALUES ('Ada', '1815-12-10')
    ON CONFLICT (name) DO UPDATE SET active = NOT customer.active RETURNING name, active;
INSERT INTO customer (name) VALUES ('Ada') ON CONFLICT DO NOTHING;
DELETE FROM purchase p USING customer c WHERE c.id = p.customer AND NOT c.active;
COPY (SELECT id, name, active FROM customer ORDER BY name) TO STDOUT;
COPY purchase (customer, item, price) FROM STDIN;
4	structures	7.25
2	nanosecond	0.10
\.
SELECT customer, item, price FROM purchase ORDER BY customer, item;
PREPARE by_customer (int) AS SELECT count(*) FROM purchase WHERE customer = $1;
EXECUTE by_customer(2);
DEALLOCATE by_customer;
TRUNCATE purchase;
SELECT count(*) FROM purchase;
DROP TABLE purchase, customer;
