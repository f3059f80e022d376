//! What happened: from CloudTrail's records to the credentials that begot each other, what they made, changed and took, and
//! whether it is over. Pure: it reads bytes that it is given, and calls nobody. The same records in any order, each once or
//! twice, end in the same bytes.

mod credential;
mod deed;
mod deeds;
mod index;
mod over;
mod read;
mod record;
mod root;
mod trace;

pub use credential::{Credential, CredentialId, CredentialKind, Delivery, Standing, Uses};
pub use deed::{Deed, DeedKind, DeedState, Presence};
pub use index::Index;
pub use over::{Over, over};
pub use read::{ReadError, Tally, records};
pub use record::{Caller, Record, Unreadable};
pub use root::{Named, Root, RootError};
pub use trace::{Summary, Trace, Tracer};
