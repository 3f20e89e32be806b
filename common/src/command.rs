//! The table of commands that people type, from which parsing and help are made.
//!
//! What a command does is the business of the part that owns it.

use crate::lang::Lang;

/// Who carries a command out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The router: it concerns machines.
    Router,
    /// The node: it concerns what runs there.
    Host,
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Begin a session.
    New,
    /// Sessions and mode.
    Status,
    /// Choose the active session.
    Switch,
    /// Close a session.
    Close,
    /// Text goes straight to the agent.
    Direct,
    /// Interrupt the running turn.
    Stop,
    /// Machines.
    Nodes,
    /// Choose the active machine.
    Node,
    /// One message to all machines.
    All,
    /// This table.
    Help,
}

impl Command {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 10] = [
        Self::New,
        Self::Status,
        Self::Switch,
        Self::Close,
        Self::Stop,
        Self::Direct,
        Self::Nodes,
        Self::Node,
        Self::All,
        Self::Help,
    ];

    /// The word behind the slash.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Status => "status",
            Self::Switch => "switch",
            Self::Close => "close",
            Self::Direct => "direct",
            Self::Stop => "stop",
            Self::Nodes => "nodes",
            Self::Node => "node",
            Self::All => "all",
            Self::Help => "help",
        }
    }

    /// How it is written.
    pub fn usage(self) -> &'static str {
        match self {
            Self::New => "/new <dir> [msg] [--timeout N] [--idle N]",
            Self::Status => "/status",
            Self::Switch => "/switch <n>",
            Self::Close => "/close [n]",
            Self::Direct => "/direct",
            Self::Stop => "/stop",
            Self::Nodes => "/nodes",
            Self::Node => "/node <name>",
            Self::All => "/all <text>",
            Self::Help => "/help",
        }
    }

    /// What it does, one line.
    pub fn help(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::New, Lang::En) => {
                "Begin a Claude Code session in <dir> (a folder under the working directory), and send [msg]. --timeout: seconds a turn may take; --idle: seconds until the process is closed"
            }
            (Self::New, Lang::Zh) => {
                "在 <dir>（工作目录下的文件夹）里开始一个 Claude Code 会话，并发送 [msg]。--timeout：一轮最多多少秒；--idle：空闲多少秒后关闭进程"
            }
            (Self::Status, Lang::En) => "Your sessions on this machine, and the mode",
            (Self::Status, Lang::Zh) => "这台机器上您的会话，以及当前模式",
            (Self::Switch, Lang::En) => "Make session <n> of /status the active one",
            (Self::Switch, Lang::Zh) => "把 /status 中的第 <n> 个会话设为当前会话",
            (Self::Close, Lang::En) => "Close the active session, or session <n>",
            (Self::Close, Lang::Zh) => "关闭当前会话，或第 <n> 个会话",
            (Self::Direct, Lang::En) => "Direct mode: text goes straight to Claude Code",
            (Self::Direct, Lang::Zh) => "直接模式：文字直接发给 Claude Code",
            (Self::Stop, Lang::En) => "Interrupt what the active session is doing",
            (Self::Stop, Lang::Zh) => "中断当前会话正在做的事",
            (Self::Nodes, Lang::En) => "Your machines: state, version, sessions, load, what waits",
            (Self::Nodes, Lang::Zh) => "您的机器：状态、版本、会话、负载、在等的消息",
            (Self::Node, Lang::En) => "Use machine <name> from now on",
            (Self::Node, Lang::Zh) => "从现在起使用机器 <name>",
            (Self::All, Lang::En) => {
                "Send <text> to all your machines; their answers are collected in one card. @name <text> sends to that machine only, @one @two <text> to several"
            }
            (Self::All, Lang::Zh) => {
                "把 <text> 发给您的所有机器，回答汇总在一张卡片里。@名称 <text> 只发给那一台，@一 @二 <text> 发给几台"
            }
            (Self::Help, Lang::En) => "This list",
            (Self::Help, Lang::Zh) => "本列表",
        }
    }

    /// Who carries it out.
    pub fn owner(self) -> Owner {
        match self {
            Self::Nodes | Self::Node | Self::All => Owner::Router,
            Self::New
            | Self::Status
            | Self::Switch
            | Self::Close
            | Self::Direct
            | Self::Stop
            | Self::Help => Owner::Host,
        }
    }
}

/// What a text is, before anything is known about the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed<'a> {
    /// One of our commands, with the rest of the text, trimmed.
    Command(Command, &'a str),
    /// `//x …`: `/x …` for the agent, whatever our own commands are.
    Passed(&'a str),
    /// `/x …` that is none of ours: the agent's, where there is one.
    Foreign(&'a str),
    /// Plain text.
    Text(&'a str),
}

/// Reads what a person typed. Command words are taken in any case; a full-width slash, as Chinese
/// keyboards give it, counts as one.
pub fn read(text: &str) -> Typed<'_> {
    let text = text.trim();
    let Some(rest) = strip_slash(text) else {
        return Typed::Text(text);
    };
    if let Some(inner) = strip_slash(rest) {
        // `//x` and `/x` differ by one slash, which is one or three bytes wide.
        return if inner.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Typed::Passed(rest)
        } else {
            Typed::Text(text)
        };
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (word, args) = rest.split_at(end);
    let word = word.to_ascii_lowercase();
    match Command::ALL
        .into_iter()
        .find(|command| command.name() == word)
    {
        Some(command) => Typed::Command(command, args.trim()),
        // A path such as `/usr/bin is full` is text, not a command.
        None if word.is_empty() || word.contains('/') => Typed::Text(text),
        None => Typed::Foreign(text),
    }
}

fn strip_slash(text: &str) -> Option<&str> {
    text.strip_prefix('/').or_else(|| text.strip_prefix('／'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_texts_are_told_apart() {
        assert_eq!(
            read(" /new demo hi "),
            Typed::Command(Command::New, "demo hi")
        );
        assert_eq!(read("/NODES"), Typed::Command(Command::Nodes, ""));
        assert_eq!(read("／status"), Typed::Command(Command::Status, ""));
        assert_eq!(read("//help me"), Typed::Passed("/help me"));
        assert_eq!(read("/compact now"), Typed::Foreign("/compact now"));
        assert_eq!(read("/usr/bin is full"), Typed::Text("/usr/bin is full"));
        assert_eq!(read("hello /new"), Typed::Text("hello /new"));
        assert_eq!(read("/"), Typed::Text("/"));
        assert_eq!(read("// a comment"), Typed::Text("// a comment"));
        assert_eq!(read("/new\ndemo"), Typed::Command(Command::New, "demo"));
    }

    #[test]
    fn every_command_is_read_by_its_own_name() {
        for command in Command::ALL {
            let text = format!("/{}", command.name());
            assert_eq!(read(&text), Typed::Command(command, ""));
            assert!(command.usage().starts_with(&text));
        }
    }
}
