//! Evidence that stands: a manifest names every object of a case with its hash, each entry chained to the one before; a seal ends
//! it, signed where there is a key. [`Check`] reads all of it offline and names the first byte that is wrong. Nothing here
//! asks AWS anything.

mod case;
mod manifest;
mod prints;
mod seal;
mod timeline;
mod verify;

pub use case::{Case, MANIFEST, Part, SEAL};
pub use manifest::{Entry, Header, Manifest, Missing, Written};
pub use prints::{Place, Prints};
pub use seal::{Seal, Signature, SigningKey, Statement};
pub use timeline::{Row, rows_of_records, rows_of_story, timeline};
pub use verify::{Check, Fault, Proof, Trust, Verified, Wrong};
