//! Statements from text to rows, over a store in memory.

mod memory;

use super::{Context, ExecError, errors, start};
use crate::bind::{BindContext, bind_statement};
use crate::plan::{Planner, plan};
use base::KvError;
use futures::executor::block_on;
use memory::{MemoryCatalog, MemoryHost, MemoryTxn, index, table};
use std::sync::Arc;
use types::{Datum, Direction, Settings, SqlError, SqlType, text};

struct Db {
    txn: MemoryTxn,
    catalog: MemoryCatalog,
}

impl Db {
    fn new() -> Db {
        let (int, str_, num) = (SqlType::INT4, SqlType::TEXT, SqlType::NUMERIC);
        let mut people = table(
            100,
            "people",
            1,
            &[("id", int, true), ("name", str_, false), ("team", int, false), ("pay", num, false)],
        );
        let asc = |column| catalog::descriptor::IndexColumn { column, direction: Direction::Asc };
        people.indexes.push(index(2, "people_team", vec![asc(3)], false));
        people.indexes.push(index(3, "people_name_key", vec![asc(2)], true));
        let teams = table(200, "teams", 1, &[("id", int, true), ("title", str_, true)]);
        let pairs = table(
            300,
            "pairs",
            2,
            &[("a", int, true), ("b", SqlType::INT8, true), ("c", str_, false)],
        );
        let tables = vec![Arc::new(people), Arc::new(teams), Arc::new(pairs)];
        Db { txn: MemoryTxn::default(), catalog: MemoryCatalog { tables } }
    }

    fn filled() -> Db {
        let mut db = Db::new();
        db.run("insert into teams values (1, 'red'), (2, 'blue'), (3, 'empty')");
        db.run(
            "insert into people values (1, 'ann', 1, 10.5), (2, 'bob', 1, 20), (3, 'cy', 2, 30), \
             (4, 'dee', 2, null), (5, 'eve', null, 7.25), (6, 'flo', 2, 1), (7, 'gus', 1, 2)",
        );
        db.run("insert into pairs select x, y, x || '-' || y from generate_series(1, 4) x, generate_series(1, 3) y");
        db
    }

    fn try_run(&mut self, sql: &str, params: &[&str]) -> Result<(Vec<String>, u64), SqlError> {
        let settings = Settings::default();
        let statement = crate::parse::parse(sql)?.remove(0).ast;
        let context =
            BindContext { sql, catalog: &self.catalog, settings: &settings, param_types: &[] };
        let bound = bind_statement(&statement, &context)?;
        let planner = Planner { settings: &settings, catalog: &self.catalog };
        let prepared = Arc::new(plan(bound, &planner)?);
        let values: Result<Vec<Datum>, SqlError> = params
            .iter()
            .zip(&prepared.params)
            .map(|(value, ty)| text::parse(*ty, value, &settings))
            .collect();
        let context = Context { host: Arc::new(MemoryHost), settings: settings.clone() };
        let mut execution = start(&prepared, values?.into(), context);
        let mut lines = Vec::new();
        loop {
            match block_on(execution.next_batch(&mut self.txn)) {
                Ok(None) => break,
                Ok(Some(batch)) => {
                    for row in 0..batch.rows {
                        let shown = batch.row(row).into_iter().enumerate().map(|(i, value)| {
                            let ty = prepared.output.get(i).map_or(SqlType::TEXT, |c| c.ty);
                            match value {
                                Datum::Null => "null".to_owned(),
                                value => text::to_string(&value, ty, &settings),
                            }
                        });
                        lines.push(shown.collect::<Vec<_>>().join("|"));
                    }
                }
                Err(ExecError::Sql(error)) => return Err(error),
                Err(other) => panic!("{sql}: {other}"),
            }
        }
        if let Err(KvError::KeyExists { key }) = self.txn.check() {
            let storage = base::layout::table_of(&key).unwrap();
            let table = self.catalog.tables.iter().find(|t| t.storage_id == storage).unwrap();
            return Err(errors::unique_violation(table, &key, &settings));
        }
        Ok((lines, execution.rows_affected()))
    }

    fn run(&mut self, sql: &str) -> Vec<String> {
        self.try_run(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}")).0
    }

    fn with(&mut self, sql: &str, params: &[&str]) -> Vec<String> {
        self.try_run(sql, params).unwrap_or_else(|e| panic!("{sql}: {e:?}")).0
    }

    fn error(&mut self, sql: &str) -> (String, String) {
        let error = self.try_run(sql, &[]).expect_err(sql);
        (error.code.0.to_owned(), error.message.clone())
    }
}

#[test]
fn points_ranges_and_filters() {
    let mut db = Db::filled();
    assert_eq!(db.run("select name from people where id = 3"), ["cy"]);
    assert_eq!(db.with("select name from people where id = $1", &["2"]), ["bob"]);
    assert_eq!(db.run("select id from people where id between 2 and 4"), ["2", "3", "4"]);
    assert_eq!(db.run("select id from people where id in (7, 1, 9)"), ["1", "7"]);
    assert_eq!(db.run("select id from people where team = 2 order by id desc"), ["6", "4", "3"]);
    assert_eq!(db.run("select id from people where name = 'eve'"), ["5"]);
    assert_eq!(db.run("select id from people where pay > 9 order by pay"), ["1", "2", "3"]);
    assert_eq!(db.run("select a, b from pairs where a = 2 and b > 1"), ["2|2", "2|3"]);
    assert_eq!(db.run("select c from pairs where a = 2 and b = 3"), ["2-3"]);
    assert_eq!(db.run("select id from people order by id desc limit 2"), ["7", "6"]);
    assert_eq!(db.run("select id from people order by id limit 2 offset 1"), ["2", "3"]);
    assert_eq!(db.run("select id from people where id = 3 and false"), Vec::<String>::new());
}

#[test]
fn aggregates_and_groups() {
    let mut db = Db::filled();
    assert_eq!(
        db.run("select count(*), sum(pay), min(id), max(name) from people"),
        ["7|70.75|1|gus"]
    );
    assert_eq!(db.run("select count(*) from people where id > 100"), ["0"]);
    assert_eq!(
        db.run("select team, count(*), count(pay) from people group by team order by team"),
        ["1|3|3", "2|3|2", "null|1|1"]
    );
    assert_eq!(
        db.run("select team from people group by team having count(*) > 2 order by 1"),
        ["1", "2"]
    );
    assert_eq!(db.run("select count(distinct team) from people"), ["2"]);
    assert_eq!(
        db.run("select string_agg(name, ',' order by name desc) from people where team = 1"),
        ["gus,bob,ann"]
    );
    assert_eq!(db.run("select distinct team from people order by team"), ["1", "2", "null"]);
}

#[test]
fn joins() {
    let mut db = Db::filled();
    assert_eq!(
        db.run("select p.name, t.title from people p join teams t on t.id = p.team where p.id < 4 order by 1"),
        ["ann|red", "bob|red", "cy|blue"]
    );
    assert_eq!(
        db.run("select t.title, count(p.id) from teams t left join people p on p.team = t.id group by t.id, t.title order by t.id"),
        ["red|3", "blue|3", "empty|0"]
    );
    assert_eq!(
        db.run("select p.id, t.id from people p full join teams t on t.id = p.team where p.id is null or t.id is null order by 1, 2"),
        ["5|null", "null|3"]
    );
    assert_eq!(db.run("select count(*) from people, teams"), ["21"]);
    assert_eq!(
        db.run("select x.id, y.n from teams x, lateral (select count(*) as n from people where team = x.id) y order by 1"),
        ["1|3", "2|3", "3|0"]
    );
}

#[test]
fn subqueries() {
    let mut db = Db::filled();
    assert_eq!(
        db.run("select title from teams t where exists (select 1 from people p where p.team = t.id) order by 1"),
        ["blue", "red"]
    );
    assert_eq!(
        db.run("select title from teams t where not exists (select 1 from people p where p.team = t.id)"),
        ["empty"]
    );
    assert_eq!(db.run("select id from teams where id in (select team from people)"), ["1", "2"]);
    assert_eq!(
        db.run("select id from teams where id not in (select team from people)"),
        Vec::<String>::new()
    );
    assert_eq!(db.run("select id from people where pay = (select max(pay) from people)"), ["3"]);
    assert_eq!(
        db.run(
            "select id, (select count(*) from people p where p.team = t.id) from teams t order by 1"
        ),
        ["1|3", "2|3", "3|0"]
    );
    assert_eq!(
        db.run("with a as (select id from people where id < 3) select sum(id) from a"),
        ["3"]
    );
    assert_eq!(
        db.run("with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) select sum(i) from n"),
        ["15"]
    );
}

#[test]
fn set_operations_and_windows() {
    let mut db = Db::filled();
    assert_eq!(db.run("select 1 union select 2 union select 1 order by 1"), ["1", "2"]);
    assert_eq!(
        db.run("select id from people intersect select id from teams order by 1"),
        ["1", "2", "3"]
    );
    assert_eq!(db.run("select id from teams except select team from people"), ["3"]);
    assert_eq!(
        db.run("select id, rank() over (partition by team order by pay desc nulls last) from people where team is not null order by id"),
        ["1|2", "2|1", "3|1", "4|3", "6|2", "7|3"]
    );
    assert_eq!(
        db.run("select id, sum(id) over (order by id) from teams order by id"),
        ["1|1", "2|3", "3|6"]
    );
}

#[test]
fn writes() {
    let mut db = Db::filled();
    assert_eq!(
        db.run("update people set pay = pay + 1 where id = 1 returning id, pay"),
        ["1|11.5"]
    );
    assert_eq!(db.try_run("update people set team = 3 where team = 2", &[]).unwrap().1, 3);
    assert_eq!(db.run("select id from people where team = 3 order by id"), ["3", "4", "6"]);
    assert_eq!(db.run("select id from people where team = 2"), Vec::<String>::new());
    assert_eq!(db.run("update people set id = id + 1 returning id").len(), 7);
    assert_eq!(db.run("select min(id), max(id), count(*) from people"), ["2|8|7"]);
    assert_eq!(db.run("select id from people where name = 'ann'"), ["2"]);
    assert_eq!(db.run("delete from people where team = 3 returning name").len(), 3);
    assert_eq!(db.run("select count(*) from people"), ["4"]);
    assert_eq!(
        db.run("update people p set name = t.title || p.id from teams t where t.id = p.team and p.id = 2 returning p.name, t.title"),
        ["red2|red"]
    );
    assert_eq!(db.run("delete from people using teams t where t.id = people.team and t.title = 'red' returning people.id").len(), 3);
}

#[test]
fn conflicts() {
    let mut db = Db::filled();
    assert_eq!(
        db.error("insert into people values (1, 'zed')"),
        ("23505".into(), "duplicate key value violates unique constraint \"people_pkey\"".into())
    );
    assert_eq!(
        db.try_run("insert into people values (1, 'zed') on conflict do nothing", &[]).unwrap().1,
        0
    );
    assert_eq!(
        db.run("insert into people (id, name) values (1, 'zed'), (9, 'ida') on conflict (id) do update set name = excluded.name || people.name returning id, name"),
        ["1|zedann", "9|ida"]
    );
    assert_eq!(
        db.run("insert into people (id, name) values (20, 'bob') on conflict (name) do update set pay = 99 returning id, pay"),
        ["2|99"]
    );
    assert_eq!(db.error("insert into people (name) values ('x')").0, "23502");
}

#[test]
fn errors_speak_like_postgresql() {
    let mut db = Db::filled();
    let cases = [
        ("select * from nope", "42P01", "relation \"nope\" does not exist"),
        ("select nope from people", "42703", "column \"nope\" does not exist"),
        ("select p.nope from people p", "42703", "column p.nope does not exist"),
        ("select x.id from people p", "42P01", "missing FROM-clause entry for table \"x\""),
        ("select id from people, teams", "42702", "column reference \"id\" is ambiguous"),
        ("select nope(1)", "42883", "function nope(integer) does not exist"),
        ("select 1 + true", "42883", "operator does not exist: integer + boolean"),
        (
            "select name from people group by team",
            "42803",
            "column \"people.name\" must appear in the GROUP BY clause or be used in an aggregate function",
        ),
        ("select 1 where sum(1) > 0", "42803", "aggregate functions are not allowed in WHERE"),
        ("select 1 union select 'x'", "22P02", "invalid input syntax for type integer: \"x\""),
        (
            "insert into teams values (1, 2, 3)",
            "42601",
            "INSERT has more expressions than target columns",
        ),
        (
            "insert into teams values (true, 'x')",
            "42804",
            "column \"id\" is of type integer but expression is of type boolean",
        ),
        ("select 1 / 0", "22012", "division by zero"),
        (
            "select case when 1 then 2 end",
            "42804",
            "argument of CASE/WHEN must be type boolean, not type integer",
        ),
        (
            "select (select id from people)",
            "21000",
            "more than one row returned by a subquery used as an expression",
        ),
        ("select id from people limit -1", "2201W", "LIMIT must not be negative"),
    ];
    for (sql, code, message) in cases {
        assert_eq!(db.error(sql), (code.to_owned(), message.to_owned()), "{sql}");
    }
}

#[test]
fn plans_are_explained() {
    let mut db = Db::filled();
    assert_eq!(
        db.run("explain (costs off) select name from people where id = 3 and pay > 1"),
        [
            "Index Scan using people_pkey on people",
            "  Index Cond: (id = 3)",
            "  Filter: (pay > 1)",
            "  Ranges: r1 (n1)",
        ]
    );
    assert_eq!(
        db.run("explain (costs off) select count(*) from people where pay > 1"),
        [
            "Finalize Aggregate",
            "  ->  Gather",
            "        ->  Partial Aggregate",
            "              ->  Seq Scan on people",
            "                    Filter: (pay > 1)",
            "                    Ranges: r1 (n1)",
        ]
    );
}
