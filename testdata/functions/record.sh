#!/bin/sh
# Asks a PostgreSQL 15 server for the answers that the tests of SQL functions expect.
#
# Each *.txt file here is in COPY's text format: kind, name, arguments, settings, result. The kind is
# `f` (function), `o` (operator), `s` (set-returning function), `a` (aggregate over the one array
# given) or `c` (cast to the named type). Arguments are an array of `type:value` or NULL (`type:` alone is the empty string, `type`
# without a colon is NULL of that type). This script fills in the result:
#   ok<TAB>type<TAB>text, or NULL as the three words ok<TAB>type<TAB>\N, or SQLSTATE<TAB>message.
#
# The database must have LC_COLLATE C and LC_CTYPE C.UTF-8.
#
# Usage: record.sh [psql arguments]
set -eu
cd "$(dirname "$0")"
for file in *.txt; do
    psql -X -q -v ON_ERROR_STOP=1 "$@" <<SQL
set client_min_messages = warning;
create temp table cases (id serial, kind text, name text, args text[], settings text, result text);
create function pg_temp.literal(arg text) returns text language sql as \$\$
    select case when arg not like '%:%' then 'NULL::' || arg
        else quote_literal(substr(arg, strpos(arg, ':') + 1)) || '::' || split_part(arg, ':', 1) end
\$\$;
create function pg_temp.answer(kind text, name text, args text[], settings text) returns text
language plpgsql as \$\$
declare pair text; list text[]; call text; shown text; kind_of text; message text;
begin
    set local timezone = 'UTC'; set local datestyle = 'ISO, MDY';
    set local intervalstyle = 'postgres'; set local extra_float_digits = 1;
    foreach pair in array string_to_array(settings, ';') loop
        perform set_config(split_part(pair, '=', 1), split_part(pair, '=', 2), true);
    end loop;
    select coalesce(array_agg(pg_temp.literal(a) order by n), '{}') into list
        from unnest(args) with ordinality u(a, n);
    call := case
        when kind = 'o' and cardinality(list) = 1 then format('%s (%s)', name, list[1])
        when kind = 'o' then format('(%s) operator(pg_catalog.%s) (%s)', list[1], name, list[2])
        when kind = 'c' then format('(%s)::%s', list[1], name)
        when kind = 'a' then format('(select pg_catalog.%I(x) from unnest(%s) x)', name, list[1])
        else format('pg_catalog.%I(%s)', name, array_to_string(list, ', ')) end;
    if kind = 's' then
        execute format('select coalesce(string_agg(format(''%%s'', x), ''|''), ''''), min(pg_typeof(x)::text) from %s x', call)
            into shown, kind_of;
        return 'ok' || E'\t' || coalesce(kind_of, '') || E'\t' || shown;
    end if;
    execute format('select case when v is null then null else format(''%%s'', v) end, pg_typeof(v)::text from (select %s) t(v)', call)
        into shown, kind_of;
    return 'ok' || E'\t' || kind_of || E'\t' || coalesce(shown, '\N');
exception when others then
    get stacked diagnostics message = message_text;
    return sqlstate || E'\t' || message;
end \$\$;
\\copy cases (kind, name, args, settings, result) from '$file'
update cases set result = pg_temp.answer(kind, name, args, settings);
\\copy (select kind, name, args, settings, result from cases order by id) to '$file'
SQL
    echo "$file"
done
