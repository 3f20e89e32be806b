//! The commands of a host, one file each. Wrong use answers with the command's usage and changes
//! nothing. The table of all commands, with their help, is `common::command`.

pub(crate) mod ask;
pub(crate) mod cat;
pub(crate) mod clear;
pub(crate) mod close;
pub(crate) mod direct;
pub(crate) mod fetch;
pub(crate) mod grep;
pub(crate) mod ls;
pub(crate) mod new;
pub(crate) mod search;
pub(crate) mod send;
pub(crate) mod shell;
pub(crate) mod smart;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod switch;
pub(crate) mod tasks;
pub(crate) mod withdraw;

use common::command::typed::number;
use common::text::host::HostText;

use crate::desk::Numbered;

/// Reads the number of a session as its owner sees it.
pub(crate) fn pick(mine: &[Numbered], typed: &str) -> Result<Numbered, HostText> {
    let n: usize = number(typed).ok_or_else(|| HostText::NotANumber {
        got: crate::session::progress::one_line(typed, 40),
    })?;
    mine.iter()
        .find(|one| one.n == n)
        .cloned()
        .ok_or_else(|| HostText::NoSuchSession {
            n: n.to_string(),
            have: mine.len(),
        })
}
