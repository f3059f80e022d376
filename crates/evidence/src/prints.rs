//! What is kept of some bytes to know them again: their SHA-256, their number, and for each kilobyte a part of its hash and two sums.
//! The hash decides. The sums find the place: where one byte of a kilobyte was changed they say which and what it was, and the
//! hash of the mended bytes shows that this is true.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const BLOCK: usize = 1024;
/// Bytes of a block's hash that are kept, and of each sum.
const KEPT_OF_HASH: usize = 8;
const KEPT: usize = KEPT_OF_HASH + 4;
/// The largest prime below 2^16.
const PRIME: u32 = 65_521;

/// What is kept of some bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prints {
    /// SHA-256, 64 hex digits.
    pub sha256: String,
    /// How many bytes.
    pub bytes: u64,
    /// Twelve bytes for each kilobyte, in base64: eight of its SHA-256, then the sum of its bytes and the sum of its bytes
    /// times their places, each modulo 65,521.
    pub blocks: String,
}

/// Where bytes differ from what was taken. Offsets count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// This one byte, shown by the hash of the mended bytes; there may be others after its kilobyte.
    Byte { at: u64, is: u8, was: u8 },
    /// The first one that differs is one of these; `to` is the last.
    Within { from: u64, to: u64 },
    /// What is there is as it was, as far as kilobytes can tell; from here on bytes are missing.
    EndsEarly { at: u64, of: u64 },
    /// Everything is as it was up to here, and more follows.
    GoesOn { at: u64 },
}

impl Place {
    /// The first offset that may be wrong.
    #[must_use]
    pub fn first(self) -> u64 {
        match self {
            Self::Byte { at, .. }
            | Self::Within { from: at, .. }
            | Self::EndsEarly { at, .. }
            | Self::GoesOn { at } => at,
        }
    }

    /// The same place, in a file in which these bytes begin at `start`.
    #[must_use]
    pub fn shifted(self, start: u64) -> Self {
        match self {
            Self::Byte { at, is, was } => Self::Byte { at: at + start, is, was },
            Self::Within { from, to } => Self::Within { from: from + start, to: to + start },
            Self::EndsEarly { at, of } => Self::EndsEarly { at: at + start, of: of + start },
            Self::GoesOn { at } => Self::GoesOn { at: at + start },
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Byte { at, is, was } => write!(f, "byte {at} is 0x{is:02x} and was 0x{was:02x}"),
            Self::Within { from, to } if from == to => write!(f, "byte {from} is not as it was"),
            Self::Within { from, to } => write!(f, "the first byte that is wrong is one of {from} to {to}"),
            Self::EndsEarly { at, of } => {
                write!(f, "it ends at byte {at}; {} bytes are missing", of.saturating_sub(*at))
            }
            Self::GoesOn { at } => write!(f, "byte {at} and all that follow were not there"),
        }
    }
}

impl Prints {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut blocks = Vec::with_capacity(bytes.len().div_ceil(BLOCK) * KEPT);
        for block in bytes.chunks(BLOCK) {
            blocks.extend_from_slice(&kept(block));
        }
        Self { sha256: sha256(bytes), bytes: bytes.len() as u64, blocks: BASE64.encode(blocks) }
    }

    /// Whether these are the bytes.
    #[must_use]
    pub fn fits(&self, bytes: &[u8]) -> bool {
        self.bytes == bytes.len() as u64 && self.sha256 == sha256(bytes)
    }

    /// Where they differ first; none where they are the same.
    #[must_use]
    pub fn differs(&self, bytes: &[u8]) -> Option<Place> {
        if self.fits(bytes) {
            return None;
        }
        Some(self.mended(bytes).map_or_else(|place| place, |(place, _)| place))
    }

    /// The bytes as they were, and the byte that was changed.
    ///
    /// # Errors
    /// More than one byte differs: where the first one is.
    pub(crate) fn mended(&self, bytes: &[u8]) -> Result<(Place, Vec<u8>), Place> {
        let kept_of = BASE64.decode(&self.blocks).unwrap_or_default();
        let length = bytes.len() as u64;
        for (number, (block, was)) in bytes.chunks(BLOCK).zip(kept_of.chunks(KEPT)).enumerate() {
            if kept(block) == was {
                continue;
            }
            let start = (number * BLOCK) as u64;
            let whole = (self.bytes.saturating_sub(start)).min(BLOCK as u64);
            if (block.len() as u64) < whole {
                // The last block of what is shorter: nothing tells its bytes apart.
                return Err(Place::EndsEarly { at: length, of: self.bytes });
            }
            if let Some((at, byte)) = changed(block, was) {
                let mut mended = bytes.to_vec();
                let offset = number * BLOCK + at;
                if let (Some(place), Some(is)) = (mended.get_mut(offset), block.get(at)) {
                    *place = byte;
                    let place = Place::Byte { at: offset as u64, is: *is, was: byte };
                    return if self.fits(&mended) { Ok((place, mended)) } else { Err(place) };
                }
            }
            let to = start + (block.len() as u64).min(whole.max(1)) - 1;
            return Err(Place::Within { from: start, to });
        }
        Err(match length.cmp(&self.bytes) {
            std::cmp::Ordering::Less => Place::EndsEarly { at: length, of: self.bytes },
            std::cmp::Ordering::Greater => Place::GoesOn { at: self.bytes },
            // The blocks fit, and the whole does not: what is kept of them was changed.
            std::cmp::Ordering::Equal => Place::Within { from: 0, to: length.saturating_sub(1) },
        })
    }
}

/// SHA-256, 64 hex digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn kept(block: &[u8]) -> Vec<u8> {
    let (sum, weighted) = sums(block);
    let digest = Sha256::digest(block);
    let mut kept: Vec<u8> = digest.iter().copied().take(KEPT_OF_HASH).collect();
    for sum in [sum, weighted] {
        kept.extend(sum.to_be_bytes().into_iter().skip(2));
    }
    kept
}

fn sums(block: &[u8]) -> (u32, u32) {
    block.iter().zip(1_u32..).fold((0, 0), |(sum, weighted), (byte, place)| {
        let byte = u32::from(*byte);
        ((sum + byte) % PRIME, (weighted + byte * place) % PRIME)
    })
}

/// The place of the only byte that differs, and what it was.
fn changed(block: &[u8], was: &[u8]) -> Option<(usize, u8)> {
    let [.., s1, s0, w1, w0] = was else { return None };
    let (then_sum, then_weighted) = (u32::from_be_bytes([0, 0, *s1, *s0]), u32::from_be_bytes([0, 0, *w1, *w0]));
    let (sum, weighted) = sums(block);
    let by = (sum + PRIME - then_sum) % PRIME;
    let moved = (weighted + PRIME - then_weighted) % PRIME;
    if by == 0 {
        return None;
    }
    let place = (u64::from(moved) * u64::from(inverse(by))) % u64::from(PRIME);
    let at = usize::try_from(place).ok()?.checked_sub(1)?;
    let is = u32::from(*block.get(at)?);
    let byte = u8::try_from((is + PRIME - by) % PRIME).ok()?;
    let mut mended = block.to_vec();
    *mended.get_mut(at)? = byte;
    (kept(&mended) == was).then_some((at, byte))
}

/// By Fermat: a^(p-2) modulo p.
fn inverse(of: u32) -> u32 {
    let (mut base, mut exponent, mut result) = (u64::from(of), PRIME - 2, 1_u64);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = result * base % u64::from(PRIME);
        }
        base = base * base % u64::from(PRIME);
        exponent /= 2;
    }
    u32::try_from(result).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap_or(0)).collect()
    }

    #[test]
    fn any_one_byte_is_named_with_what_it_was() {
        for length in [1, 2, 1023, 1024, 1025, 2100] {
            let was = sample(length);
            let prints = Prints::of(&was);
            assert_eq!(prints.differs(&was), None);
            for at in 0..length {
                for by in [1_u8, 0x80, 0xff] {
                    let mut is = was.clone();
                    is[at] = is[at].wrapping_add(by);
                    let place = Place::Byte { at: at as u64, is: is[at], was: was[at] };
                    assert_eq!(prints.differs(&is), Some(place), "{length} {at} {by}");
                }
            }
        }
    }

    #[test]
    fn what_is_cut_off_added_or_put_in_between_is_found() {
        let was = sample(3000);
        let prints = Prints::of(&was);
        assert_eq!(prints.differs(&was[..2048]), Some(Place::EndsEarly { at: 2048, of: 3000 }));
        assert_eq!(prints.differs(&was[..2500]), Some(Place::EndsEarly { at: 2500, of: 3000 }));
        assert_eq!(prints.differs(&[]), Some(Place::EndsEarly { at: 0, of: 3000 }));
        let more = |count: usize| [was.clone(), vec![b'x'; count]].concat();
        assert_eq!(prints.differs(&more(1)).map(Place::first), Some(2048), "its last kilobyte is another one");
        assert_eq!(Prints::of(&was[..2048]).differs(&was), Some(Place::GoesOn { at: 2048 }));
        assert_eq!(Prints::of(&[]).differs(b"x"), Some(Place::GoesOn { at: 0 }));
        let mut between = was.clone();
        between.insert(1500, b'!');
        assert_eq!(prints.differs(&between), Some(Place::Within { from: 1024, to: 2047 }));
    }

    proptest! {
        #[test]
        fn whatever_was_changed_is_found_no_later_than_where_it_is(
            was in proptest::collection::vec(any::<u8>(), 1..4000),
            changes in proptest::collection::vec((any::<prop::sample::Index>(), 1_u8..=255), 1..6),
        ) {
            let prints = Prints::of(&was);
            let mut is = was.clone();
            for (at, by) in &changes {
                let at = at.index(is.len());
                is[at] = is[at].wrapping_add(*by);
            }
            let first = was.iter().zip(&is).position(|(was, is)| was != is);
            match (first, prints.differs(&is)) {
                (None, found) => prop_assert_eq!(found, None),
                (Some(at), Some(Place::Byte { at: found, is: byte, was: then })) => {
                    prop_assert_eq!((found, byte, then), (at as u64, is[at], was[at]));
                }
                (Some(at), Some(Place::Within { from, to })) => prop_assert!(from <= at as u64 && at as u64 <= to),
                (Some(_), found) => prop_assert!(false, "{:?}", found),
            }
        }
    }
}
