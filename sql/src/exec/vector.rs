//! Columns of values. The types that arithmetic and comparisons meet most have vectors of their
//! own; everything else is a vector of [`Datum`].

use types::{Datum, Oid, oid};

/// Values of one column.
#[derive(Clone, Debug)]
pub enum Vector {
    /// int4.
    Int4(Typed<i32>),
    /// int8.
    Int8(Typed<i64>),
    /// float8.
    Float8(Typed<f64>),
    /// bool.
    Bool(Typed<bool>),
    /// Any type.
    Any(Vec<Datum>),
    /// One value, so many times.
    Const(Datum, usize),
}

/// Plain values and which of them are NULL.
#[derive(Clone, Debug)]
pub struct Typed<T> {
    /// The values; what stands in the place of a NULL means nothing.
    pub values: Vec<T>,
    /// True where NULL; absent when nothing is.
    pub nulls: Option<Vec<bool>>,
}

impl<T: Copy + Default> Typed<T> {
    /// Without values yet.
    pub fn with_capacity(capacity: usize) -> Self {
        Typed { values: Vec::with_capacity(capacity), nulls: None }
    }

    /// Values without NULLs.
    pub fn dense(values: Vec<T>) -> Self {
        Typed { values, nulls: None }
    }

    /// Appends.
    #[inline]
    pub fn push(&mut self, value: Option<T>) {
        match value {
            Some(value) => {
                self.values.push(value);
                if let Some(nulls) = &mut self.nulls {
                    nulls.push(false);
                }
            }
            None => {
                let len = self.values.len();
                self.nulls.get_or_insert_with(|| vec![false; len]).push(true);
                self.values.push(T::default());
            }
        }
    }

    /// The value at a place.
    #[inline]
    pub fn get(&self, at: usize) -> Option<T> {
        match &self.nulls {
            Some(nulls) if nulls[at] => None,
            _ => Some(self.values[at]),
        }
    }

    fn gather(&self, rows: &[u32]) -> Self {
        Typed {
            values: rows.iter().map(|&r| self.values[r as usize]).collect(),
            nulls: self.nulls.as_ref().map(|n| rows.iter().map(|&r| n[r as usize]).collect()),
        }
    }

    fn extend(&mut self, other: &Typed<T>) {
        if self.nulls.is_some() || other.nulls.is_some() {
            let len = self.values.len();
            let nulls = self.nulls.get_or_insert_with(|| vec![false; len]);
            match &other.nulls {
                Some(more) => nulls.extend_from_slice(more),
                None => nulls.resize(len + other.values.len(), false),
            }
        }
        self.values.extend_from_slice(&other.values);
    }
}

impl Vector {
    /// An empty vector that suits a type.
    pub fn for_type(ty: Oid, capacity: usize) -> Vector {
        match ty {
            oid::INT4 => Vector::Int4(Typed::with_capacity(capacity)),
            oid::INT8 => Vector::Int8(Typed::with_capacity(capacity)),
            oid::FLOAT8 => Vector::Float8(Typed::with_capacity(capacity)),
            oid::BOOL => Vector::Bool(Typed::with_capacity(capacity)),
            _ => Vector::Any(Vec::with_capacity(capacity)),
        }
    }

    /// How many values.
    pub fn len(&self) -> usize {
        match self {
            Vector::Int4(v) => v.values.len(),
            Vector::Int8(v) => v.values.len(),
            Vector::Float8(v) => v.values.len(),
            Vector::Bool(v) => v.values.len(),
            Vector::Any(v) => v.len(),
            Vector::Const(_, len) => *len,
        }
    }

    /// No values at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at a place.
    #[inline]
    pub fn get(&self, at: usize) -> Datum {
        match self {
            Vector::Int4(v) => v.get(at).map_or(Datum::Null, Datum::Int4),
            Vector::Int8(v) => v.get(at).map_or(Datum::Null, Datum::Int8),
            Vector::Float8(v) => v.get(at).map_or(Datum::Null, Datum::Float8),
            Vector::Bool(v) => v.get(at).map_or(Datum::Null, Datum::Bool),
            Vector::Any(v) => v[at].clone(),
            Vector::Const(value, _) => value.clone(),
        }
    }

    /// Is the value at a place NULL?
    pub fn is_null(&self, at: usize) -> bool {
        let null = |nulls: &Option<Vec<bool>>| nulls.as_ref().is_some_and(|n| n[at]);
        match self {
            Vector::Int4(v) => null(&v.nulls),
            Vector::Int8(v) => null(&v.nulls),
            Vector::Float8(v) => null(&v.nulls),
            Vector::Bool(v) => null(&v.nulls),
            Vector::Any(v) => matches!(v[at], Datum::Null),
            Vector::Const(value, _) => matches!(value, Datum::Null),
        }
    }

    /// Appends a value. A value of another type than the vector's makes the vector generic.
    #[inline]
    pub fn push(&mut self, value: Datum) {
        match (&mut *self, value) {
            (Vector::Int4(v), Datum::Int4(x)) => v.push(Some(x)),
            (Vector::Int8(v), Datum::Int8(x)) => v.push(Some(x)),
            (Vector::Float8(v), Datum::Float8(x)) => v.push(Some(x)),
            (Vector::Bool(v), Datum::Bool(x)) => v.push(Some(x)),
            (Vector::Int4(v), Datum::Null) => v.push(None),
            (Vector::Int8(v), Datum::Null) => v.push(None),
            (Vector::Float8(v), Datum::Null) => v.push(None),
            (Vector::Bool(v), Datum::Null) => v.push(None),
            (Vector::Any(v), value) => v.push(value),
            (_, value) => {
                self.make_generic();
                if let Vector::Any(v) = self {
                    v.push(value);
                }
            }
        }
    }

    fn make_generic(&mut self) {
        let values = (0..self.len()).map(|i| self.get(i)).collect();
        *self = Vector::Any(values);
    }

    /// The values at these places.
    pub fn gather(&self, rows: &[u32]) -> Vector {
        match self {
            Vector::Int4(v) => Vector::Int4(v.gather(rows)),
            Vector::Int8(v) => Vector::Int8(v.gather(rows)),
            Vector::Float8(v) => Vector::Float8(v.gather(rows)),
            Vector::Bool(v) => Vector::Bool(v.gather(rows)),
            Vector::Any(v) => Vector::Any(rows.iter().map(|&r| v[r as usize].clone()).collect()),
            Vector::Const(value, _) => Vector::Const(value.clone(), rows.len()),
        }
    }

    /// Appends all values of another vector.
    pub fn extend(&mut self, other: &Vector) {
        match (&mut *self, other) {
            (Vector::Int4(a), Vector::Int4(b)) => a.extend(b),
            (Vector::Int8(a), Vector::Int8(b)) => a.extend(b),
            (Vector::Float8(a), Vector::Float8(b)) => a.extend(b),
            (Vector::Bool(a), Vector::Bool(b)) => a.extend(b),
            _ => (0..other.len()).for_each(|i| self.push(other.get(i))),
        }
    }

    /// Bytes held, roughly.
    pub fn memory(&self) -> usize {
        match self {
            Vector::Int4(v) => v.values.len() * 5,
            Vector::Int8(v) => v.values.len() * 9,
            Vector::Float8(v) => v.values.len() * 9,
            Vector::Bool(v) => v.values.len() * 2,
            Vector::Any(v) => v.iter().map(datum_memory).sum(),
            Vector::Const(value, _) => datum_memory(value),
        }
    }
}

/// Bytes held by a value, roughly.
pub fn datum_memory(value: &Datum) -> usize {
    let beyond = match value {
        Datum::Text(s) => s.len(),
        Datum::Bytea(b) => b.len(),
        Datum::Numeric(_) => 48,
        Datum::Jsonb(_) => 256,
        Datum::Array(a) => a.values.iter().map(datum_memory).sum::<usize>() + 48,
        Datum::Record(r) => r.iter().map(datum_memory).sum::<usize>() + 16,
        _ => 0,
    };
    std::mem::size_of::<Datum>() + beyond
}
