//! The order-preserving key primitives: bytes sort like values, values return, keys are prefix-free.

use base::codec::{
    Direction, KeyReader, put_bytes, put_f64, put_i16, put_i32, put_i64, put_null, put_present,
};
use base::{Key, Span};
use proptest::prelude::*;
use std::cmp::Ordering;

/// One key column of some type.
#[derive(Clone, Debug)]
enum Column {
    I16(Option<i16>),
    I32(Option<i32>),
    I64(Option<i64>),
    F64(Option<f64>),
    Bytes(Option<Vec<u8>>),
}

impl Column {
    fn put(&self, out: &mut Vec<u8>, direction: Direction) {
        match self {
            Column::I16(Some(v)) => put_present(out, direction, |out| put_i16(out, *v)),
            Column::I32(Some(v)) => put_present(out, direction, |out| put_i32(out, *v)),
            Column::I64(Some(v)) => put_present(out, direction, |out| put_i64(out, *v)),
            Column::F64(Some(v)) => put_present(out, direction, |out| put_f64(out, *v)),
            Column::Bytes(Some(v)) => put_present(out, direction, |out| put_bytes(out, v)),
            _ => put_null(out, direction),
        }
    }

    /// PostgreSQL's order: NULL last, -0 equals 0, NaN above everything and equal to itself.
    fn compare(&self, other: &Column) -> Ordering {
        fn nulls_last<T>(
            a: &Option<T>,
            b: &Option<T>,
            by: impl Fn(&T, &T) -> Ordering,
        ) -> Ordering {
            match (a, b) {
                (Some(a), Some(b)) => by(a, b),
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
            }
        }
        fn floats(a: &f64, b: &f64) -> Ordering {
            a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
        }
        match (self, other) {
            (Column::I16(a), Column::I16(b)) => nulls_last(a, b, i16::cmp),
            (Column::I32(a), Column::I32(b)) => nulls_last(a, b, i32::cmp),
            (Column::I64(a), Column::I64(b)) => nulls_last(a, b, i64::cmp),
            (Column::F64(a), Column::F64(b)) => nulls_last(a, b, floats),
            (Column::Bytes(a), Column::Bytes(b)) => nulls_last(a, b, Vec::cmp),
            _ => unreachable!("columns of one type are compared"),
        }
    }

    fn read(&self, reader: &mut KeyReader<'_>, direction: Direction) -> Column {
        let present = reader.present(direction).expect("marker");
        match self {
            Column::I16(_) => Column::I16(present.then(|| reader.i16().expect("i16"))),
            Column::I32(_) => Column::I32(present.then(|| reader.i32().expect("i32"))),
            Column::I64(_) => Column::I64(present.then(|| reader.i64().expect("i64"))),
            Column::F64(_) => Column::F64(present.then(|| reader.f64().expect("f64"))),
            Column::Bytes(_) => Column::Bytes(present.then(|| reader.bytes().expect("bytes"))),
        }
    }
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        prop::sample::select(vec![
            0.0,
            -0.0,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MIN_POSITIVE,
            5e-324,
            -5e-324,
            1.0,
            -1.0,
        ]),
    ]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, b'a', 0xfe, 0xff]), 0..6)
}

fn small_or_any<T: Arbitrary + From<i8>>() -> impl Strategy<Value = T> {
    prop_oneof![any::<T>(), (-2i8..3).prop_map(T::from)]
}

/// Two values of one type.
fn pair() -> impl Strategy<Value = (Column, Column)> {
    fn two<T: std::fmt::Debug + Clone + 'static>(
        value: impl Strategy<Value = T> + 'static,
        column: fn(Option<T>) -> Column,
    ) -> BoxedStrategy<(Column, Column)> {
        let value = prop::option::weighted(0.85, value).boxed();
        (value.clone(), value).prop_map(move |(a, b)| (column(a), column(b))).boxed()
    }
    prop_oneof![
        two(small_or_any::<i16>(), Column::I16),
        two(small_or_any::<i32>(), Column::I32),
        two(small_or_any::<i64>(), Column::I64),
        two(float(), Column::F64),
        two(bytes(), Column::Bytes),
    ]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::Asc, Direction::Desc])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn keys_sort_like_their_columns(
        columns in prop::collection::vec((pair(), direction()), 1..5),
    ) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut expected = Ordering::Equal;
        for ((a, b), direction) in &columns {
            a.put(&mut left, *direction);
            b.put(&mut right, *direction);
            let order = a.compare(b);
            let order = if *direction == Direction::Desc { order.reverse() } else { order };
            expected = expected.then(order);
        }
        prop_assert_eq!(left.cmp(&right), expected);
        // Prefix-free: different keys part before either ends.
        prop_assert!(left == right || !left.starts_with(&right) && !right.starts_with(&left));
    }

    #[test]
    fn columns_return(columns in prop::collection::vec((pair(), direction()), 0..5)) {
        let mut key = Vec::new();
        for ((column, _), direction) in &columns {
            column.put(&mut key, *direction);
        }
        let mut reader = KeyReader::new(&key);
        for ((column, _), direction) in &columns {
            let back = column.read(&mut reader, *direction);
            prop_assert_eq!(back.compare(column), Ordering::Equal, "{:?}", back);
        }
        prop_assert!(reader.rest().is_empty());
    }

    #[test]
    fn damaged_keys_are_errors(key in prop::collection::vec(any::<u8>(), 0..12)) {
        for direction in [Direction::Asc, Direction::Desc] {
            let mut reader = KeyReader::new(&key);
            while let Ok(true) = reader.present(direction) {
                if reader.bytes().is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn the_bound_behind_a_key_is_behind_all_it_starts(
        key in bytes(), tail in bytes(), other in bytes(),
    ) {
        let key = Key::from(key);
        let extended = [&key[..], &tail[..]].concat();
        // Keys never start with 0xff; bounds at the very top are `Key::max`.
        prop_assume!(key.first() != Some(&0xff) && !key.is_empty());
        let after = key.after();
        prop_assert!(after[..] > extended[..]);
        prop_assert!(Span::prefix(key.clone()).contains(&extended));
        let other = Key::from(other);
        prop_assert_eq!(Span::prefix(key.clone()).contains(&other), other.starts_with(&key));
    }
}

#[test]
fn golden_bytes() {
    let mut key = Vec::new();
    Column::I32(Some(1)).put(&mut key, Direction::Asc);
    Column::I64(Some(-1)).put(&mut key, Direction::Desc);
    Column::Bytes(Some(b"a\0b".to_vec())).put(&mut key, Direction::Asc);
    Column::Bytes(None).put(&mut key, Direction::Asc);
    Column::F64(Some(-0.0)).put(&mut key, Direction::Asc);
    assert_eq!(
        Key::from(key).to_string(),
        concat!("0180000001", "fe8000000000000000", "016100ff620001", "02", "018000000000000000")
    );
}
