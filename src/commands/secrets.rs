//! `--secret STAGE/ACTION/KEY=env:NAME`: the real value of what AWS masks, from a variable of the environment.
//! The value goes straight into a [`SecretText`]; no message here can hold it.

use crate::environment::Environment;
use crate::error::Error;
use crate::model::name::{ActionName, NameError, StageName};
use crate::model::secret::{ActionSecret, SecretText};

const FORM: &str = "the form is --secret STAGE/ACTION/KEY=env:NAME, for example \
                    --secret Source/GitHub/OAuthToken=env:GITHUB_TOKEN";

/// Reads the secrets that the command line names.
pub(super) fn read(
    arguments: &[String],
    environment: &Environment,
) -> Result<Vec<ActionSecret>, Error> {
    arguments
        .iter()
        .map(|text| one(text, environment))
        .collect()
}

fn one(text: &str, environment: &Environment) -> Result<ActionSecret, Error> {
    // What stands behind the `=` may be the secret itself, given by mistake: it is never repeated in a message.
    let place = text.split('=').next().unwrap_or_default();
    let usage = |what: String| Error::Usage {
        message: format!("--secret {place}: {what}"),
        hint: FORM.to_owned(),
    };
    let Some((place, source)) = text.split_once('=') else {
        return Err(usage("there is no `=`".to_owned()));
    };
    let Some(variable) = source.strip_prefix("env:") else {
        return Err(usage(
            "only `env:NAME` is taken: a secret on a command line can be seen by others".to_owned(),
        ));
    };
    let parts: Vec<&str> = place.splitn(3, '/').collect();
    let [stage, action, key] = parts.as_slice() else {
        return Err(usage("STAGE/ACTION/KEY is expected".to_owned()));
    };
    let name = |error: NameError| usage(error.to_string());
    let value = environment
        .text(variable)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            usage("the environment variable that it names is not set, or empty".to_owned())
        })?;
    Ok(ActionSecret {
        stage: StageName::new(stage).map_err(name)?,
        action: ActionName::new(action).map_err(name)?,
        key: (*key).to_owned(),
        value: SecretText::new(value),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment {
            variables: [("TOKEN".into(), "marked-secret".into())].into(),
            ..Environment::default()
        }
    }

    #[test]
    fn a_secret_comes_from_the_environment_and_is_not_shown() {
        let arguments = ["Source/GitHub/OAuthToken=env:TOKEN".to_owned()];
        let secrets = read(&arguments, &environment()).unwrap();
        assert_eq!(secrets[0].value.reveal(), "marked-secret");
        assert!(!format!("{secrets:?}").contains("marked-secret"));
    }

    #[test]
    fn a_secret_given_in_the_wrong_form_is_not_repeated() {
        for text in [
            "Source/GitHub/OAuthToken=marked-secret",
            "Source=marked-secret",
            "Source/GitHub/OAuthToken=env:marked-secret",
        ] {
            let error = read(&[text.to_owned()], &environment()).unwrap_err();
            assert_eq!(error.exit_code().number(), 2);
            assert!(!error.to_string().contains("marked-secret"), "{error}");
        }
    }
}
