use crate::LogqlError;
use crate::lexer;
use crate::token::{FLAGS, FUNCTIONS, KEYWORDS, SYMBOLS, Token};

/// The words of the language, for whoever completes, colours or documents queries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// Words that never name a label.
    pub keywords: &'static [&'static str],
    /// Words that are functions where a bracket or a grouping follows.
    pub functions: &'static [&'static str],
    /// Operators and brackets.
    pub symbols: &'static [&'static str],
    /// Flags of parsers.
    pub flags: &'static [&'static str],
    /// Functions of templates.
    pub template_functions: Vec<&'static str>,
}

impl Vocabulary {
    /// All of it.
    #[must_use]
    pub fn new() -> Self {
        let template_functions = crate::template::function_names().collect();
        Self { keywords: &KEYWORDS, functions: &FUNCTIONS, symbols: &SYMBOLS, flags: &FLAGS, template_functions }
    }

    /// Which keywords, functions, symbols and flags stand in a query, in order.
    ///
    /// # Errors
    /// [`LogqlError::Syntax`], [`LogqlError::QueryTooLong`].
    pub fn words_of(query: &str) -> Result<Vec<&'static str>, LogqlError> {
        let word = |(token, _)| match token {
            Token::Keyword(word) | Token::Function(word) | Token::Symbol(word) | Token::Flag(word) => Some(word),
            _ => None,
        };
        Ok(lexer::tokens(query)?.into_iter().filter_map(word).collect())
    }
}

impl Default for Vocabulary {
    fn default() -> Self {
        Self::new()
    }
}
