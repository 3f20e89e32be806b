//! What a host says about files: looking at them, sending them, receiving them.

mod en;
mod zh;

use crate::text::Say;

/// A text about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesText {
    // What cannot be done
    /// Nothing there, or nothing that this person may know of.
    NotFound {
        /// As it was typed.
        path: String,
    },
    /// It leads out of the working directory.
    Outside {
        /// As it was typed.
        path: String,
    },
    /// It has characters that look like others, or cannot be seen.
    Strange {
        /// As it was typed, without them.
        path: String,
    },
    /// It holds keys or passwords, or belongs to this program.
    Secret {
        /// As it was typed.
        path: String,
    },
    /// A file with several names: one of them may be outside.
    ManyNames {
        /// Which.
        path: String,
    },
    /// A directory, where a file is needed.
    IsDir {
        /// Which.
        path: String,
    },
    /// A file, where a directory is needed.
    NotDir {
        /// Which.
        path: String,
    },
    /// A device, a pipe, a socket.
    NotAFile {
        /// Which.
        path: String,
    },
    /// The system's permissions.
    Denied {
        /// Which.
        path: String,
    },
    /// A name longer than the system takes.
    LongName {
        /// As it was typed, cut.
        path: String,
    },
    /// More folders or links than are followed; links may lead in a circle.
    TooDeep {
        /// As it was typed, cut.
        path: String,
    },
    /// No room to write it.
    DiskFull {
        /// Which.
        path: String,
    },
    /// Nothing there can be written.
    ReadOnly {
        /// Which.
        path: String,
    },
    /// Anything else that the system says.
    Failed {
        /// Which.
        path: String,
        /// In the system's words.
        why: String,
    },
    /// Not text.
    Binary {
        /// Which.
        path: String,
        /// As people read it.
        size: String,
        /// By its first bytes.
        kind: String,
    },
    /// A range of lines that is none.
    BadRange {
        /// As it was typed.
        got: String,
    },
    /// The file has fewer lines.
    NoSuchLine {
        /// The first one that was asked for.
        from: usize,
        /// How many there are.
        have: usize,
    },
    /// A line further into a file than is looked.
    LineTooFar {
        /// The first one that was asked for.
        from: usize,
        /// How far is looked, as people read it.
        max: String,
    },
    /// A pattern that cannot be read.
    BadPattern {
        /// What is wrong with it.
        why: String,
    },
    /// More text than is written at once.
    TooMuchText {
        /// The most, as people read it.
        max: String,
    },
    /// Too large for the chat.
    TooLargeToSend {
        /// Which.
        path: String,
        /// As people read it.
        size: String,
        /// The most, as people read it.
        max: String,
    },
    /// Chats take no empty file.
    EmptyToSend {
        /// Which.
        path: String,
    },
    /// Too much is on its way.
    NoRoom,
    /// The broker does not answer.
    NoBroker,

    // Results
    /// A line over a listing or a file.
    Head {
        /// Which.
        path: String,
        /// Count of entries or lines, as it is said.
        what: String,
    },
    /// So many entries.
    Entries {
        /// How many.
        n: usize,
    },
    /// There is nothing in the directory.
    EmptyDir,
    /// There is nothing in the file.
    EmptyFile,
    /// Entries that .gitignore leaves out.
    Ignored {
        /// How many.
        n: usize,
    },
    /// More than are shown.
    MoreEntries {
        /// How many more.
        n: usize,
    },
    /// Entries whose names are no text.
    OddNames {
        /// How many.
        n: usize,
    },
    /// Which lines are shown.
    Lines {
        /// First.
        from: usize,
        /// Last.
        to: usize,
        /// How many there are, if that is known.
        of: Option<usize>,
    },
    /// How to see what follows.
    GoOn {
        /// The command.
        command: String,
    },
    /// Lines that are too long and were cut.
    CutLines {
        /// How many.
        n: usize,
        /// Characters that are left of each.
        max: usize,
    },
    /// The encoding, where it is not the usual one.
    Encoding {
        /// Its name; `?` for an unknown one.
        name: String,
    },
    /// A search with results.
    Hits {
        /// How many.
        n: usize,
        /// In how many files.
        files: usize,
    },
    /// A search without results.
    NoHits {
        /// Files that were looked through.
        files: usize,
    },
    /// There are more results than are shown.
    MoreHits,
    /// The search ended before it was through.
    SearchCut {
        /// Seconds, or files, whichever came first.
        seconds: u64,
    },
    /// What a search passed over.
    PassedOver {
        /// Binary files.
        binary: usize,
        /// Such as .gitignore leaves out.
        ignored: usize,
        /// Such as cannot be read, or have several names.
        closed: usize,
    },
    /// A file is on its way to the chat.
    Sending {
        /// Which.
        path: String,
        /// As people read it.
        size: String,
    },

    // From the chat
    /// Files are on their way from the chat.
    Receiving {
        /// How many.
        n: usize,
    },
    /// A file is here.
    Received {
        /// Where, relative to the working directory.
        path: String,
        /// As people read it.
        size: String,
    },
    /// What becomes of what was received.
    GoesWithNext,
    /// It goes at once, with the words that came with it.
    GoesNow,
    /// A file did not come.
    NotReceived {
        /// What it is called.
        name: String,
        /// Why.
        why: String,
    },
    /// Larger than is taken.
    TooLarge {
        /// The most, as people read it.
        max: String,
    },
    /// The platform does not have it any more.
    GoneAtPlatform,
    /// The app may not fetch it.
    MayNotFetch {
        /// In the platform's words.
        detail: String,
    },
    /// Nothing came in time.
    NoAnswer,
    /// The pieces were not what was announced.
    Damaged,
    /// More files than are taken with one message.
    TooManyFiles {
        /// How many are taken.
        max: usize,
    },
    /// A picture without a name.
    Picture,

    // In a prompt, for the agent
    /// Before the list of files that go with a prompt.
    WithPrompt,
    /// A file that was to go with a prompt and is not there any more.
    LostWithPrompt {
        /// Which.
        path: String,
    },
}

impl Say for FilesText {
    fn en(&self) -> String {
        en::say(self)
    }

    fn zh(&self) -> String {
        zh::say(self)
    }
}

/// A size in bytes as people read it: powers of ten, as chats count.
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let tenths = bytes / (unit / 10);
            return if tenths >= 100 {
                format!("{} {name}", tenths / 10)
            } else {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests;
