//! What a host says about files, in English.

use super::FilesText;

pub(super) fn say(text: &FilesText) -> String {
    match text {
        FilesText::NotFound { path } => format!("There is no {path} here."),
        FilesText::Outside { path } => format!(
            "{path} leads out of the working directory. Only what is inside can be reached."
        ),
        FilesText::Strange { path } => format!(
            "{path} has characters that look like others or cannot be seen. Type the path with plain characters and `/`."
        ),
        FilesText::Secret { path } => format!(
            "{path} holds keys or passwords, or is PhoneWork's own. It is neither shown nor changed from the chat."
        ),
        FilesText::ManyNames { path } => format!(
            "{path} has a second name (a hard link), which may be outside the working directory, so it is neither read nor written. Make a copy of it: `/shell cp {path} {path}.copy`, and use that."
        ),
        FilesText::IsDir { path } => format!("{path} is a directory. `/ls {path}` shows it."),
        FilesText::NotDir { path } => format!("{path} is a file, not a directory."),
        FilesText::NotAFile { path } => {
            format!("{path} is a device, a pipe or a socket, and no file.")
        }
        FilesText::Denied { path } => {
            format!("The system does not let PhoneWork at {path} (permissions).")
        }
        FilesText::LongName { path } => {
            format!("A name in {path} is longer than the system takes. Choose a shorter one.")
        }
        FilesText::TooDeep { path } => format!(
            "{path} leads through too many folders or links, perhaps in a circle. Name the file itself."
        ),
        FilesText::DiskFull { path } => format!(
            "{path} cannot be written: the disk of this machine is full. Make room and try again."
        ),
        FilesText::ReadOnly { path } => {
            format!("{path} cannot be written: its disk is read-only.")
        }
        FilesText::Failed { path, why } => format!("{path}: {why}"),
        FilesText::Binary { path, size, kind } => {
            format!("{path} is no text: {kind}, {size}. `/send {path}` sends it to this chat.")
        }
        FilesText::BadRange { got } => format!(
            "`{got}` is no range of lines. Write 10-40, 10- (from 10 on) or 10 (that line)."
        ),
        FilesText::NoSuchLine { from, have } => {
            format!("There is no line {from}: the file has {have}.")
        }
        FilesText::LineTooFar { from, max } => format!(
            "Line {from} is too far into the file: only its first {max} are looked through. `/shell tail` or `/shell sed -n` shows what is behind."
        ),
        FilesText::BadPattern { why } => format!(
            "The pattern cannot be read: {why}\nA pattern is a regular expression; put \\ before a sign that is meant as it is, such as \\( or \\."
        ),
        FilesText::TooMuchText { max } => {
            format!("That is too much text at once (at most {max}). Write it in parts.")
        }
        FilesText::TooLargeToSend { path, size, max } => format!(
            "{path} is {size}; chats take at most {max}. Pack it (`/shell gzip -k {path}`), or cut it (`/shell split -b 25M {path} {path}.part-`) and send the parts."
        ),
        FilesText::EmptyToSend { path } => format!("{path} is empty; chats take no empty files."),
        FilesText::NoRoom => {
            "Too many files are on their way at present. Try again in some minutes.".into()
        }
        FilesText::NoBroker => "The broker does not answer; send the command again.".into(),
        FilesText::Head { path, what } => format!("{path} · {what}"),
        FilesText::Entries { n: 1 } => "1 entry".into(),
        FilesText::Entries { n } => format!("{n} entries"),
        FilesText::EmptyDir => "Nothing in it.".into(),
        FilesText::EmptyFile => "The file is empty.".into(),
        FilesText::Ignored { n } => format!("{n} left out by .gitignore"),
        FilesText::OddNames { n } => {
            format!("{n} with names that are no UTF-8 text, shown with �")
        }
        FilesText::MoreEntries { n } => format!("{n} more are not shown"),
        FilesText::Lines {
            from,
            to,
            of: Some(of),
        } => format!("lines {from}–{to} of {of}"),
        FilesText::Lines { from, to, of: None } => format!("lines {from}–{to}"),
        FilesText::GoOn { command } => format!("Go on: {command}"),
        FilesText::CutLines { n, max } => format!("{n} long lines cut to {max} characters"),
        FilesText::Encoding { name } if name == "?" => "unknown encoding".into(),
        FilesText::Encoding { name } => name.clone(),
        FilesText::Hits { n: 1, files: _ } => "1 hit".into(),
        FilesText::Hits { n, files: 1 } => format!("{n} hits in 1 file"),
        FilesText::Hits { n, files } => format!("{n} hits in {files} files"),
        FilesText::NoHits { files: 1 } => "Nothing found in 1 file.".into(),
        FilesText::NoHits { files } => format!("Nothing found in {files} files."),
        FilesText::MoreHits => "there are more; make the pattern or the folder narrower".into(),
        FilesText::SearchCut { seconds } => {
            format!("stopped after {seconds} s; name a folder to look in")
        }
        FilesText::PassedOver {
            binary,
            ignored,
            closed,
        } => {
            let all = [
                (*binary, "binary"),
                (*ignored, "left out by .gitignore"),
                (*closed, "not readable"),
            ];
            let all = all.iter().filter(|(n, _)| *n > 0);
            let all: Vec<String> = all.map(|(n, what)| format!("{n} {what}")).collect();
            format!("passed over: {}", all.join(", "))
        }
        FilesText::Sending { path, size } => format!("{path} ({size}) is on its way."),
        FilesText::Receiving { n: 1 } => "Receiving a file …".into(),
        FilesText::Receiving { n } => format!("Receiving {n} files …"),
        FilesText::Received { path, size } => format!("{path} ({size})"),
        FilesText::GoesWithNext => "It goes to Claude with your next message.".into(),
        FilesText::GoesNow => "It goes to Claude with your message.".into(),
        FilesText::NotReceived { name, why } => format!("{name} did not arrive: {why}"),
        FilesText::TooLarge { max } => format!("it is larger than {max}."),
        FilesText::GoneAtPlatform => "it is not there any more. Send it again.".into(),
        FilesText::MayNotFetch { detail } => {
            format!("the app may not fetch it. Its owner has to give it the right: {detail}")
        }
        FilesText::NoAnswer => "nothing came in time. Send it again.".into(),
        FilesText::Damaged => "it arrived damaged. Send it again.".into(),
        FilesText::TooManyFiles { max } => {
            format!("At most {max} files are taken with one message; send the others again.")
        }
        FilesText::Picture => "picture".into(),
        FilesText::WithPrompt => "Files that the user sent with this message:".into(),
        FilesText::LostWithPrompt { path } => format!("{path} (not there any more)"),
    }
}
