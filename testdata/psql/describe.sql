-- What psql's backslash commands show. Recorded from PostgreSQL 15 (server/tests/cluster/psql.rs).
CREATE TABLE parent (
    id      integer PRIMARY KEY CHECK (id > 0),
    name    text NOT NULL UNIQUE,
    amount  numeric(8, 2) DEFAULT 0,
    at      timestamptz
);
CREATE TABLE child (
    id      bigserial PRIMARY KEY,
    parent  integer NOT NULL REFERENCES parent,
    note    varchar(20)
);
CREATE INDEX child_parent ON child (parent, note DESC);
CREATE VIEW rich AS SELECT id, name FROM parent WHERE amount > 100;
CREATE SEQUENCE counter START 5 INCREMENT 2;
\d
\d parent
\d child
\d rich
\dt
\di
\dv
\ds
\d child_parent
SELECT 'parent'::regclass, 'integer'::regtype, 'child_pkey'::regclass AS index, 0::regclass AS none;
SELECT conname, conrelid::regclass, confrelid::regclass FROM pg_constraint WHERE contype = 'f' ORDER BY 1;
SELECT ARRAY['parent'::regclass, 'child'], 'missing'::regclass;
SELECT ARRAY['parent'::regclass, 'child'];
SELECT c.oid::regclass FROM pg_class c WHERE c.relname LIKE 'child%' ORDER BY c.relname;
COPY (SELECT 'parent'::regclass) TO STDOUT;
