use std::borrow::Cow;

use crate::HttpError;

/// Most parameters of one request, repeated ones counted.
const MAX_PARAMETERS: usize = 10_000;

/// Parameters of a query string and a form body, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// The parameters of a form body first, then those of the query string: where a parameter is given in both, the body's counts.
    ///
    /// # Errors
    /// [`HttpError::TooManyParameters`].
    pub fn parse(query: Option<&str>, form: &[u8]) -> Result<Self, HttpError> {
        let pairs = form_urlencoded::parse(form).chain(form_urlencoded::parse(query.unwrap_or("").as_bytes()));
        let owned = |(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.into_owned(), value.into_owned());
        let pairs: Vec<_> = pairs.take(MAX_PARAMETERS + 1).map(owned).collect();
        if pairs.len() > MAX_PARAMETERS {
            return Err(HttpError::TooManyParameters { limit: MAX_PARAMETERS });
        }
        Ok(Self(pairs))
    }

    /// The parameter's first value; an empty one counts as not given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All values of a parameter that may be repeated, under any of its names, in order.
    pub fn all<'a>(&'a self, names: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| value.as_str())
    }

    /// A parameter that has to be given.
    ///
    /// # Errors
    /// [`HttpError::Missing`].
    pub fn required(&self, name: &str) -> Result<&str, HttpError> {
        self.get(name).ok_or_else(|| HttpError::Missing { name: name.to_owned() })
    }

    /// A parameter that is read by a function; the function says what is allowed.
    ///
    /// # Errors
    /// [`HttpError::Parameter`].
    pub fn read<T>(&self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, HttpError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).map_err(|allowed| HttpError::parameter(name, value, allowed))
    }
}

/// Parameters that come otherwise than in a query string or a form.
impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_and_query_string_are_one_list_and_repeated_parameters_keep_their_order() {
        let params = Params::parse(Some("match[]=%7Ba%3D%22b%22%7D&limit=5&x="), b"limit=7&match=c+d").unwrap();
        assert_eq!(params.get("limit"), Some("7"));
        assert_eq!(params.get("x"), None);
        assert_eq!(params.all(&["match", "match[]"]).collect::<Vec<_>>(), ["c d", "{a=\"b\"}"]);
        assert_eq!(params.required("query").unwrap_err().to_string(), "missing parameter query");
        let error = params.read("limit", |_| Err::<(), _>("a number".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), r#"invalid parameter limit="7": a number"#);
    }

    #[test]
    fn parameters_are_bounded() {
        assert!(Params::parse(Some(&"a&".repeat(MAX_PARAMETERS + 1)), b"").is_err());
    }
}
