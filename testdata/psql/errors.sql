-- Errors, with the place in the statement that each one points at. What psql shows is recorded from
-- PostgreSQL 15 (server/tests/cluster/psql.rs).
CREATE TABLE parent (id integer PRIMARY KEY, name text NOT NULL, amount numeric(8, 2));
CREATE TABLE child (id bigint PRIMARY KEY, parent integer REFERENCES parent, at timestamptz);
CREATE VIEW rich AS SELECT id, name FROM parent WHERE amount > 100;
CREATE SEQUENCE counter;
INSERT INTO parent VALUES (1, 'one', 1.00), (2, 'two', 2.00);

-- Syntax
SELEC 1;
SELECT 1 +;
SELECT 1 FROM;
SELECT * FROM parent WHERE;
SELECT (1;);
INSERT INTO parent VALUES (1,);
CREATE TABLE t (a int b int);
UPDATE parent SET;
DELETE parent;

-- Names
SELECT missing FROM parent;
SELECT parent.missing FROM parent;
SELECT p.id FROM parent;
SELECT parent.id FROM parent p;
SELECT * FROM missing;
SELECT * FROM missing.parent;
SELECT id, * FROM parent, missing;
SELECT id FROM parent, child;
SELECT id FROM parent JOIN child ON parent.id = child.missing;
SELECT * FROM parent JOIN child USING (missing);
SELECT name, nme FROM parent;
SELECT id FROM parent ORDER BY missing;
SELECT id FROM parent GROUP BY missing;
SELECT id FROM parent GROUP BY 2;
SELECT id FROM parent ORDER BY 3;
SELECT x.* FROM parent;
SELECT id FROM parent AS p JOIN child AS p ON true;

-- Functions and operators
SELECT missing(1);
SELECT lower(1, 2);
SELECT   upper(id) FROM parent;
SELECT 'a' + 1;
SELECT id + name FROM parent;
SELECT name AND true FROM parent;
SELECT NOT id FROM parent;
SELECT id FROM parent WHERE id = 'x';
SELECT id FROM parent WHERE name = 1;
SELECT id FROM parent WHERE id;
SELECT -name FROM parent;
SELECT sum(name) FROM parent;
SELECT count(*) FROM parent WHERE count(*) > 1;
SELECT sum(sum(id)) FROM parent;
SELECT name, count(*) FROM parent;
SELECT id FROM parent HAVING count(*) > 0;
SELECT row_number() FROM parent;
SELECT id FROM parent WHERE row_number() OVER () = 1;

-- Types
SELECT 'x'::integer;
SELECT CAST('2024-13-01' AS date);
SELECT 1::missing;
SELECT integer 'x';
SELECT id::date FROM parent;
SELECT CASE WHEN id THEN 1 END FROM parent;
SELECT CASE WHEN true THEN 1 ELSE 'x' END;
SELECT COALESCE(id, name) FROM parent;
SELECT id FROM parent UNION SELECT name FROM parent;
SELECT id, name FROM parent UNION SELECT id FROM parent;
SELECT id IN ('a') FROM parent;
SELECT id IN (SELECT name FROM parent) FROM parent;
SELECT (SELECT id, name FROM parent) FROM parent;
SELECT ARRAY[1, 'x'];
VALUES (1), (1, 2);
VALUES (1), ('x');
SELECT 1 LIMIT 'x';
SELECT id FROM parent LIMIT id;
SELECT 99999999999::integer;
SELECT 1 / 0;

-- Writes
INSERT INTO missing VALUES (1);
INSERT INTO parent (id, missing) VALUES (1, 2);
INSERT INTO parent (id, id) VALUES (1, 2);
INSERT INTO parent (id) VALUES (1, 2);
INSERT INTO parent (id, name) VALUES (1);
INSERT INTO parent VALUES (3, 'x', 'y');
INSERT INTO parent VALUES (3, 'x', true);
INSERT INTO parent VALUES (1, 'again', 1);
INSERT INTO parent VALUES (4, NULL, 1);
INSERT INTO parent VALUES (4, 'x', 1234567.89);
INSERT INTO child VALUES (1, 9);
INSERT INTO parent VALUES (5, 'x') RETURNING missing;
INSERT INTO parent VALUES (5, 'x') ON CONFLICT (name) DO NOTHING;
INSERT INTO parent VALUES (5, 'x') ON CONFLICT (missing) DO NOTHING;
UPDATE missing SET a = 1;
UPDATE parent SET missing = 1;
UPDATE parent SET id = 'x';
UPDATE parent SET id = true;
UPDATE parent SET id = 1, id = 2;
UPDATE parent SET (id, name) = (1);
UPDATE parent SET id = 1 WHERE missing = 1;
UPDATE parent SET id = count(*);
DELETE FROM missing;
DELETE FROM parent WHERE missing = 1;
DELETE FROM parent WHERE id = 1 RETURNING parent.missing;

-- Definitions
CREATE TABLE parent (id integer);
CREATE TABLE IF NOT EXISTS parent (id integer);
CREATE TABLE t (a missing);
CREATE TABLE t (a integer, b missing.type);
CREATE TABLE t (a varchar(0));
CREATE TABLE t (a numeric(2000));
CREATE TABLE t (a integer, a text);
CREATE TABLE t (a integer, ctid text);
CREATE TABLE t (a integer DEFAULT missing);
CREATE TABLE t (a integer DEFAULT 'x');
CREATE TABLE t (a integer DEFAULT true);
CREATE TABLE t (a integer DEFAULT b, b integer);
CREATE TABLE t (a integer DEFAULT 1 DEFAULT 2);
CREATE TABLE t (a integer NULL NOT NULL);
CREATE TABLE t (a serial DEFAULT 1);
CREATE TABLE t (a integer PRIMARY KEY, b integer PRIMARY KEY);
CREATE TABLE t (a integer PRIMARY KEY, PRIMARY KEY (a));
CREATE TABLE t (a integer, PRIMARY KEY (b));
CREATE TABLE t (a integer, UNIQUE (a, a));
CREATE TABLE t (a integer, CHECK (b > 0));
CREATE TABLE t (a integer, CHECK (a));
CREATE TABLE t (a integer CHECK (a > 'x'));
CREATE TABLE t (a integer, CHECK (count(*) > 0));
CREATE TABLE t (a integer, CHECK (a > (SELECT 1)));
CREATE TABLE t (a integer REFERENCES missing);
CREATE TABLE t (a integer REFERENCES parent (missing));
CREATE TABLE t (a text REFERENCES parent);
CREATE TABLE t (a integer, FOREIGN KEY (b) REFERENCES parent);
CREATE TABLE t (a integer GENERATED ALWAYS AS (b * 2) STORED);
CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY DEFAULT 1);
CREATE TABLE t (a text GENERATED ALWAYS AS IDENTITY);
CREATE TABLE missing.t (a integer);
CREATE TABLE t AS SELECT missing FROM parent;
CREATE INDEX ON missing (id);
CREATE INDEX ON parent (missing);
CREATE INDEX parent_pkey ON parent (name);
CREATE INDEX ON parent (name) WHERE missing;
CREATE INDEX ON parent (name) WHERE id;
CREATE VIEW v AS SELECT missing FROM parent;
CREATE VIEW v (a, b, c) AS SELECT id FROM parent;
CREATE VIEW v AS SELECT id, id FROM parent;
CREATE VIEW rich AS SELECT 1 AS a;
CREATE SEQUENCE counter;
CREATE SEQUENCE s INCREMENT 0;
CREATE SEQUENCE s MINVALUE 5 MAXVALUE 1;
CREATE SEQUENCE s AS text;
CREATE SEQUENCE s AS missing;
CREATE SCHEMA public;
CREATE DATABASE postgres;
ALTER TABLE missing ADD COLUMN a integer;
ALTER TABLE parent ADD COLUMN id integer;
ALTER TABLE parent ADD COLUMN a missing;
ALTER TABLE parent ADD COLUMN a integer DEFAULT 'x';
ALTER TABLE parent ADD COLUMN a integer DEFAULT missing;
ALTER TABLE parent ADD COLUMN a integer NOT NULL;
ALTER TABLE parent ADD COLUMN a integer CHECK (missing > 0);
ALTER TABLE parent DROP COLUMN missing;
ALTER TABLE parent DROP COLUMN id;
ALTER TABLE parent ALTER COLUMN missing SET NOT NULL;
ALTER TABLE parent ALTER COLUMN amount SET DEFAULT 'x';
ALTER TABLE parent ALTER COLUMN amount SET DEFAULT missing;
ALTER TABLE parent ALTER COLUMN name TYPE missing;
ALTER TABLE parent ALTER COLUMN name TYPE integer;
ALTER TABLE parent ALTER COLUMN name TYPE integer USING missing;
ALTER TABLE parent ALTER COLUMN name TYPE integer USING true;
ALTER TABLE parent RENAME COLUMN missing TO a;
ALTER TABLE parent RENAME COLUMN name TO id;
ALTER TABLE parent RENAME TO child;
ALTER TABLE parent ADD PRIMARY KEY (name);
ALTER TABLE parent ADD CONSTRAINT c CHECK (missing > 0);
ALTER TABLE parent ADD CONSTRAINT c CHECK (amount > 1000);
ALTER TABLE parent ADD UNIQUE (missing);
ALTER TABLE parent DROP CONSTRAINT missing;
ALTER TABLE child ADD FOREIGN KEY (missing) REFERENCES parent;
DROP TABLE missing;
DROP TABLE parent;
DROP TABLE IF EXISTS missing;
DROP TABLE rich;
DROP VIEW parent;
DROP INDEX missing;
DROP SEQUENCE missing;
DROP SCHEMA missing;
TRUNCATE missing;
TRUNCATE parent;

-- Several lines and wide characters
SELECT id,
       name,
       missing
  FROM parent;
SELECT 'äöü€', missing FROM parent;
SELECT '日本語' AS "名前", id
  FROM parent WHERE "名" = 1;
/* a comment */ SELECT -- another
  missing;

-- Prepared statements, cursors, copies, settings
PREPARE p AS SELECT missing FROM parent;
PREPARE p (missing) AS SELECT 1;
PREPARE p (integer) AS SELECT $1 + $2;
PREPARE q AS SELECT $1::integer;
EXECUTE q ('x');
EXECUTE q (1, 2);
EXECUTE missing;
DEALLOCATE missing;
DECLARE c CURSOR FOR SELECT missing FROM parent;
COPY missing FROM stdin;
COPY parent (missing) FROM stdin;
COPY (SELECT missing FROM parent) TO stdout;
EXPLAIN SELECT missing FROM parent;
SET missing = 1;
SHOW missing;
SET work_mem = 'x';
LOCK TABLE missing;
ANALYZE missing;
VACUUM missing;

-- Casts, and the expressions of tables
SELECT CAST(id AS date) FROM parent;
SELECT CAST(id AS missing) FROM parent;
SELECT  id :: missing FROM parent;
CREATE SCHEMA there;
SELECT id::there.missing FROM parent;
SELECT id::elsewhere.missing FROM parent;
SELECT CAST(id AS information_schema.missing) FROM parent;
CREATE TABLE t (a there.missing);
DROP SCHEMA there;
SELECT GREATEST(1, 'a'::text) FROM parent;
SELECT CASE WHEN true THEN 'a'::text ELSE id END FROM parent;
CREATE TABLE t (a integer DEFAULT count(*));
CREATE TABLE t (a integer DEFAULT (SELECT 1));
CREATE TABLE t (a integer DEFAULT generate_series(1, 2));
CREATE TABLE t (a integer DEFAULT row_number() OVER ());
CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS (count(a)) STORED);
CREATE TABLE t (a integer CHECK (EXISTS (SELECT 1)));
CREATE INDEX ON parent (name) WHERE count(*) > 1;
CREATE INDEX ON parent (name) WHERE (SELECT true);
SELECT parent.nmae FROM parent;
SELECT idd, amout FROM parent JOIN child ON true;
SELECT p.nam FROM parent p JOIN parent q ON true;

-- USING makes a column's new values
CREATE TABLE t (a integer PRIMARY KEY, b text NOT NULL, c text);
INSERT INTO t VALUES (1, '10', 'x'), (2, '20', NULL), (3, '30', 'zz');
ALTER TABLE t ALTER COLUMN c TYPE integer USING length(c) + a * 100;
SELECT * FROM t ORDER BY a;
ALTER TABLE t ALTER COLUMN b TYPE integer USING b::integer;
ALTER TABLE t ALTER COLUMN c TYPE bigint USING b;
SELECT * FROM t ORDER BY a;
ALTER TABLE t ALTER COLUMN c TYPE text USING 'k' || a;
ALTER TABLE t ALTER COLUMN b TYPE numeric(6, 2) USING '7';
SELECT * FROM t ORDER BY a;
ALTER TABLE t ALTER COLUMN b TYPE integer USING NULL;
ALTER TABLE t ALTER COLUMN b TYPE integer USING count(*);
ALTER TABLE t ALTER COLUMN b TYPE integer USING (SELECT 1);
ALTER TABLE t ALTER COLUMN c TYPE integer USING c;
ALTER TABLE t ALTER COLUMN c TYPE integer USING c::integer;
