#!/bin/sh
# Asks a PostgreSQL 15 server for the answers that the tests of the `types` crate expect.
#
# Each *.txt file here is in COPY's text format: type, input, settings, result. The first three
# columns are written by hand (or by a generator); this script fills in the fourth:
#   ok<TAB-escaped text form> <hex of the binary form>   or   SQLSTATE message [DETAIL: ...] [HINT: ...]
# The settings column holds `name=value` pairs separated by semicolons, or nothing.
#
# Usage: record.sh [psql arguments] ; records every file in this directory.
set -eu
cd "$(dirname "$0")"
for file in *.txt; do
    psql -X -q -v ON_ERROR_STOP=1 "$@" <<SQL
set client_min_messages = warning;
set timezone = 'UTC';
create temp table cases (id serial, type text, input text, settings text, result text);
create function pg_temp.answer(type text, input text, settings text) returns text
language plpgsql as \$\$
declare
    pair text; shown text; sent text; send text;
    message text; detail text; hint text;
begin
    set local timezone = 'UTC'; set local datestyle = 'ISO, MDY';
    set local intervalstyle = 'postgres'; set local extra_float_digits = 1;
    set local bytea_output = 'hex';
    foreach pair in array string_to_array(settings, ';') loop
        perform set_config(split_part(pair, '=', 1), split_part(pair, '=', 2), true);
    end loop;
    select typsend::text into send from pg_type where oid = type::regtype;
    -- A column enforces a length as an assignment; a written cast would cut silently.
    execute format('create temp table one (c %s)', type);
    execute format('insert into one values (%L)', input);
    -- format() goes through the type's output function; a cast to text may not.
    execute 'select format(''%s'', c) from one' into shown;
    execute format('select encode(%s(c), ''hex'') from one', send) into sent;
    drop table one;
    return 'ok' || E'\t' || shown || E'\t' || sent;
exception when others then
    get stacked diagnostics message = message_text, detail = pg_exception_detail,
        hint = pg_exception_hint;
    return sqlstate || E'\t' || message || case when detail <> '' then E'\tDETAIL: ' || detail
        else '' end || case when hint <> '' then E'\tHINT: ' || hint else '' end;
end \$\$;
\\copy cases (type, input, settings, result) from '$file'
update cases set result = pg_temp.answer(type, input, settings);
\\copy (select type, input, settings, result from cases order by id) to '$file'
SQL
    echo "$file"
done
