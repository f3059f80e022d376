//! What people read of a principal's containment: the answer and the verdict. Its message is in `report/message/principal.rs`.

mod answer;
mod verdict;

pub use answer::{PrincipalAnswer, Timings};
pub use verdict::{PrincipalLine, PrincipalVerdict};
