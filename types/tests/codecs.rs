//! Keys sort as their values compare, rows read back what was written, damaged bytes are refused.

use base::codec::KeyReader;
use proptest::prelude::*;
use std::sync::Arc;
use types::oid::*;
use types::tuple::{self, TupleReader};
use types::{
    Array, ArrayDimension, Datum, Direction, Interval, Jsonb, Numeric, Settings, SqlType, binary,
    compare, key, numeric, text,
};

fn numerics() -> impl Strategy<Value = Numeric> {
    prop_oneof![
        8 => (any::<i64>(), 0u16..30).prop_map(|(m, s)| Numeric::from_parts(i128::from(m), s)),
        4 => (-1000i128..1000, 0u16..4).prop_map(|(m, s)| Numeric::from_parts(m, s)),
        2 => ("-?[0-9]{1,60}", "[0-9]{0,40}").prop_map(|(whole, fraction)| {
            numeric::parse(&format!("{whole}.{fraction}")).expect("digits")
        }),
        1 => Just(Numeric::NaN),
        1 => Just(Numeric::Infinity),
        1 => Just(Numeric::NegInfinity),
    ]
}

fn documents() -> impl Strategy<Value = Jsonb> {
    let leaf = prop_oneof![
        Just(Jsonb::Null),
        any::<bool>().prop_map(Jsonb::Bool),
        numerics().prop_filter("json has no NaN", Numeric::is_finite).prop_map(Jsonb::Number),
        "[a-c\\x00é]{0,4}".prop_map(|s| Jsonb::String(s.into())),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Jsonb::Array),
            prop::collection::vec(("[a-c]{0,3}", inner), 0..4).prop_map(|pairs| {
                Jsonb::object(pairs.into_iter().map(|(k, v)| (k.into(), v)).collect())
            }),
        ]
    })
}

fn intervals() -> impl Strategy<Value = Interval> {
    (-50i32..50, -100i32..100, prop_oneof![any::<i32>().prop_map(i64::from), any::<i64>()])
        .prop_map(|(months, days, micros)| Interval { months, days, micros })
}

fn arrays<S>(element_oid: u32, element: S) -> impl Strategy<Value = Array>
where
    S: Strategy<Value = Datum> + 'static,
{
    let element = prop_oneof![4 => element, 1 => Just(Datum::Null)];
    (prop::collection::vec(element, 0..5), -1i32..2).prop_map(move |(values, lower_bound)| {
        let dimensions = match values.len() {
            0 => Vec::new(),
            length => vec![ArrayDimension { length: length as i32, lower_bound }],
        };
        Array { element_oid, dimensions, values }
    })
}

fn of_array<S>(element_oid: u32, element: S) -> BoxedStrategy<Datum>
where
    S: Strategy<Value = Datum> + 'static,
{
    arrays(element_oid, element).prop_map(|a| Datum::Array(Arc::new(a))).boxed()
}

/// A type and two values of it, NULLs among them.
fn pairs() -> impl Strategy<Value = (SqlType, Datum, Datum)> {
    fn of<S>(oid: u32, value: S) -> BoxedStrategy<(SqlType, Datum, Datum)>
    where
        S: Strategy<Value = Datum> + Clone + 'static,
    {
        let value = prop_oneof![12 => value, 1 => Just(Datum::Null)];
        (value.clone(), value).prop_map(move |(a, b)| (SqlType::new(oid), a, b)).boxed()
    }
    let text = "[ab\\x00 é]{0,5}".prop_map(|s| Datum::Text(s.into()));
    let floats = prop_oneof![
        any::<f64>(),
        prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.5])
    ];
    prop_oneof![
        of(BOOL, any::<bool>().prop_map(Datum::Bool)),
        of(INT2, any::<i16>().prop_map(Datum::Int2)),
        of(INT4, any::<i32>().prop_map(Datum::Int4)),
        of(INT8, any::<i64>().prop_map(Datum::Int8)),
        of(FLOAT8, floats.clone().prop_map(Datum::Float8)),
        of(FLOAT4, floats.prop_map(|f| Datum::Float4(f as f32))),
        of(NUMERIC, numerics().prop_map(|n| Datum::Numeric(Arc::new(n))).boxed()),
        of(TEXT, text.clone().boxed()),
        of(BPCHAR, text.clone().boxed()),
        of(BYTEA, prop::collection::vec(0u8..3, 0..6).prop_map(|b| Datum::Bytea(b.into())).boxed()),
        of(DATE, any::<i32>().prop_map(Datum::Date)),
        of(TIME, (0i64..86_400_000_001).prop_map(Datum::Time)),
        of(TIMESTAMP, any::<i64>().prop_map(Datum::Timestamp)),
        of(TIMESTAMPTZ, any::<i64>().prop_map(Datum::Timestamptz)),
        of(INTERVAL, intervals().prop_map(Datum::Interval).boxed()),
        of(UUID, any::<[u8; 16]>().prop_map(Datum::Uuid)),
        of(JSONB, documents().prop_map(|d| Datum::Jsonb(Arc::new(d))).boxed()),
        of(OID, any::<u32>().prop_map(Datum::Oid)),
        of(CHAR, any::<u8>().prop_map(Datum::Char)),
        of(INT4_ARRAY, of_array(INT4, (-3i32..3).prop_map(Datum::Int4))),
        of(TEXT_ARRAY, of_array(TEXT, text.clone())),
        of(NUMERIC_ARRAY, of_array(NUMERIC, numerics().prop_map(|n| Datum::Numeric(Arc::new(n))))),
    ]
}

fn directions() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::Asc), Just(Direction::Desc)]
}

fn put(value: &Datum, ty: SqlType, direction: Direction) -> Vec<u8> {
    let mut out = Vec::new();
    key::put(value, ty, direction, &mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn keys_sort_as_values_compare((ty, a, b) in pairs(), direction in directions()) {
        let (x, y) = (put(&a, ty, direction), put(&b, ty, direction));
        let wanted = compare::cmp_as(ty.oid, &a, &b);
        let wanted = if direction == Direction::Desc { wanted.reverse() } else { wanted };
        prop_assert_eq!(x.cmp(&y), wanted);
        // No key is the start of a different one.
        prop_assert!(x == y || !(x.starts_with(&y) || y.starts_with(&x)));
    }

    #[test]
    fn keys_read_back((ty, a, b) in pairs(), direction in directions()) {
        let mut bytes = put(&a, ty, direction);
        bytes.extend(put(&b, ty, direction));
        let mut reader = KeyReader::new(&bytes);
        for value in [&a, &b] {
            let back = key::read(ty, direction, &mut reader).expect("own key");
            prop_assert!(compare::eq_as(ty.oid, value, &back), "{value:?} came back as {back:?}");
        }
        prop_assert!(reader.rest().is_empty());
    }

    #[test]
    fn equal_values_hash_alike((ty, a, b) in pairs()) {
        use std::hash::{DefaultHasher, Hasher};
        let hash = |value: &Datum| {
            let mut state = DefaultHasher::new();
            compare::hash_as(ty.oid, value, &mut state);
            state.finish()
        };
        if compare::eq_as(ty.oid, &a, &b) {
            prop_assert_eq!(hash(&a), hash(&b));
        }
    }

    #[test]
    fn rows_read_back(
        columns in prop::collection::btree_map(1u32..200, pairs().prop_map(|pair| pair.1), 0..12),
        wanted in prop::collection::btree_set(1u32..200, 0..12),
    ) {
        let bytes = tuple::encode(columns.iter().map(|(id, value)| (*id, value)));
        let wanted: Vec<(u32, usize)> = wanted.into_iter().zip(0..).collect();
        let missing = Datum::Text("missing".into());
        let mut slots = vec![missing.clone(); wanted.len()];
        tuple::read_into(&bytes, &wanted, &mut slots).expect("own row");
        for (id, slot) in wanted {
            let expected = columns.get(&id).unwrap_or(&missing);
            prop_assert_eq!(&slots[slot], expected);
            let found = TupleReader::new(&bytes).and_then(|mut r| r.column(id)).expect("own row");
            prop_assert_eq!(found.map(|raw| raw.to_datum().expect("own value")), columns.get(&id).cloned());
        }
    }

    #[test]
    fn text_and_binary_read_back((ty, a, _) in pairs()) {
        prop_assume!(!matches!(a, Datum::Null));
        // Text has no NUL; dates and times beyond their types' ranges cannot be written at all.
        if let Datum::Text(value) = &a { prop_assume!(!value.contains('\0')); }
        let settings = Settings::default();
        let shown = text::to_string(&a, ty, &settings);
        if let Ok(back) = text::parse(ty, &shown, &settings) {
            prop_assert!(compare::eq(&a, &back), "{shown} read as {back:?}");
        } else {
            prop_assert!(
                matches!(ty.oid, DATE | TIMESTAMP | TIMESTAMPTZ | JSONB | INTERVAL | CHAR),
                "{shown} is not read"
            );
        }
        let mut sent = Vec::new();
        binary::encode(&a, ty, &mut sent);
        if let Ok(back) = binary::decode(ty, &sent) {
            prop_assert!(compare::eq(&a, &back));
        }
    }

    #[test]
    fn damaged_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), oid in prop::sample::select(vec![
        BOOL, INT4, NUMERIC, TEXT, BYTEA, INTERVAL, UUID, JSONB, INT4_ARRAY, RECORD, TIMESTAMP, NAME,
    ])) {
        let ty = SqlType::new(oid);
        let _ = binary::decode(ty, &bytes);
        let _ = key::read(ty, Direction::Asc, &mut KeyReader::new(&bytes));
        let mut row = vec![tuple::VERSION];
        row.extend(&bytes);
        let mut slots = vec![Datum::Null; 8];
        let wanted: Vec<(u32, usize)> = (1..9).zip(0..).collect();
        let _ = tuple::read_into(&row, &wanted, &mut slots);
    }

    #[test]
    fn any_text_is_answered(input in "\\PC{0,24}", oid in prop::sample::select(vec![
        BOOL, INT4, FLOAT8, NUMERIC, BYTEA, DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, UUID,
        JSONB, JSON, INT4_ARRAY, CHAR, OID,
    ])) {
        let _ = text::parse(SqlType::new(oid), &input, &Settings::default());
    }

    #[test]
    fn any_date_like_text_is_answered(input in "[0-9a-z:. +/,TP-]{0,30}", oid in prop::sample::select(vec![
        DATE, TIME, TIMESTAMPTZ, INTERVAL,
    ])) {
        let _ = text::parse(SqlType::new(oid), &input, &Settings::default());
    }

    #[test]
    fn numeric_arithmetic_holds_together(
        a in numerics().prop_filter("finite", Numeric::is_finite),
        b in numerics().prop_filter("finite", Numeric::is_finite),
    ) {
        let sum = numeric::add(&a, &b).expect("in range");
        prop_assert_eq!(&numeric::sub(&sum, &b).expect("in range"), &a);
        prop_assert_eq!(numeric::mul(&a, &b).expect("in range"), numeric::mul(&b, &a).expect("in range"));
        if !b.is_zero() {
            let quotient = numeric::div_trunc(&a, &b).expect("in range");
            let back = numeric::add(
                &numeric::mul(&quotient, &b).expect("in range"),
                &numeric::rem(&a, &b).expect("in range"),
            );
            prop_assert_eq!(back.expect("in range"), a);
        }
    }
}
