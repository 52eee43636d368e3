//! What the query languages share in reading text: places, diagnostics with a caret, and literals.
//!
//! Row 1, beside `schema`. LogQL, TraceQL and PromQL lex with a [`Cursor`], keep a [`Place`] in every node of their trees and
//! report a [`Diagnostic`]. It knows no language's keywords or grammar.
//!
//! - Every offset is in bytes of the text and lies on a character boundary.
//! - Nothing here panics, whatever the text.
//! - A literal that is printed reads back equal.
//!
//! ```
//! use icegate_syntax::{Diagnostic, Span, duration};
//!
//! assert_eq!(duration::prometheus("1d12h"), Some(129_600_000_000_000));
//! let at = Diagnostic::new("unexpected }", Span::new(3, 4));
//! assert_eq!(at.render("{a=}"), "1:4: unexpected }\n  {a=}\n     ^");
//! ```

pub mod bytes;
mod cursor;
mod diagnostic;
pub mod duration;
pub mod number;
pub mod re2;
mod span;
pub mod text;

pub use cursor::Cursor;
pub use diagnostic::{Diagnostic, Position};
pub use span::{Place, Span};
