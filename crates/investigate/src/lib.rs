//! Looks back: which credentials were used, what they made, what is still there, whether it is over; and takes evidence of a
//! containment. It reads CloudTrail, the account and the ledger, and writes evidence with its chain of custody, and nothing else; the
//! function that contains knows nothing of it.

mod app;
mod back;
pub mod bundle;
mod evidence;
mod gather;
mod handler;
mod look;
mod metrics;
mod request;
mod settings;
mod source;
mod takes;
mod told;

pub use app::App;
pub use gather::{Gathered, Texts, Window, gather};
pub use handler::handle;
pub use look::look;
pub use metrics::METRICS;
pub use request::{Action, Request, RequestError};
pub use settings::{EvidenceSettings, SettingError, Settings};
pub use source::{By, Page, Source};
pub use told::{Happened, Item, Told, items};
