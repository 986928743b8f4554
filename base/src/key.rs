//! Keys of the replicated key space.
//!
//! **Keys are prefix-free: no key of a row is a proper prefix of another's.** The row codecs
//! guarantee it (every column's encoding ends itself). Storage relies on it when it appends a
//! timestamp to a key, and so does [`Key::after`], which finds the place behind a key without
//! appending anything to it.

use bincode::{Decode, Encode};
use bytes::Bytes;
use std::fmt;
use std::ops::Deref;

/// An encoded key, or a bound of a span. Cheap to clone.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub Bytes);

impl Key {
    /// The lowest bound.
    pub const MIN: Key = Key(Bytes::new());

    /// A bound above every key: keys never start with 0xff.
    pub fn max() -> Key {
        Key(Bytes::from_static(&[0xff]))
    }

    /// Copies bytes into a key.
    pub fn copy_from(bytes: &[u8]) -> Key {
        Key(Bytes::copy_from_slice(bytes))
    }

    /// The lowest bound above every key that starts with these bytes; [`Key::max`] when there is
    /// none. As keys are prefix-free this is also the bound just behind a full key.
    pub fn after(&self) -> Key {
        let mut bytes = self.0.to_vec();
        while let Some(last) = bytes.last_mut() {
            if *last < 0xff {
                *last += 1;
                return Key(bytes.into());
            }
            bytes.pop();
        }
        Key::max()
    }
}

impl Deref for Key {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Key(bytes.into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Encode for Key {
    fn encode<E: bincode::enc::Encoder>(
        &self,
        encoder: &mut E,
    ) -> Result<(), bincode::error::EncodeError> {
        crate::codec::encode_bytes(&self.0, encoder)
    }
}

impl<C> Decode<C> for Key {
    fn decode<D: bincode::de::Decoder<Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, bincode::error::DecodeError> {
        crate::codec::decode_bytes(decoder).map(Key)
    }
}

bincode::impl_borrow_decode!(Key);
