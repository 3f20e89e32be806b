//! What a host says, in Chinese.

use super::HostText;

pub(super) fn say(text: &HostText) -> String {
    match text {
        HostText::Working => "进行中".into(),
        HostText::RunsFor { seconds } if *seconds < 60 => format!("{seconds} 秒"),
        HostText::RunsFor { seconds } => format!("{} 分 {} 秒", seconds / 60, seconds % 60),
        HostText::Thinking => "思考中".into(),
        HostText::Compacting => "正在压缩对话".into(),
        HostText::WaitsForYou => "等待您的答复".into(),
        HostText::Stop => "停止".into(),
        HostText::Stopped => "已停止".into(),
        HostText::TimedOut { after } => format!(
            "超过 {after} 秒，已停止。可以继续，或用 /new … --timeout 给会话更长的时间。"
        ),
        HostText::NoWords => "完成（没有文字回复）".into(),
        HostText::Retrying { attempt, max } => format!("服务出错，正在重试（{attempt}/{max}）"),
        HostText::Background => "后台任务的结果".into(),
        HostText::Part { n, of } => format!("第 {n}/{of} 部分"),
        HostText::LongTurnDone { dir } => format!("{dir}：完成了"),
        HostText::MoreSteps { n } => format!("此前还有 {n} 步"),
        HostText::Context { percent } => format!("上下文 {percent}%"),
        HostText::Queued { place } => format!("排队中，第 {place} 位。当前一轮结束后执行。"),
        HostText::SendNow => "立即发送".into(),
        HostText::Cancel => "取消".into(),
        HostText::Cancelled => "已取消，没有执行。".into(),
        HostText::AlreadyTaken => "没有取消：它之前已被收下。如果还在执行，请在它自己的卡片上点停止。".into(),
        HostText::Folded => "已发送到正在进行的一轮。".into(),
        HostText::AnsweredTogether => "已和前一条消息一起回答。".into(),
        HostText::QueueFull { waiting } => {
            format!("这个会话已有 {waiting} 条消息在等待，这一条没有收下，有空位之前后面的也不会收下。请等它们完成，或用 /stop。")
        }
        HostText::QueueFreed { refused: 1 } => {
            "又有空位了。这一条没有收下，如果还需要，请再发一次。".into()
        }
        HostText::QueueFreed { refused } => {
            format!("又有空位了。从这一条起有 {refused} 条消息没有收下，还需要的请再发一次。")
        }
        HostText::LaneFull { waiting } => format!(
            "会话暂时没有响应，您已有 {waiting} 条消息和点击在等待，这一条没有收下，恢复之前后面的也不会收下。请稍等，然后把还需要的再发一次。"
        ),
        HostText::Asks { tool } => format!("请求许可：{tool}"),
        HostText::About => "对象".into(),
        HostText::Why => "原因".into(),
        HostText::Where => "位置".into(),
        HostText::AllowOnce => "允许一次".into(),
        HostText::AllowSession => "本会话允许".into(),
        HostText::Deny => "拒绝".into(),
        HostText::AllowedOnce { at } => format!("{at} 已允许一次"),
        HostText::AllowedSession { at } => format!("{at} 已在本会话允许"),
        HostText::Denied { at } => format!("{at} 已拒绝"),
        HostText::Withdrawn => "不再需要答复".into(),
        HostText::AskCutOff => "不再需要答复：您答复之前 PhoneWork 重启了，所以没有执行。仍需要的话，请再说一次。".into(),
        HostText::Expired { at } => format!("到 {at} 仍无人答复，按拒绝处理"),
        HostText::NotYours => "这张卡片属于别人，只有本人可以操作。什么都没有改变。".into(),
        HostText::AnsweredBefore { how } => format!("此前已答复：{how}"),
        HostText::NobodyAsks => "没有谁在等这个答复了：提问的那一方已经结束。什么都没有改变。".into(),
        HostText::NobodyAnswered => {
            "用户没有及时答复，因此这一操作被拒绝。未经要求请不要再次尝试。".into()
        }
        HostText::DenyWords => "用户拒绝了这一操作。".into(),
        HostText::Rings { dir, tool } => format!("{dir}：{tool} 等待您的许可"),
        HostText::Interrupted { prompt } => {
            format!("PhoneWork 重启时中断了这一轮：\n“{prompt}”\n已经做过的不会重做。要继续吗？")
        }
        HostText::InterruptedAlive { prompt } => format!(
            "PhoneWork 重启了，这一轮的进程还在运行：\n“{prompt}”\n如果它自己完成，答案会出现在这里。也可以现在就接手。"
        ),
        HostText::Continue => "继续".into(),
        HostText::Discard => "放弃".into(),
        HostText::TryAgain => "重试".into(),
        HostText::Discarded => "已放弃。会话和目录保持原样。".into(),
        HostText::ContinueWords { request } => format!(
            "我的一个请求被中断了。请从中断处继续，已经完成的步骤不要重做。原来的请求是：\n\n{request}"
        ),
        HostText::ContinueUnsure { request } => format!(
            "我的上一个请求可能在任何一处被中断，也许已经做了一部分。请不要从头开始：先看看已经做了什么（文件、运行中的进程、结果），只做还缺的部分，已经完成的步骤不要重做。原来的请求是：\n\n{request}"
        ),
        HostText::Recovered => "重启后找回".into(),
        HostText::SessionReady {
            n,
            dir,
            made,
            smart,
        } => {
            let made = if *made { "（已新建目录）" } else { "" };
            let next = if *smart {
                "告诉助手要在那里做什么即可；想直接和它对话，请先发 /direct。"
            } else {
                "直接发消息即可。"
            };
            format!("会话 {n} 已在 {dir} 就绪{made}。{next}")
        }
        HostText::NoSession => "还没有会话。用 /new <目录> 开始一个，例如：/new demo".into(),
        HostText::NoneActive => {
            "现在没有当前会话。用 /switch <n> 选一个；/status 列出全部会话。".into()
        }
        HostText::Usage { wrong, usage } if wrong.is_empty() => format!("用法：{usage}"),
        HostText::Usage { wrong, usage } => format!("{wrong}\n用法：{usage}"),
        HostText::NoSuchSession { n, have: 0 } => {
            format!("没有第 {n} 个会话：目前一个也没有。用 /new <目录> 开始一个。")
        }
        HostText::NoSuchSession { n, have } => {
            format!("没有第 {n} 个会话：目前有 {have} 个，见 /status。")
        }
        HostText::NotANumber { got } => format!("“{got}”不是数字。"),
        HostText::OutOfBounds { option, min, max } => {
            format!("{option} 要在 {min} 到 {max} 之间。")
        }
        HostText::Switched { n, dir } => format!("当前会话：{n}（{dir}）"),
        HostText::Closed { n, dir } => format!("会话 {n}（{dir}）已关闭。目录和文件不受影响。"),
        HostText::Closing { n, dir } => {
            format!("正在关闭会话 {n}（{dir}），先停下它正在做的事。")
        }
        HostText::SessionFailed { dir } => format!(
            "{dir} 的会话在 PhoneWork 内部出错了，这一条没有收下。请在这台机器上重启 PhoneWork 以恢复它的工作，或用 /close 关闭它；文件不受影响。"
        ),
        HostText::DirectOn => "直接模式：文字直接发给 Claude Code。".into(),
        HostText::TooMuchAtOnce { max } => format!(
            "您已有 {max} 条命令在同时执行，这一条没有执行。请等其中一条完成后再发一次。"
        ),
        HostText::CommandBroke => "这条命令在 PhoneWork 内部出错了，没有结果。请再试一次；如果又这样，请看这台机器上的日志。".into(),
        HostText::DirOthers { dir } => format!("“{dir}”是别人的，您不能使用。请换一个文件夹名。"),
        HostText::NothingRuns => "现在没有正在进行的一轮。".into(),
        HostText::Stopping => "正在停止。".into(),
        HostText::StatusTitle { node } => format!("{node} 上的会话"),
        HostText::NoSessions => "没有会话。用 /new <目录> 开始一个。".into(),
        HostText::Line {
            active,
            dir,
            running,
            waiting,
            queued,
            live,
            age,
        } => {
            let state = match (waiting, running, live) {
                (true, _, _) => "等待您的答复",
                (_, true, _) => "进行中",
                (_, _, true) => "就绪",
                (_, _, false) => "休眠",
            };
            let queued = match queued {
                0 => String::new(),
                n => format!(" · 排队 {n}"),
            };
            let active = if *active { "（当前）" } else { "" };
            format!("{dir}{active} · {state}{queued} · {}前", duration(age))
        }
        HostText::ModeRow => "模式".into(),
        HostText::ModeDirect => "直接".into(),
        HostText::ModeSmart => "智能（未配置模型：文字发给当前会话）".into(),
        HostText::SwitchTo { n } => format!("切换到 {n}"),
        HostText::HelpTitle => "命令".into(),
        HostText::HelpMore => {
            "其他以 / 开头的命令交给当前会话里的 Claude Code，例如 /compact；与上面同名时写成 //help。其他文字交给助手（/smart）或直接发给当前会话（/direct）。".into()
        }
        HostText::UnknownCommand { name } => {
            format!("没有 {name} 这个命令，也没有可以交给它的当前会话。/help 列出全部命令。")
        }
        HostText::TooManySessions { max } => {
            format!("已有 {max} 个会话，到上限了。先用 /close <n> 关闭一个。")
        }
        HostText::DirOutside { dir, root } => {
            format!("“{dir}”不在工作目录 {root} 之内，没有开始会话。请写工作目录下的文件夹名，例如：/new demo")
        }
        HostText::DirIsFile { dir } => format!("“{dir}”是文件，不是目录。"),
        HostText::DirFailed { dir, why } => format!("目录“{dir}”无法使用：{why}"),
        HostText::AgentMissing => "这台机器上没有 claude。请安装：npm install -g @anthropic-ai/claude-code，或在配置里用 CLAUDE_BIN 写明位置，然后再发一次。".into(),
        HostText::AgentNotLoggedIn => "Claude Code 还没有登录（或登录已过期）。请在这台机器的终端运行 claude，再输入 /login，然后重试。".into(),
        HostText::AgentBadKey => "服务拒绝了密钥。请检查这台机器上的 ANTHROPIC_API_KEY，或在终端运行 claude 重新登录，然后重试。".into(),
        HostText::AgentNoCredit => "账户余额不足。请充值后重试。".into(),
        HostText::AgentOverloaded => "服务过载，多次重试仍未成功。请过几分钟再试。".into(),
        HostText::AgentServiceFailed { status } => format!("服务出错（{status}）。请稍后重试。"),
        HostText::AgentRateLimited { until: Some(until) } => {
            format!("已达用量上限，{until} 恢复。届时请重试。")
        }
        HostText::AgentRateLimited { until: None } => "请求太频繁或已达用量上限。请稍后重试。".into(),
        HostText::AgentContextFull => "对话太长，模型放不下了。请发送 /compact 压缩，或用 /new 开始新会话。".into(),
        HostText::AgentRefused { status, message } => format!("服务拒绝了请求（{status}）：{message}"),
        HostText::AgentNetwork => "这台机器连不上模型服务。请检查网络或代理，然后重试。".into(),
        HostText::AgentNoSuchSession => "这台机器上找不到原来的对话，已在同一目录开始新的对话。请再发一次。".into(),
        HostText::AgentInUse => "这个对话正在另一个程序（例如终端）里打开。请先在那里退出，然后重试。".into(),
        HostText::AgentArguments { message } => format!("claude 不接受 CLAUDE_ARGS 里的参数：{message}。请改配置后重启。"),
        HostText::AgentCrashed { detail } if detail.is_empty() => "Claude Code 的进程意外退出了。".into(),
        HostText::AgentCrashed { detail } => format!("Claude Code 的进程意外退出了：{detail}"),
        HostText::AgentOther { message } if message.is_empty() => "Claude Code 报告出错，没有说明原因。".into(),
        HostText::AgentOther { message } => format!("Claude Code 报告出错：{message}"),
        HostText::AgentLimit => "这一轮达到了步数或费用上限。可以继续。".into(),
    }
}

/// `5m` in words.
fn duration(short: &str) -> String {
    let units = [('s', "秒"), ('m', "分钟"), ('h', "小时"), ('d', "天")];
    units
        .into_iter()
        .find_map(|(unit, word)| Some(format!("{} {word}", short.strip_suffix(unit)?)))
        .unwrap_or_else(|| short.to_owned())
}
