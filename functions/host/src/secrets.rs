//! Variables that refer to secrets.

use std::collections::HashMap;

use aws_config::SdkConfig;
use icegate_storage::aws::{AwsOptions, sdk_config};

use crate::HostError;

const PREFIX: &str = "ICEGATE_";

/// A secret that a value names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    /// A secret of Secrets Manager.
    Secret { region: &'a str, arn: &'a str },
    /// A parameter of SSM, also one that is encrypted.
    Parameter { region: &'a str, name: &'a str },
}

impl<'a> Reference<'a> {
    /// What a value refers to; `None` for a value that is what it is.
    pub(crate) fn of(value: &'a str) -> Option<Self> {
        let mut parts = value.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        let (service, region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if arn != "arn" || !partition.starts_with("aws") || region.is_empty() {
            return None;
        }
        match service {
            "secretsmanager" if resource.starts_with("secret:") => Some(Self::Secret { region, arn: value }),
            // The name of a parameter in a hierarchy begins with the slash that ends `parameter` in its ARN.
            "ssm" => {
                let path = resource.strip_prefix("parameter")?.strip_prefix('/')?;
                let name = if path.contains('/') { &resource["parameter".len()..] } else { path };
                (!path.is_empty()).then_some(Self::Parameter { region, name })
            }
            _ => None,
        }
    }

    const fn region(&self) -> &'a str {
        match self {
            Self::Secret { region, .. } | Self::Parameter { region, .. } => region,
        }
    }
}

/// Replaces every value of an `ICEGATE_` variable that is the ARN of a secret or parameter by its text. Speaks to AWS only where there
/// is one.
pub(crate) async fn resolve(variables: Vec<(String, String)>) -> Result<Vec<(String, String)>, HostError> {
    let mut configs = HashMap::new();
    let mut resolved = Vec::with_capacity(variables.len());
    for (variable, value) in variables {
        let Some(reference) = Reference::of(&value).filter(|_| variable.starts_with(PREFIX)) else {
            resolved.push((variable, value));
            continue;
        };
        let region = reference.region();
        if !configs.contains_key(region) {
            let options = AwsOptions { region: Some(region.to_owned()), ..AwsOptions::default() };
            configs.insert(region.to_owned(), sdk_config(&options).await);
        }
        let text = match configs.get(region) {
            Some(config) => read(&reference, config).await,
            None => Err("there is no client for its region".to_owned()),
        };
        let text = text.map_err(|message| HostError::Secret { variable: variable.clone(), arn: value.clone(), message })?;
        resolved.push((variable, text));
    }
    Ok(resolved)
}

/// The text of a secret, for a function that reads it again later.
///
/// # Errors
/// Why it can't be read.
async fn read(reference: &Reference<'_>, config: &SdkConfig) -> Result<String, String> {
    let nothing = || "it has no text".to_owned();
    match reference {
        Reference::Secret { arn, .. } => {
            let client = aws_sdk_secretsmanager::Client::new(config);
            let answer = client.get_secret_value().secret_id(*arn).send().await;
            let answer = answer.map_err(|error| with_causes(&error.into_source().unwrap_or_else(Into::into)))?;
            answer.secret_string.ok_or_else(nothing)
        }
        Reference::Parameter { name, .. } => {
            let client = aws_sdk_ssm::Client::new(config);
            let answer = client.get_parameter().name(*name).with_decryption(true).send().await;
            let answer = answer.map_err(|error| with_causes(&error.into_source().unwrap_or_else(Into::into)))?;
            answer.parameter.and_then(|parameter| parameter.value).ok_or_else(nothing)
        }
    }
}

/// The SDK's errors say little themselves.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_secrets_and_parameters_are_references_and_nothing_else_is() {
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:icegate/keys-AbCdEf";
        assert_eq!(Reference::of(secret), Some(Reference::Secret { region: "eu-central-1", arn: secret }));
        let parameter = |arn| match Reference::of(arn) {
            Some(Reference::Parameter { region, name }) => Some((region, name)),
            _ => None,
        };
        assert_eq!(
            parameter("arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/icegate/keys"),
            Some(("us-gov-west-1", "/icegate/keys"))
        );
        assert_eq!(parameter("arn:aws:ssm:us-east-1:123456789012:parameter/keys"), Some(("us-east-1", "keys")));
        for plain in [
            "",
            "arn:aws:s3tables:eu-central-1:123456789012:bucket/lake",
            "arn:aws:ssm:us-east-1:123456789012:document/x",
            "arn:aws:ssm:us-east-1:123456789012:parameter/",
            "arn:aws:secretsmanager:us-east-1:123456789012",
            "my arn:aws:secretsmanager:us-east-1:123456789012:secret:x",
        ] {
            assert_eq!(Reference::of(plain), None, "{plain}");
        }
    }

    #[tokio::test]
    async fn variables_without_references_stay_as_they_are() {
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:somebody-elses".to_owned();
        let variables = vec![("ICEGATE_LOKI__PORT".to_owned(), "3100".to_owned()), ("OTHER".to_owned(), arn)];
        assert_eq!(resolve(variables.clone()).await.unwrap(), variables);
    }
}
