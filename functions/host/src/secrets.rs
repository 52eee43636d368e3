//! Variables that refer to secrets.

use std::collections::HashMap;

use aws_config::SdkConfig;
use icegate_storage::aws::{AwsOptions, sdk_config};

use crate::HostError;

const PREFIX: &str = "ICEGATE_";

/// Variables whose documents change: their hosts read them again, from where the value says.
const READ_LATER: [&str; 3] = ["ICEGATE_AUTH__KEYS", "ICEGATE_AUTH__CALLERS", "ICEGATE_AUTH__JWT__JWKS"];

/// A secret that a value names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    region: String,
    of: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// The ARN of a secret of Secrets Manager.
    Secret(String),
    /// The name of a parameter of SSM, also of one that is encrypted.
    Parameter(String),
}

impl Reference {
    /// What a value refers to; `None` for a value that is what it is.
    pub(crate) fn of(value: &str) -> Option<Self> {
        let mut parts = value.splitn(6, ':');
        let (arn, partition) = (parts.next()?, parts.next()?);
        let (service, region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if arn != "arn" || !partition.starts_with("aws") || region.is_empty() {
            return None;
        }
        let of = match service {
            "secretsmanager" if resource.starts_with("secret:") => Kind::Secret(value.to_owned()),
            // The name of a parameter in a hierarchy begins with the slash that ends `parameter` in its ARN.
            "ssm" => {
                let path = resource.strip_prefix("parameter/").filter(|path| !path.is_empty())?;
                Kind::Parameter(if path.contains('/') { format!("/{path}") } else { path.to_owned() })
            }
            _ => return None,
        };
        Some(Self { region: region.to_owned(), of })
    }

    /// What the clients for it are made from.
    pub(crate) async fn config(&self) -> SdkConfig {
        sdk_config(&AwsOptions { region: Some(self.region.clone()), ..AwsOptions::default() }).await
    }

    /// Its text now, and what AWS calls this version of it.
    ///
    /// # Errors
    /// Why it can't be read.
    pub(crate) async fn read(&self, config: &SdkConfig) -> Result<(String, Option<String>), String> {
        match &self.of {
            Kind::Secret(arn) => {
                let answer = aws_sdk_secretsmanager::Client::new(config).get_secret_value().secret_id(arn).send().await;
                let answer = answer.map_err(|error| with_causes(&error))?;
                let text = answer.secret_string.ok_or("it has no text")?;
                Ok((text, answer.version_id))
            }
            Kind::Parameter(name) => {
                let answer = aws_sdk_ssm::Client::new(config).get_parameter().name(name).with_decryption(true).send().await;
                let parameter = answer.map_err(|error| with_causes(&error))?.parameter.ok_or("there is none")?;
                let text = parameter.value.ok_or("it has no text")?;
                Ok((text, Some(parameter.version.to_string())))
            }
        }
    }
}

/// Replaces every value of an `ICEGATE_` variable that is the ARN of a secret or parameter by its text, but for documents that are read
/// again later. Speaks to AWS only where there is one.
pub(crate) async fn resolve(variables: Vec<(String, String)>) -> Result<Vec<(String, String)>, HostError> {
    let mut configs: HashMap<String, SdkConfig> = HashMap::new();
    let mut resolved = Vec::with_capacity(variables.len());
    for (variable, value) in variables {
        let ours = variable.starts_with(PREFIX) && !READ_LATER.contains(&variable.as_str());
        let Some(reference) = Reference::of(&value).filter(|_| ours) else {
            resolved.push((variable, value));
            continue;
        };
        let config = match configs.get(&reference.region) {
            Some(config) => config.clone(),
            None => reference.config().await,
        };
        configs.insert(reference.region.clone(), config.clone());
        let read = reference.read(&config).await;
        let (text, _) = read.map_err(|message| HostError::Secret { variable: variable.clone(), arn: value, message })?;
        resolved.push((variable, text));
    }
    Ok(resolved)
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
        let of = |arn: &str| Reference::of(arn).map(|reference| (reference.region, reference.of));
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:icegate/keys-AbCdEf";
        assert_eq!(of(secret), Some(("eu-central-1".to_owned(), Kind::Secret(secret.to_owned()))));
        for (arn, region, name) in [
            ("arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/icegate/keys", "us-gov-west-1", "/icegate/keys"),
            ("arn:aws:ssm:us-east-1:123456789012:parameter/keys", "us-east-1", "keys"),
        ] {
            assert_eq!(of(arn), Some((region.to_owned(), Kind::Parameter(name.to_owned()))));
        }
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
        let variables = vec![
            ("ICEGATE_LOKI__PORT".to_owned(), "3100".to_owned()),
            ("ICEGATE_AUTH__KEYS".to_owned(), arn.clone()),
            ("OTHER".to_owned(), arn),
        ];
        assert_eq!(resolve(variables.clone()).await.unwrap(), variables);
    }
}
