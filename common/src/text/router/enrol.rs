//! What the router says to administrators about machines that ask to be let in.

use crate::text::Say;

/// A text about such a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolText {
    /// Short message that rings.
    Ring {
        /// The machine.
        node: String,
    },
    /// Title: the question.
    Title {
        /// The machine.
        node: String,
    },
    /// Row: its id.
    Id,
    /// Row: what it calls itself.
    Name,
    /// Row: the version of its program.
    Program,
    /// Row: the end of its key.
    Key,
    /// What the buttons do, and what to compare.
    Hint,
    /// Button.
    Approve,
    /// Button.
    Deny,
    /// Title: it was let in.
    Approved {
        /// The machine.
        node: String,
    },
    /// What comes of that.
    ApprovedHint,
    /// Title: it was not.
    Denied {
        /// The machine.
        node: String,
    },
    /// How to change one's mind.
    DeniedHint {
        /// The machine.
        node: String,
    },
    /// Who answered.
    By {
        /// The person.
        user: String,
    },
    /// Another tap was first.
    Late,
    /// Title: the person may not decide.
    NotAdmin,
    /// What to do about it.
    NotAdminHint,
    /// Title: it could not be carried out.
    Failed,
}

impl Say for EnrolText {
    fn zh(&self) -> String {
        match self {
            Self::Ring { node } => format!("机器 {node} 请求加入，等您决定"),
            Self::Title { node } => format!("是否允许机器 {node} 加入？"),
            Self::Id => "机器 ID".into(),
            Self::Name => "名称".into(),
            Self::Program => "版本".into(),
            Self::Key => "密钥末尾".into(),
            Self::Hint => {
                "它知道 ROUTER_SECRET。请只在自己刚启动了它、且它日志里的密钥末尾相同时批准。批准后，它就能执行发给它的工作。".into()
            }
            Self::Approve => "批准".into(),
            Self::Deny => "拒绝".into(),
            Self::Approved { node } => format!("已允许 {node} 加入"),
            Self::ApprovedHint => "它会在几秒内上线。".into(),
            Self::Denied { node } => format!("已拒绝 {node}"),
            Self::DeniedHint { node } => {
                format!("改变主意时，请在中心机器上运行 phonework enroll {node}。")
            }
            Self::By { user } => format!("由 {user} 决定"),
            Self::Late => "此前已有人决定，这次点击没有改变任何东西。".into(),
            Self::NotAdmin => "您不能决定机器的加入".into(),
            Self::NotAdminHint => "只有 ADMIN_OPEN_IDS 里的人可以。".into(),
            Self::Failed => "没有成功".into(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Ring { node } => format!("Machine {node} asks to be let in and waits for you"),
            Self::Title { node } => format!("Let machine {node} in?"),
            Self::Id => "Node id".into(),
            Self::Name => "Name".into(),
            Self::Program => "Version".into(),
            Self::Key => "End of its key".into(),
            Self::Hint => "It knows ROUTER_SECRET. Approve only what you have just started yourself, and if its log shows the \
                           same end of its key. Once in, it runs the work that is sent to it."
                .into(),
            Self::Approve => "Approve".into(),
            Self::Deny => "Deny".into(),
            Self::Approved { node } => format!("{node} is let in"),
            Self::ApprovedHint => "It will be on within seconds.".into(),
            Self::Denied { node } => format!("{node} is not let in"),
            Self::DeniedHint { node } => {
                format!("If you change your mind, run phonework enroll {node} on the hub.")
            }
            Self::By { user } => format!("Decided by {user}"),
            Self::Late => "This was decided before; your tap changed nothing.".into(),
            Self::NotAdmin => "You cannot let machines in".into(),
            Self::NotAdminHint => "Only those in ADMIN_OPEN_IDS can.".into(),
            Self::Failed => "That did not work".into(),
        }
    }
}
