use std::time::Duration;

use icegate_runtime::Config;

use crate::HostError;

const PREFIX: &str = "ICEGATE_FUNCTION_";
const ANSWER_WITHIN: &str = "ICEGATE_FUNCTION_ANSWER_WITHIN_MS";
const STREAMING: &str = "ICEGATE_FUNCTION_STREAMING";
const BASE_PATH: &str = "ICEGATE_FUNCTION_BASE_PATH";

/// Below the 30 s after which an HTTP API stops waiting, and the 29 s of a REST API.
const DEFAULT_ANSWER_WITHIN: Duration = Duration::from_millis(28_000);
/// Longest time of a function.
const MAX_ANSWER_WITHIN_MS: u64 = 900_000;
/// Memory of a function where the environment doesn't say: AWS's smallest.
const MIN_MEMORY_MB: usize = 128;

/// What the environment says of the function itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a request of a gateway may take.
    pub answer_within: Duration,
    /// Whether answers are streamed.
    pub streaming: bool,
    /// A prefix of paths that is left out; `None` means the function's own.
    pub base_path: Option<String>,
    /// MiB of memory.
    pub memory_mb: usize,
    /// Invocations that one environment takes at once; 1 but on Lambda Managed Instances.
    pub concurrency: usize,
    /// Whether Lambda itself runs the function, and not a tool that stands in for it.
    pub on_lambda: bool,
}

impl Settings {
    /// Reads what concerns the function; an unknown variable of the family `ICEGATE_FUNCTION_` is an error.
    ///
    /// # Errors
    /// [`HostError::Setting`].
    pub fn from_variables(variables: &[(String, String)]) -> Result<Self, HostError> {
        let known = [ANSWER_WITHIN, STREAMING, BASE_PATH];
        if let Some((name, value)) =
            variables.iter().find(|(name, _)| name.starts_with(PREFIX) && !known.contains(&name.as_str()))
        {
            return refuse(name, value, format!("unknown, allowed are {}", known.join(", ")));
        }
        let get = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        Ok(Self {
            answer_within: get(ANSWER_WITHIN).map_or(Ok(DEFAULT_ANSWER_WITHIN), answer_within)?,
            streaming: get(STREAMING).map_or(Ok(false), streaming)?,
            base_path: get(BASE_PATH).map(base_path).transpose()?,
            memory_mb: number(get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")).unwrap_or(MIN_MEMORY_MB),
            concurrency: number(get("AWS_LAMBDA_MAX_CONCURRENCY")).unwrap_or(1),
            on_lambda: get("AWS_LAMBDA_INITIALIZATION_TYPE").is_some(),
        })
    }

    /// Lowers what the configuration lets parts hold to what fits into the function's memory, and says what it has lowered.
    ///
    /// Half of the memory is for queries, for rows on their way to a segment or to a table; a decoded body is an eighth, since its rows
    /// are held beside it, in Arrow and in Parquet. Nothing writes to `/tmp`.
    pub fn bound(&self, config: &mut Config) {
        let memory = self.memory_mb << 20;
        let lower = |key: &str, value: &mut usize, most: usize| {
            if *value > most {
                tracing::debug!(
                    key,
                    configured = *value,
                    bound = most,
                    memory_mb = self.memory_mb,
                    "lowered to what the memory allows"
                );
                *value = most;
            }
        };
        lower("engine.memory_size_mb", &mut config.engine.memory_size_mb, (self.memory_mb / 2).max(1));
        lower("otlp_http.max_decoded_bytes", &mut config.otlp_http.max_decoded_bytes, memory / 8);
        lower("otlp_http.max_record_bytes", &mut config.otlp_http.max_record_bytes, memory / 8);
        lower("shift.read.max_input_bytes_per_task", &mut config.shift.read.max_input_bytes_per_task, memory / 2);
    }

    /// Bytes of a segment's rows that may wait over all requests.
    #[must_use]
    pub const fn buffered_bytes(&self) -> usize {
        (self.memory_mb << 20) / 2
    }

    /// Bytes of an answer that a function may hold before it is compressed.
    #[must_use]
    pub const fn answer_bytes(&self) -> usize {
        (self.memory_mb << 20) / 8
    }

    /// Refuses places that end with the environment: what is acknowledged has to outlive it.
    ///
    /// # Errors
    /// [`HostError::Fleeting`].
    pub fn check_places(&self, config: &Config) -> Result<(), HostError> {
        if !self.on_lambda {
            return Ok(());
        }
        let warehouse = config.catalog.place().map(|url| ("catalog.warehouse", url));
        for (key, url) in warehouse.into_iter().chain([("queue.common.base_path", config.queue.common.base_path.as_str())]) {
            let fleeting = ["memory:", "file:///tmp/", "file:///var/task/"];
            if fleeting.iter().any(|place| url.starts_with(place)) {
                return Err(HostError::Fleeting { key, url: url.to_owned() });
            }
        }
        Ok(())
    }
}

fn answer_within(text: &str) -> Result<Duration, HostError> {
    let allowed = || format!("allowed are 1 to {MAX_ANSWER_WITHIN_MS}");
    match text.parse() {
        Ok(millis @ 1..=MAX_ANSWER_WITHIN_MS) => Ok(Duration::from_millis(millis)),
        _ => refuse(ANSWER_WITHIN, text, allowed()),
    }
}

fn streaming(text: &str) -> Result<bool, HostError> {
    text.parse().or_else(|_| refuse(STREAMING, text, "allowed are true and false"))
}

fn base_path(text: &str) -> Result<String, HostError> {
    let path = text.trim_end_matches('/');
    if path.is_empty() || (path.starts_with('/') && !path.contains(['?', '#', '%'])) {
        Ok(path.to_owned())
    } else {
        refuse(BASE_PATH, text, "it is a path such as /tempo")
    }
}

fn refuse<T>(variable: &str, value: &str, allowed: impl Into<String>) -> Result<T, HostError> {
    Err(HostError::Setting { variable: variable.to_owned(), value: value.to_owned(), allowed: allowed.into() })
}

/// A number that Lambda gives, not the user: what isn't one counts as not given.
fn number(text: Option<&str>) -> Option<usize> {
    text?.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, HostError> {
        let variables: Vec<_> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::from_variables(&variables)
    }

    #[test]
    fn settings_come_from_the_functions_own_variables_and_lambdas() {
        let read = settings(&[
            (ANSWER_WITHIN, "5000"),
            (STREAMING, "true"),
            (BASE_PATH, "/tempo/"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
            ("AWS_LAMBDA_MAX_CONCURRENCY", "8"),
            ("ICEGATE_PYTHON", "somebody else's"),
        ]);
        let expected = Settings {
            answer_within: Duration::from_secs(5),
            streaming: true,
            base_path: Some("/tempo".to_owned()),
            memory_mb: 1769,
            concurrency: 8,
            on_lambda: false,
        };
        assert_eq!(read.unwrap(), expected);
        let default = settings(&[]).unwrap();
        assert_eq!((default.answer_within, default.streaming, default.memory_mb), (Duration::from_secs(28), false, 128));
    }

    #[test]
    fn a_variable_that_is_unknown_or_badly_set_is_named() {
        for (name, value, message) in [
            ("ICEGATE_FUNCTION_STREMING", "1", "ICEGATE_FUNCTION_STREMING=\"1\": unknown, allowed are "),
            (ANSWER_WITHIN, "0", "ICEGATE_FUNCTION_ANSWER_WITHIN_MS=\"0\": allowed are 1 to 900000"),
            (ANSWER_WITHIN, "28s", "ICEGATE_FUNCTION_ANSWER_WITHIN_MS=\"28s\": allowed are 1 to 900000"),
            (STREAMING, "yes", "ICEGATE_FUNCTION_STREAMING=\"yes\": allowed are true and false"),
            (BASE_PATH, "tempo", "ICEGATE_FUNCTION_BASE_PATH=\"tempo\": it is a path such as /tempo"),
        ] {
            let error = settings(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn bounds_that_do_not_fit_into_the_functions_memory_are_lowered_and_others_stay() {
        let mut config = Config::from_yaml("engine: { memory_size_mb: 100 }", Path::new("data")).unwrap();
        settings(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")]).unwrap().bound(&mut config);
        assert_eq!(config.engine.memory_size_mb, 100);
        assert_eq!(config.otlp_http.max_decoded_bytes, 32 << 20);
        assert_eq!(config.otlp_http.max_record_bytes, 4 << 20);
        assert_eq!(config.shift.read.max_input_bytes_per_task, 64 << 20);
        let mut config =
            Config::from_yaml("shift: { read: { max_input_bytes_per_task: 5368709120 } }", Path::new("data")).unwrap();
        settings(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")]).unwrap().bound(&mut config);
        assert_eq!(config.shift.read.max_input_bytes_per_task, 512 << 20);
        let mut config = Config::from_yaml("", Path::new("data")).unwrap();
        settings(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")]).unwrap().bound(&mut config);
        assert_eq!((config.engine.memory_size_mb, config.otlp_http.max_decoded_bytes), (512, 64 << 20));
    }

    #[test]
    fn on_lambda_data_does_not_lie_where_it_ends_with_the_environment() {
        let on_lambda = settings(&[("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")]).unwrap();
        for (document, key) in [
            ("storage: { backend: memory }", Some("catalog.warehouse")),
            (
                "queue: { common: { base_path: /tmp/queue } }\ncatalog: { warehouse: s3://lake/warehouse/ }",
                Some("queue.common.base_path"),
            ),
            ("storage: { backend: !s3 { bucket: lake, region: eu-central-1 } }", None),
            ("storage: { backend: !filesystem { root_path: /mnt/lake } }", None),
        ] {
            let config = Config::from_yaml(document, Path::new("data")).unwrap();
            let refused = match on_lambda.check_places(&config) {
                Err(HostError::Fleeting { key, .. }) => Some(key),
                _ => None,
            };
            assert_eq!(refused, key, "{document}");
            settings(&[]).unwrap().check_places(&config).unwrap();
        }
    }
}
