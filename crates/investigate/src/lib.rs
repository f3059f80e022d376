//! Looks back: which credentials were used, what they made, what is still there, whether it is over. It reads CloudTrail and the
//! account, and changes nothing; the function that contains knows nothing of it.

mod gather;
mod handler;
mod look;
mod request;
mod source;

pub use gather::{Gathered, Window, gather};
pub use handler::{App, handle};
pub use look::look;
pub use request::{Request, RequestError};
pub use source::{By, Page, Source};
