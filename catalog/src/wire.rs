//! The byte form of descriptors: fields in order, integers as varints, strings and lists with
//! their length in front. Each descriptor starts with a version byte of its own kind.

use types::SqlType;

/// Bytes that do not form a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed descriptor: {0}")]
pub struct Malformed(pub &'static str);

/// Most elements that a decoded list may claim: a damaged length never allocates more.
const LIST_LEN_MAX: u64 = 1 << 20;

/// What is left to decode.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed("it ends early"))?;
        self.0 = rest;
        Ok(*first)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(Malformed("it ends early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed("varint"))
    }
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A value with a byte form.
pub(crate) trait Wire: Sized {
    /// Appends the value.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads it back.
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed>;
}

macro_rules! unsigned {
    ($($ty:ty),*) => {$(
        impl Wire for $ty {
            fn put(&self, out: &mut Vec<u8>) {
                put_varint(u64::from(*self), out);
            }
            fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
                <$ty>::try_from(input.varint()?).map_err(|_| Malformed("integer range"))
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64);

impl Wire for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(((self << 1) ^ (self >> 63)) as u64, out);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let raw = input.varint()?;
        Ok((raw >> 1) as i64 ^ -((raw & 1) as i64))
    }
}

macro_rules! signed {
    ($($ty:ty),*) => {$(
        impl Wire for $ty {
            fn put(&self, out: &mut Vec<u8>) {
                i64::from(*self).put(out);
            }
            fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
                <$ty>::try_from(i64::get(input)?).map_err(|_| Malformed("integer range"))
            }
        }
    )*};
}
signed!(i16, i32);

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        match input.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("boolean")),
        }
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(self.len() as u64, out);
        out.extend_from_slice(self.as_bytes());
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let len = usize::try_from(input.varint()?).map_err(|_| Malformed("length"))?;
        let bytes = input.take(len)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed("text"))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        if bool::get(input)? { T::get(input).map(Some) } else { Ok(None) }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(self.len() as u64, out);
        self.iter().for_each(|item| item.put(out));
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let len = input.varint()?;
        if len > LIST_LEN_MAX {
            return Err(Malformed("list length"));
        }
        (0..len).map(|_| T::get(input)).collect()
    }
}

impl Wire for SqlType {
    fn put(&self, out: &mut Vec<u8>) {
        self.oid.put(out);
        self.typmod.put(out);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(SqlType { oid: u32::get(input)?, typmod: i32::get(input)? })
    }
}

impl Wire for base::codec::Direction {
    fn put(&self, out: &mut Vec<u8>) {
        (*self == base::codec::Direction::Desc).put(out);
    }
    fn get(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(if bool::get(input)? {
            base::codec::Direction::Desc
        } else {
            base::codec::Direction::Asc
        })
    }
}

/// Fields in the given order are the byte form of a struct.
macro_rules! wire_struct {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $( self.$field.put(out); )*
            }
            fn get(input: &mut $crate::wire::Input<'_>) -> Result<Self, $crate::wire::Malformed> {
                Ok($name { $( $field: $crate::wire::Wire::get(input)?, )* })
            }
        }
    };
}

/// One tag byte is the byte form of an enum without fields.
macro_rules! wire_enum {
    ($name:ident { $($variant:ident = $tag:literal),* $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(match self { $( $name::$variant => $tag, )* });
            }
            fn get(input: &mut $crate::wire::Input<'_>) -> Result<Self, $crate::wire::Malformed> {
                match <u8 as $crate::wire::Wire>::get(input)? {
                    $( $tag => Ok($name::$variant), )*
                    _ => Err($crate::wire::Malformed(stringify!($name))),
                }
            }
        }
    };
}

pub(crate) use {wire_enum, wire_struct};
