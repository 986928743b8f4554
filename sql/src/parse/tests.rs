use super::*;

fn error(sql: &str) -> (String, Option<u32>) {
    let error = parse(sql).unwrap_err();
    (error.message.clone(), error.position)
}

#[test]
fn statements_are_cut_apart() {
    let sql = "select 1; ; select 'a;b' ;";
    let parsed = parse(sql).unwrap();
    let texts: Vec<_> = parsed.iter().map(|p| &sql[p.text.clone()]).collect();
    assert_eq!(texts, ["select 1", "select 'a;b'"]);
}

#[test]
fn errors_name_token_and_position() {
    assert_eq!(error("selec 1"), ("syntax error at or near \"selec\"".into(), Some(1)));
    assert_eq!(
        error("select 1 from\n where"),
        ("syntax error at or near \"where\"".into(), Some(16))
    );
    assert_eq!(error("select 1 +"), ("syntax error at end of input".into(), Some(11)));
}

#[test]
fn long_chains_and_deep_nests_are_refused() {
    let chain = format!("select 1{}", " or 1".repeat(10_000));
    assert_eq!(parse(&chain).unwrap_err().code.0, "54001");
    let nest = format!("select {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(parse(&nest).unwrap_err().code.0, "54001");
}

#[test]
fn lock_strengths_of_postgresql_parse() {
    assert!(parse("select * from t for no key update").is_ok());
    assert!(parse("select * from t for key share nowait").is_ok());
}
