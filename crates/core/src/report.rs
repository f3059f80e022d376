//! What became true and what people read of it. Facts come from what was read back; the verdict from the facts; every
//! sentence is made here, at the end.

pub mod answer;
pub mod contest;
pub mod fact;
pub mod message;
mod note;
pub mod notices;
pub mod page;
pub mod paths;
pub mod principal;
pub mod proof;
pub mod story;
pub mod verdict;
