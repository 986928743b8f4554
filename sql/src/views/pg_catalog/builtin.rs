//! Built-in types, casts, functions, access methods, collations, languages.

use super::super::row::{Rows, id, int, text, yes};
use crate::functions::{Function, all_functions};
use crate::session::view::SessionView;
use catalog::{Oid, PG_CATALOG, POSTGRES_ROLE};
use types::cast::CastContext;

pub(super) fn pg_type(_view: &SessionView, rows: &mut Rows) {
    for info in types::all_types() {
        let kind = match info.category {
            'P' => "p",
            'R' => "r",
            _ => "b",
        };
        rows.add(&[
            ("oid", id(info.oid)),
            ("typname", text(info.name)),
            ("typnamespace", id(PG_CATALOG)),
            ("typowner", id(POSTGRES_ROLE)),
            ("typlen", int(i64::from(info.len))),
            ("typbyval", yes((1..=8).contains(&info.len))),
            ("typtype", text(kind)),
            ("typcategory", text(info.category.to_string())),
            ("typispreferred", yes(info.preferred)),
            ("typisdefined", yes(true)),
            ("typdelim", text(",")),
            ("typelem", id(info.element_oid)),
            ("typarray", id(info.array_oid)),
            ("typalign", text("i")),
            ("typstorage", text(if info.len > 0 { "p" } else { "x" })),
            ("typtypmod", int(-1)),
            ("typcollation", id(if info.category == 'S' { 100 } else { 0 })),
        ]);
    }
}

pub(super) fn pg_cast(rows: &mut Rows) {
    for (number, (from, to, context)) in types::cast::all().iter().enumerate() {
        rows.add(&[
            ("oid", int(10_000 + number as i64)),
            ("castsource", id(*from)),
            ("casttarget", id(*to)),
            (
                "castcontext",
                text(match context {
                    CastContext::Implicit => "i",
                    CastContext::Assignment => "a",
                    CastContext::Explicit => "e",
                }),
            ),
            ("castmethod", text("f")),
        ]);
    }
}

/// OID of the first built-in function.
const FIRST_FUNCTION: Oid = 20_000_000;

/// A built-in function by its OID in `pg_proc`.
pub(in crate::views) fn function(oid: Oid) -> Option<&'static Function> {
    let number = usize::try_from(oid.checked_sub(FIRST_FUNCTION)?).ok()?;
    all_functions().nth(number)
}

pub(super) fn pg_proc(rows: &mut Rows) {
    for (number, function) in all_functions().enumerate() {
        rows.add(&[
            ("oid", int(i64::from(FIRST_FUNCTION) + number as i64)),
            ("proname", text(function.name)),
            ("pronamespace", id(PG_CATALOG)),
            ("proowner", id(POSTGRES_ROLE)),
            ("prolang", id(12)),
            ("prokind", text("f")),
        ]);
    }
}

pub(super) fn pg_am(rows: &mut Rows) {
    for (oid, name, kind) in [(2, "heap", "t"), (403, "btree", "i"), (405, "hash", "i")] {
        rows.add(&[("oid", id(oid)), ("amname", text(name)), ("amtype", text(kind))]);
    }
}

pub(super) fn pg_collation(rows: &mut Rows) {
    for (oid, name, provider) in [(100, "default", "d"), (950, "C", "c"), (951, "POSIX", "c")] {
        rows.add(&[
            ("oid", id(oid)),
            ("collname", text(name)),
            ("collnamespace", id(PG_CATALOG)),
            ("collowner", id(POSTGRES_ROLE)),
            ("collprovider", text(provider)),
            ("collisdeterministic", yes(true)),
            ("collencoding", int(-1)),
        ]);
    }
}

pub(super) fn pg_language(rows: &mut Rows) {
    for (oid, name) in [(12, "internal"), (13, "c"), (14, "sql")] {
        rows.add(&[("oid", id(oid)), ("lanname", text(name)), ("lanowner", id(POSTGRES_ROLE))]);
    }
}
