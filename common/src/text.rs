//! Every text that people read, as closed enums with one exhaustive match per language: a text
//! that misses a language does not compile. One file per crate that speaks.

pub mod gateway;
pub mod host;
pub mod router;

use crate::lang::Lang;

/// Something that can be said in each language.
pub trait Say {
    /// In Chinese.
    fn zh(&self) -> String;
    /// In English.
    fn en(&self) -> String;

    /// In `lang`.
    fn say(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.zh(),
            Lang::En => self.en(),
        }
    }
}

#[cfg(test)]
mod tests;
