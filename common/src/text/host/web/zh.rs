//! What a host says of the web, in Chinese.

use super::WebText;

pub(super) fn say(text: &WebText) -> String {
    match text {
        WebText::SearchTitle { query } => format!("搜索：{query}"),
        WebText::AskTitle { question } => format!("问答：{question}"),
        WebText::Sources => "来源".into(),
        WebText::NothingFound { query } => {
            format!("没有找到与“{query}”有关的结果。换个说法，或用 --in 换一个范围再试。")
        }
        WebText::Results { n, scope } => format!("{n} 条结果 · {scope}"),
        WebText::Credits { left } => format!("剩余额度 {left}"),
        WebText::ByReader => "由秘塔阅读器读取".into(),
        WebText::Cut { kilobytes } => format!("（内容较长，这里只显示前 {kilobytes} KB）"),
        WebText::NoSuchScope { got } => format!(
            "没有“{got}”这个范围。可选：webpage、paper、document、video、podcast。"
        ),
        WebText::QueryTooLong { max } => format!("太长了：最多 {max} 个字。请缩短后再试。"),
        WebText::Webpages => "网页".into(),
        WebText::Papers => "学术论文".into(),
        WebText::Documents => "文库".into(),
        WebText::Videos => "视频".into(),
        WebText::Podcasts => "播客".into(),
        WebText::NoKey => {
            "这台机器还没有配置搜索。请在它的配置文件里设置 METASO_API_KEY（密钥在 metaso.cn 申请），然后重新启动。其他功能不受影响。".into()
        }
        WebText::BadKey => {
            "搜索服务不接受这个密钥。请检查 METASO_API_KEY，然后重新启动。".into()
        }
        WebText::Exhausted => "搜索服务今天的额度已用完，明天再试，或为账户充值。".into(),
        WebText::TooFast => "搜索服务说请求太频繁，请稍等一会儿再试。".into(),
        WebText::ServiceRefused { why } if why.is_empty() => {
            "搜索服务拒绝了这个请求。换个说法再试。".into()
        }
        WebText::ServiceRefused { why } => format!("搜索服务拒绝了这个请求：{why}"),
        WebText::ServiceFailed { status } => {
            format!("搜索服务出错了（HTTP {status}），请稍后再试。")
        }
        WebText::ServiceAway => "连不上搜索服务，或它太久没有回答。请稍后再试。".into(),
        WebText::ServiceUnclear => "搜索服务的回答无法读懂，请稍后再试。".into(),
        WebText::BadUrl { url } => {
            format!("“{url}”不是网址。请写成 https://example.com/page 这样。")
        }
        WebText::BadScheme { scheme } => {
            format!("只能读取 http 和 https 的网址，不能读取 {scheme}。")
        }
        WebText::Credentials => "网址里带有用户名或密码，不读取。请去掉后再试。".into(),
        WebText::Private { host } => format!(
            "{host} 是这台机器或其内部网络的地址，不读取。只能读取公网上的网页。"
        ),
        WebText::NoSuchHost { host } => format!("找不到 {host} 这个网站。请检查网址。"),
        WebText::Unreachable { host } => format!("连不上 {host}。请检查网址，或稍后再试。"),
        WebText::TooSlow { seconds } => {
            format!("网页太慢：{seconds} 秒内没有读完，已放弃。请稍后再试。")
        }
        WebText::TooManyRedirects { max } => {
            format!("网页一再跳转（超过 {max} 次），已放弃。请直接写出最后的网址。")
        }
        WebText::Status {
            status: status @ (401 | 403 | 407 | 451),
        } => format!(
            "这个网页不让读取（HTTP {status}）：可能需要登录，或不接受程序访问。请在浏览器里打开。"
        ),
        WebText::Status {
            status: status @ (404 | 410),
        } => format!("没有这个网页（HTTP {status}）。请检查网址。"),
        WebText::Status { status: 429 } => {
            "网站说请求太频繁（HTTP 429）。请过几分钟再试。".into()
        }
        WebText::Status {
            status: status @ 300..=399,
        } => format!("网页要跳转，却没有说明跳到哪里（HTTP {status}）。请换一个网址。"),
        WebText::Status {
            status: status @ 500..,
        } => format!("网站自己出了问题（HTTP {status}）。请稍后再试。"),
        WebText::Status { status } => format!("网页回答了错误（HTTP {status}）。请检查网址。"),
        WebText::Broken { host } => {
            format!("{host} 的回答中途断开，或者不是网页。请稍后再试。")
        }
        WebText::NotText { kind } => {
            format!("这不是网页，也不是文字（{kind}），无法读取。可以用 /shell 下载它。")
        }
        WebText::Packed { how } => {
            format!("网站用 {how} 压缩了网页，这里不能解压，无法读取。请在浏览器里打开。")
        }
        WebText::Empty => "页面上没有可读的文字（可能要在浏览器里运行才显示）。".into(),
        WebText::TooHard => "这个页面太复杂，没能整理成文字。请在浏览器里打开。".into(),
        WebText::Busy => "正在读取的网页太多，请稍等一会儿再试。".into(),
    }
}
