//! What the router says of its own accord of a machine that somebody uses.

use super::RouterText;
use crate::text::Say;

/// A short message that rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeText {
    /// The machine is off.
    WentOff {
        /// The machine.
        node: String,
        /// Seconds since its last sign of life.
        seconds: u64,
        /// It has been coming and going.
        restless: bool,
    },
    /// The machine is on again.
    IsBack {
        /// The machine.
        node: String,
        /// It has been coming and going, and is steady now.
        restless: bool,
    },
}

impl Say for NodeText {
    fn zh(&self) -> String {
        match self {
            Self::WentOff {
                node,
                seconds,
                restless,
            } => {
                let ago = RouterText::Ago { seconds: *seconds }.zh();
                let what = if *restless {
                    "时断时续，现在离线了"
                } else {
                    "离线了"
                };
                format!("{node} {what}（最近一次心跳：{ago}）。发给它的消息会等它回来。")
            }
            Self::IsBack { node, restless } => {
                if *restless {
                    format!("{node} 之前时断时续，现在已经稳定在线。")
                } else {
                    format!("{node} 已恢复在线。")
                }
            }
        }
    }

    fn en(&self) -> String {
        match self {
            Self::WentOff {
                node,
                seconds,
                restless,
            } => {
                let ago = RouterText::Ago { seconds: *seconds }.en();
                let what = if *restless {
                    "has been coming and going, and is off now"
                } else {
                    "went off"
                };
                format!(
                    "{node} {what} (last sign of life {ago}). What you send to it waits until it is back."
                )
            }
            Self::IsBack { node, restless } => {
                if *restless {
                    format!("{node} had been coming and going; it is steady now, and on.")
                } else {
                    format!("{node} is back.")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_in_both_languages() {
        let node = || "Home".to_owned();
        let mut all = Vec::new();
        for restless in [false, true] {
            all.push(NodeText::WentOff {
                node: node(),
                seconds: 75,
                restless,
            });
            all.push(NodeText::IsBack {
                node: node(),
                restless,
            });
        }
        let said: Vec<_> = all.iter().flat_map(|text| [text.zh(), text.en()]).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        Home 离线了（最近一次心跳：75 秒前）。发给它的消息会等它回来。
        Home went off (last sign of life 75 s ago). What you send to it waits until it is back.
        Home 已恢复在线。
        Home is back.
        Home 时断时续，现在离线了（最近一次心跳：75 秒前）。发给它的消息会等它回来。
        Home has been coming and going, and is off now (last sign of life 75 s ago). What you send to it waits until it is back.
        Home 之前时断时续，现在已经稳定在线。
        Home had been coming and going; it is steady now, and on.
        ");
    }
}
