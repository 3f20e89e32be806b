//! The table of commands that people type, from which parsing and help are made.
//!
//! What a command does is the business of the part that owns it.

use crate::lang::Lang;

pub mod typed;

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
    /// Text is understood by a model first.
    Smart,
    /// Text goes straight to the agent.
    Direct,
    /// Interrupt the running turn.
    Stop,
    /// Forget what was said to the model.
    Clear,
    /// Run a command.
    Shell,
    /// Commands that run by themselves.
    Tasks,
    /// List a folder.
    Ls,
    /// Show a file.
    Cat,
    /// Search in files.
    Grep,
    /// Send a file to the chat.
    Send,
    /// Search the web.
    Search,
    /// Ask the web.
    Ask,
    /// Read a page of the web.
    Fetch,
    /// Reminders.
    Remind,
    /// Machines.
    Nodes,
    /// Choose the active machine.
    Node,
    /// One message to all machines.
    All,
    /// The language.
    Lang,
    /// This table.
    Help,
}

impl Command {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 23] = [
        Self::New,
        Self::Status,
        Self::Switch,
        Self::Close,
        Self::Stop,
        Self::Smart,
        Self::Direct,
        Self::Clear,
        Self::Shell,
        Self::Tasks,
        Self::Ls,
        Self::Cat,
        Self::Grep,
        Self::Send,
        Self::Search,
        Self::Ask,
        Self::Fetch,
        Self::Remind,
        Self::Nodes,
        Self::Node,
        Self::All,
        Self::Lang,
        Self::Help,
    ];

    /// The word behind the slash.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Status => "status",
            Self::Switch => "switch",
            Self::Close => "close",
            Self::Smart => "smart",
            Self::Direct => "direct",
            Self::Stop => "stop",
            Self::Clear => "clear",
            Self::Shell => "shell",
            Self::Tasks => "tasks",
            Self::Ls => "ls",
            Self::Cat => "cat",
            Self::Grep => "grep",
            Self::Send => "send",
            Self::Search => "search",
            Self::Ask => "ask",
            Self::Fetch => "fetch",
            Self::Remind => "remind",
            Self::Nodes => "nodes",
            Self::Node => "node",
            Self::All => "all",
            Self::Lang => "lang",
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
            Self::Smart => "/smart",
            Self::Direct => "/direct",
            Self::Stop => "/stop",
            Self::Clear => "/clear",
            Self::Shell => "/shell [--bg] [--timeout N] <cmd>",
            Self::Tasks => "/tasks [n]",
            Self::Ls => "/ls [path]",
            Self::Cat => "/cat <path> [from[-to]]",
            Self::Grep => "/grep <pattern> [path]",
            Self::Send => "/send <path>",
            Self::Search => "/search [--in webpage|paper|document|video|podcast] <query>",
            Self::Ask => "/ask <question>",
            Self::Fetch => "/fetch <url>",
            Self::Remind => "/remind <when> <msg> | list | cancel <n>",
            Self::Nodes => "/nodes",
            Self::Node => "/node <name>",
            Self::All => "/all <text>",
            Self::Lang => "/lang [zh|en]",
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
            (Self::Smart, Lang::En) => {
                "Smart mode (the default): a model reads your text, answers itself, uses its tools, or hands it to Claude Code"
            }
            (Self::Smart, Lang::Zh) => {
                "智能模式（默认）：由模型先读您的文字，直接回答、使用工具，或交给 Claude Code"
            }
            (Self::Clear, Lang::En) => {
                "Smart mode: forget what was said so far. In direct mode it is Claude Code's own /clear"
            }
            (Self::Clear, Lang::Zh) => {
                "智能模式：忘掉此前的对话。直接模式下是 Claude Code 自己的 /clear"
            }
            (Self::Shell, Lang::En) => {
                "Run a shell command. After 60 s it goes on in the background; --bg: at once; --timeout: seconds after which it is ended"
            }
            (Self::Shell, Lang::Zh) => {
                "执行一条 shell 命令。超过 60 秒自动转到后台；--bg：一开始就在后台；--timeout：多少秒后结束它"
            }
            (Self::Tasks, Lang::En) => "Your background tasks, or task <n> with its output",
            (Self::Tasks, Lang::Zh) => "您的后台任务，或第 <n> 个任务及其输出",
            (Self::Ls, Lang::En) => "List a folder",
            (Self::Ls, Lang::Zh) => "列出文件夹内容",
            (Self::Cat, Lang::En) => "Show a file with line numbers, whole or some lines: 10-40",
            (Self::Cat, Lang::Zh) => "显示文件（带行号），全部或部分行：10-40",
            (Self::Grep, Lang::En) => "Search in files for a pattern (regular expression)",
            (Self::Grep, Lang::Zh) => "在文件中搜索（正则表达式）",
            (Self::Send, Lang::En) => "Send a file of this machine to the chat",
            (Self::Send, Lang::Zh) => "把这台机器上的文件发到聊天里",
            (Self::Search, Lang::En) => "Search the web",
            (Self::Search, Lang::Zh) => "搜索网络",
            (Self::Ask, Lang::En) => "Ask a question that is answered from the web, with sources",
            (Self::Ask, Lang::Zh) => "提一个问题，根据网络内容回答并列出来源",
            (Self::Fetch, Lang::En) => "Read a page of the web as text",
            (Self::Fetch, Lang::Zh) => "以文字形式读取一个网页",
            (Self::Remind, Lang::En) => {
                "Remind you: 10m, tomorrow 9am, every mon-fri 9:00, cron \"0 9 * * 1-5\". list shows what is set, cancel <n> takes one back"
            }
            (Self::Remind, Lang::Zh) => {
                "提醒您：10分钟后、明天9点、每周一 9:00、cron \"0 9 * * 1-5\"。list 列出，cancel <n> 取消"
            }
            (Self::Lang, Lang::En) => "The language that you are answered in",
            (Self::Lang, Lang::Zh) => "用哪种语言回答您",
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

    /// Whether nothing may stand behind it.
    pub fn is_bare(self) -> bool {
        !self.usage().contains(' ') && self != Self::Help
    }

    /// Who carries it out.
    pub fn owner(self) -> Owner {
        match self {
            Self::Nodes | Self::Node | Self::All | Self::Remind | Self::Lang => Owner::Router,
            Self::New
            | Self::Status
            | Self::Switch
            | Self::Close
            | Self::Smart
            | Self::Direct
            | Self::Stop
            | Self::Clear
            | Self::Shell
            | Self::Tasks
            | Self::Ls
            | Self::Cat
            | Self::Grep
            | Self::Send
            | Self::Search
            | Self::Ask
            | Self::Fetch
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

/// Reads what a person typed. Command words are taken in any case; a full-width slash and full-width
/// letters, as Chinese keyboards give them, count as plain ones, and a mark behind the word, as in
/// `/status。`, as a blank.
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
    let is_end = |c: char| c.is_whitespace() || typed::is_mark(c);
    let (word, args) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
    let name = typed::plain(word);
    match Command::ALL
        .into_iter()
        .find(|command| command.name().eq_ignore_ascii_case(&name))
    {
        Some(command) => Typed::Command(command, args.trim_start_matches(is_end).trim_end()),
        // A path such as `/usr/bin is full` is text, not a command.
        None if word.is_empty() || first_word(rest).contains('/') => Typed::Text(text),
        None => Typed::Foreign(text),
    }
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
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
        assert_eq!(read("/ls　src"), Typed::Command(Command::Ls, "src"));
        assert_eq!(read("／ｌｓ"), Typed::Command(Command::Ls, ""));
        assert_eq!(read("/status。"), Typed::Command(Command::Status, ""));
        assert_eq!(
            read("/remind：明天9点，开会。"),
            Typed::Command(Command::Remind, "明天9点，开会。")
        );
        assert_eq!(read("/status.md"), Typed::Foreign("/status.md"));
        assert_eq!(read("/usr，/bin"), Typed::Text("/usr，/bin"));
    }

    #[test]
    fn only_what_takes_something_may_have_something_behind_it() {
        let bare = Command::ALL.into_iter().filter(|one| one.is_bare());
        let names: Vec<_> = bare.map(Command::name).collect();
        let expected = ["status", "stop", "smart", "direct", "clear", "nodes"];
        assert_eq!(names, expected);
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
