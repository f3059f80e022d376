//! Asking before something that a person should have read first.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::fault::Fault;

/// Whether somebody has agreed ahead of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// `--yes`.
    Given,
    /// Ask.
    Wanted,
}

impl Consent {
    /// From the flag.
    #[must_use]
    pub fn of(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Wanted }
    }

    /// Refuses, before anything is done, where nobody could be asked.
    ///
    /// # Errors
    /// There is no terminal, and no `--yes`.
    pub fn can_be_had(self, what: &str) -> Result<(), Fault> {
        if self == Self::Given || io::stdin().is_terminal() {
            return Ok(());
        }
        Err(Fault::Input(format!("{what} asks first, and there is no terminal to ask on; add --yes")))
    }
}

/// Asks; anything but `y` or `yes` is a no.
///
/// # Errors
/// The terminal cannot be read.
pub fn agrees(question: &str) -> Result<bool, Fault> {
    eprint!("{question} [y/N] ");
    io::stderr().flush().map_err(Fault::Terminal)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(Fault::Terminal)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}
