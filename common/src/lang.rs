//! The language a person is spoken to in. The texts themselves live with what
//! they describe; this only names the choice and reads it from a locale.

use serde::{Deserialize, Serialize};

/// A language that every text people read exists in.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Chinese (simplified).
    Zh,
    /// English, also for whoever speaks neither.
    #[default]
    En,
}

impl Lang {
    /// Reads a locale such as `zh_CN.UTF-8`, `zh-Hans` or `en`; whatever is not
    /// Chinese is spoken to in English.
    pub fn from_locale(locale: &str) -> Self {
        Self::parse(locale).unwrap_or_default()
    }

    /// Like [`Lang::from_locale`], but `None` for a language we do not have.
    pub fn parse(locale: &str) -> Option<Self> {
        let language = locale
            .split(['-', '_', '.', '@'])
            .next()
            .unwrap_or_default();
        match language.trim().to_ascii_lowercase().as_str() {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The language that a text tells of: Chinese letters are Chinese, and nothing else is known.
    pub fn written(text: &str) -> Option<Self> {
        let han = |c: char| matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}');
        text.chars().any(han).then_some(Self::Zh)
    }

    /// The two-letter code: `zh` or `en`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

impl std::fmt::Display for Lang {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_of_the_wild_are_understood() {
        for locale in ["zh", "zh_CN.UTF-8", "zh-Hans-CN", "ZH", "zh@pinyin"] {
            assert_eq!(Lang::from_locale(locale), Lang::Zh, "{locale}");
        }
        for locale in ["en", "en_GB.UTF-8", "C", "POSIX", "fr_FR", "", "zhx"] {
            assert_eq!(Lang::from_locale(locale), Lang::En, "{locale}");
        }
        assert_eq!(Lang::written("看一下 main.rs"), Some(Lang::Zh));
        assert_eq!(Lang::written("look at main.rs, ça va, こ"), None);
        assert_eq!(Lang::parse("fr"), None);
        assert_eq!(serde_json::to_string(&Lang::Zh).unwrap(), "\"zh\"");
    }
}
