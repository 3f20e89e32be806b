//! What a host says about files, in Chinese.

use super::FilesText;

pub(super) fn say(text: &FilesText) -> String {
    match text {
        FilesText::NotFound { path } => format!("这里没有 {path}。"),
        FilesText::Outside { path } => {
            format!("{path} 在工作目录之外，只能访问工作目录之内的内容。")
        }
        FilesText::Strange { path } => {
            format!("{path} 含有容易混淆或看不见的字符。请用普通字符和 `/` 书写路径。")
        }
        FilesText::Secret { path } => {
            format!("{path} 含有密钥或密码，或属于 PhoneWork 自身，不能在聊天中查看或修改。")
        }
        FilesText::ManyNames { path } => format!(
            "{path} 还有另一个名字（硬链接），可能在工作目录之外，因此不读也不写。请先复制一份（`/shell cp {path} {path}.copy`），再使用那一份。"
        ),
        FilesText::IsDir { path } => format!("{path} 是目录，可用 `/ls {path}` 查看。"),
        FilesText::NotDir { path } => format!("{path} 是文件，不是目录。"),
        FilesText::NotAFile { path } => format!("{path} 是设备、管道或套接字，不是文件。"),
        FilesText::Denied { path } => format!("系统权限不允许 PhoneWork 访问 {path}。"),
        FilesText::LongName { path } => {
            format!("{path} 中有一个名字太长，系统不接受。请换一个短一些的名字。")
        }
        FilesText::TooDeep { path } => {
            format!("{path} 经过的目录或链接太多，可能是循环链接。请直接写出文件的路径。")
        }
        FilesText::DiskFull { path } => {
            format!("{path} 无法写入：这台机器的磁盘已满。请腾出空间后再试。")
        }
        FilesText::ReadOnly { path } => format!("{path} 无法写入：所在的磁盘是只读的。"),
        FilesText::Failed { path, why } => format!("{path}：{why}"),
        FilesText::Binary { path, size, kind } => {
            format!("{path} 不是文本：{kind}，{size}。可用 `/send {path}` 发到聊天里。")
        }
        FilesText::BadRange { got } => {
            format!("`{got}` 不是行范围。请写 10-40、10-（从第 10 行起）或 10（只看这一行）。")
        }
        FilesText::NoSuchLine { from, have } => format!("没有第 {from} 行：文件共 {have} 行。"),
        FilesText::LineTooFar { from, max } => format!(
            "第 {from} 行太靠后：只查看文件的前 {max}。后面的内容可用 `/shell tail` 或 `/shell sed -n` 查看。"
        ),
        FilesText::BadPattern { why } => format!(
            "无法理解这个模式：{why}\n模式是正则表达式；要按字面匹配的符号请在前面加 \\，例如 \\( 或 \\."
        ),
        FilesText::TooMuchText { max } => {
            format!("一次写入的文字太多（最多 {max}），请分几次写入。")
        }
        FilesText::TooLargeToSend { path, size, max } => format!(
            "{path} 有 {size}，聊天最多接受 {max}。可以压缩（`/shell gzip -k {path}`），或切分（`/shell split -b 25M {path} {path}.part-`）后再逐个发送。"
        ),
        FilesText::EmptyToSend { path } => format!("{path} 是空文件，聊天不接受空文件。"),
        FilesText::NoRoom => "目前传输中的文件太多，请过几分钟再试。".into(),
        FilesText::NoBroker => "消息服务没有应答，请重新发送命令。".into(),
        FilesText::Head { path, what } => format!("{path} · {what}"),
        FilesText::Entries { n } => format!("{n} 项"),
        FilesText::EmptyDir => "里面没有内容。".into(),
        FilesText::EmptyFile => "文件是空的。".into(),
        FilesText::Ignored { n } => format!(".gitignore 略去 {n} 项"),
        FilesText::OddNames { n } => format!("{n} 项的名字不是 UTF-8 文本，以 � 显示"),
        FilesText::MoreEntries { n } => format!("另有 {n} 项未显示"),
        FilesText::Lines {
            from,
            to,
            of: Some(of),
        } => format!("第 {from}–{to} 行，共 {of} 行"),
        FilesText::Lines { from, to, of: None } => format!("第 {from}–{to} 行"),
        FilesText::GoOn { command } => format!("继续：{command}"),
        FilesText::CutLines { n, max } => format!("{n} 个长行已截到 {max} 个字符"),
        FilesText::Encoding { name } if name == "?" => "未知编码".into(),
        FilesText::Encoding { name } => name.clone(),
        FilesText::Hits { n, files } => format!("{files} 个文件中有 {n} 处匹配"),
        FilesText::NoHits { files } => format!("在 {files} 个文件中没有找到。"),
        FilesText::MoreHits => "还有更多；请缩小模式或目录范围".into(),
        FilesText::SearchCut { seconds } => format!("{seconds} 秒后停止；请指定目录"),
        FilesText::PassedOver {
            binary,
            ignored,
            closed,
        } => {
            let all = [
                (*binary, "个二进制文件"),
                (*ignored, "项被 .gitignore 略去"),
                (*closed, "个不可读"),
            ];
            let all = all.iter().filter(|(n, _)| *n > 0);
            let all: Vec<String> = all.map(|(n, what)| format!("{n} {what}")).collect();
            format!("跳过：{}", all.join("，"))
        }
        FilesText::Sending { path, size } => format!("{path}（{size}）正在发送。"),
        FilesText::Receiving { n } => format!("正在接收 {n} 个文件……"),
        FilesText::Received { path, size } => format!("{path}（{size}）"),
        FilesText::GoesWithNext => "会随您的下一条消息交给 Claude。".into(),
        FilesText::GoesNow => "已随您的消息交给 Claude。".into(),
        FilesText::NotReceived { name, why } => format!("{name} 没有收到：{why}"),
        FilesText::TooLarge { max } => format!("超过了 {max}。"),
        FilesText::GoneAtPlatform => "它已经不在了，请重新发送。".into(),
        FilesText::MayNotFetch { detail } => {
            format!("应用没有下载权限，请应用所有者开通：{detail}")
        }
        FilesText::NoAnswer => "没有按时收到，请重新发送。".into(),
        FilesText::Damaged => "收到的内容已损坏，请重新发送。".into(),
        FilesText::TooManyFiles { max } => {
            format!("一条消息最多接收 {max} 个文件，其余的请再发一次。")
        }
        FilesText::Picture => "图片".into(),
        FilesText::WithPrompt => "用户随这条消息发来的文件：".into(),
        FilesText::LostWithPrompt { path } => format!("{path}（已经不在了）"),
    }
}
