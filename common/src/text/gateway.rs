//! What the gateway says by itself: admission, and pieces that only a surface adds.

use super::Say;

/// A text of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayText {
    /// The person is not on the allowlist; their id is what the owner must add.
    NotAllowed {
        /// The platform's id of the person.
        id: String,
    },
    /// Small print on a part of a long answer.
    Part {
        /// From 1.
        n: usize,
        /// How many.
        of: usize,
    },
    /// Over the folded list of what the agent did.
    Steps {
        /// How many.
        count: usize,
    },
    /// In place of a part that a shorter version of the card no longer has.
    PartEmpty,
    /// A tap was taken and is on its way.
    TapTaken,
    /// A tap is safe with us, and counts once the broker is back.
    TapKept,
    /// A tap could not be made safe. It may count all the same, where only the broker's word is missing;
    /// tapping twice does no harm.
    TapFailed,
    /// A button that the card no longer has.
    TapGone,
    /// Heading of the page for people who are not logged in.
    LoginTitle,
    /// How to log in.
    LoginNeeded,
    /// A login link that was used, or is not the newest one.
    LinkUsed,
    /// Heading of the page that follows a good login link.
    LoggedIn,
    /// Link to the page itself, where the browser does not go on by itself.
    GoOn,
    /// A request that did not come from our own page.
    OtherOrigin,
    /// A request that cannot be read.
    BadRequest,
    /// What was sent is not safe yet; the page tries again.
    NotTaken,
    /// More than the page may send at once.
    TooLarge,
    /// A file whose pieces are not there any more.
    FileGone {
        /// What it is called.
        name: String,
    },
    /// A file that the platform does not take.
    FileRefused {
        /// What it is called.
        name: String,
        /// In the platform's words.
        why: String,
    },
    /// A file that the page does not have any more.
    FileDropped,
    /// A file that is larger than may be sent, or empty.
    FileTooLarge {
        /// The most, as people read it.
        max: String,
    },
    /// There is no room for a file.
    FileNoRoom,
}

impl Say for GatewayText {
    fn zh(&self) -> String {
        match self {
            Self::NotAllowed { id } => format!(
                "抱歉，您还没有使用权限。请管理员把 {id} 加入 keyring.yaml 的 ALLOWED_OPEN_IDS。"
            ),
            Self::Part { n, of } => format!("第 {n}/{of} 部分"),
            Self::Steps { count } => format!("{count} 个步骤"),
            Self::PartEmpty => "（这一部分已不再需要）".into(),
            Self::TapTaken => "收到".into(),
            Self::TapKept => "已记下，连接恢复后立即生效".into(),
            Self::TapFailed => "可能没有收到；如果没有变化，请再点一次".into(),
            Self::TapGone => "这个按钮已经失效".into(),
            Self::LoginTitle => "请先登录".into(),
            Self::LoginNeeded => {
                "请打开 PhoneWork 启动时在终端里打印的登录链接（http://…/login?token=…）。每次启动都会打印一个新链接，只能使用一次。".into()
            }
            Self::LinkUsed => {
                "这个登录链接已经用过，或者不是最新的。请使用终端里最近一次打印的链接，或重新启动 PhoneWork 得到新链接。".into()
            }
            Self::LoggedIn => "已登录".into(),
            Self::GoOn => "进入 PhoneWork".into(),
            Self::OtherOrigin => "拒绝：这个请求不是从 PhoneWork 自己的页面发出的。请使用启动时打印的地址。".into(),
            Self::BadRequest => "无法读懂这个请求，请刷新页面后再试。".into(),
            Self::NotTaken => "消息服务暂时没有确认，页面会自动重试。".into(),
            Self::TooLarge => "内容太大，请分成几条发送。".into(),
            Self::FileGone { name } => {
                format!("{name} 没有按时送达（在途中超过两小时）。请重新发送：/send")
            }
            Self::FileRefused { name, why } => format!("聊天平台没有接受 {name}：{why}"),
            Self::FileDropped => "这个文件已不再保留，请重新发送：/send".into(),
            Self::FileTooLarge { max } => format!("文件是空的，或超过 {max}。"),
            Self::FileNoRoom => "现在没有空间接收文件，请稍后再试。".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::NotAllowed { id } => format!(
                "Sorry, you may not use this bot yet. Ask its owner to add {id} to ALLOWED_OPEN_IDS in keyring.yaml."
            ),
            Self::Part { n, of } => format!("Part {n} of {of}"),
            Self::Steps { count: 1 } => "1 step".into(),
            Self::Steps { count } => format!("{count} steps"),
            Self::PartEmpty => "(This part is no longer needed.)".into(),
            Self::TapTaken => "Got it".into(),
            Self::TapKept => "Kept: it counts as soon as the connection is back".into(),
            Self::TapFailed => "That may not have arrived; tap again if nothing changes".into(),
            Self::TapGone => "This button is no longer in use".into(),
            Self::LoginTitle => "Please log in first".into(),
            Self::LoginNeeded => {
                "Open the login link that PhoneWork printed in its terminal when it started (http://…/login?token=…). Each start prints a new one, and it works once.".into()
            }
            Self::LinkUsed => {
                "This login link has been used, or is not the newest one. Use the one that was printed last, or restart PhoneWork to get a new one.".into()
            }
            Self::LoggedIn => "You are logged in".into(),
            Self::GoOn => "Go to PhoneWork".into(),
            Self::OtherOrigin => {
                "Refused: this request did not come from PhoneWork's own page. Use the address that was printed at its start.".into()
            }
            Self::BadRequest => "This request cannot be read; reload the page and try again.".into(),
            Self::NotTaken => "The broker has not confirmed yet; the page tries again.".into(),
            Self::TooLarge => "This is too large; send it in several messages.".into(),
            Self::FileGone { name } => format!(
                "{name} did not arrive in time (it was on its way for more than two hours). Send it again: /send"
            ),
            Self::FileRefused { name, why } => {
                format!("The chat platform did not take {name}: {why}")
            }
            Self::FileDropped => "This file is not kept any more. Send it again: /send".into(),
            Self::FileTooLarge { max } => format!("The file is empty, or larger than {max}."),
            Self::FileNoRoom => "There is no room for the file at present; try again later.".into(),
        }
    }
}
