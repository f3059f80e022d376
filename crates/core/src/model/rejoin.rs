//! What a release does with the Auto Scaling group.

/// Whether a release attaches the instance to its Auto Scaling group again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rejoin {
    /// It stays out of the group, which has replaced it.
    #[default]
    No,
    /// It is attached, which raises the desired capacity by one.
    Yes,
}
