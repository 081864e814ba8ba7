//! Lambda's runtimes by their identifiers, and which of them no new function may have.
//! May not know what a function looks like inside: `package::handler` does.

use super::suggest::did_you_mean;

/// What decides how a handler is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// `FILE.FUNCTION`, a module.
    Python,
    /// `FILE.FUNCTION`, a script.
    Node,
    /// An executable `bootstrap`.
    Provided,
    /// Whatever the runtime makes of it: Java, .NET, Ruby.
    Other,
}

/// A runtime that a function may be made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Runtime {
    /// Its identifier, for example `python3.13`.
    pub(super) id: &'static str,
    /// Its family.
    pub(super) family: Family,
}

/// Those that CreateFunction knows (api: CreateFunction, Runtime; the list is the one of aws-sdk-lambda 1.156), the newest of
/// each language first.
const CURRENT: &[&str] = &[
    "python3.15",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
    "python3.8",
    "nodejs26.x",
    "nodejs24.x",
    "nodejs22.x",
    "nodejs20.x",
    "nodejs18.x",
    "nodejs16.x",
    "provided.al2023",
    "provided.al2",
    "java25",
    "java21",
    "java17",
    "java17.al2023",
    "java11",
    "java11.al2023",
    "java8.al2",
    "java8.al2023",
    "dotnet10",
    "dotnet8",
    "dotnet6",
    "ruby4.0",
    "ruby3.4",
    "ruby3.3",
    "ruby3.2",
];

/// Those that the API still names, but with which no function can be made any more: deprecated, and past the date of "Block
/// function create" (Lambda guide: lambda-runtimes, "Deprecated runtimes"; the dates as in cfn-lint's LmbdRuntimeLifecycle). Those
/// whose date was put off, such as nodejs16.x and python3.8, are not here. With what to use instead.
const GONE: &[(&str, &str)] = &[
    ("python2.7", "python3.13"),
    ("python3.6", "python3.13"),
    ("python3.7", "python3.13"),
    ("nodejs", "nodejs22.x"),
    ("nodejs4.3", "nodejs22.x"),
    ("nodejs4.3-edge", "nodejs22.x"),
    ("nodejs6.10", "nodejs22.x"),
    ("nodejs8.10", "nodejs22.x"),
    ("nodejs10.x", "nodejs22.x"),
    ("nodejs12.x", "nodejs22.x"),
    ("nodejs14.x", "nodejs22.x"),
    ("provided", "provided.al2023"),
    ("go1.x", "provided.al2023"),
    ("java8", "java21"),
    ("dotnetcore1.0", "dotnet8"),
    ("dotnetcore2.0", "dotnet8"),
    ("dotnetcore2.1", "dotnet8"),
    ("dotnetcore3.1", "dotnet8"),
    ("ruby2.5", "ruby3.4"),
    ("ruby2.7", "ruby3.4"),
];

impl Runtime {
    /// The runtime of an identifier.
    ///
    /// # Errors
    /// Lambda does not know it, or makes no function with it any more.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(id) = CURRENT.iter().find(|id| **id == text) {
            let family = Family::of(id);
            return Ok(Self { id, family });
        }
        if let Some((gone, instead)) = GONE.iter().find(|(id, _)| *id == text) {
            return Err(format!(
                "Lambda makes no function with the runtime `{gone}` any more: use `{instead}`"
            ));
        }
        let help = did_you_mean(text, "runtimes", CURRENT);
        Err(format!("`{text}` is not a runtime of Lambda: {help}"))
    }
}

impl Family {
    fn of(id: &str) -> Self {
        if id.starts_with("python") {
            Self::Python
        } else if id.starts_with("nodejs") {
            Self::Node
        } else if id.starts_with("provided") {
            Self::Provided
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_are_known_by_their_identifiers() {
        assert_eq!(Runtime::parse("python3.13").unwrap().family, Family::Python);
        assert_eq!(Runtime::parse("nodejs22.x").unwrap().family, Family::Node);
        let own = Runtime::parse("provided.al2023").unwrap();
        assert_eq!((own.id, own.family), ("provided.al2023", Family::Provided));
        assert_eq!(Runtime::parse("java21").unwrap().family, Family::Other);
    }

    #[test]
    fn the_others_are_refused_with_what_is_near() {
        let refused = |text: &str| Runtime::parse(text).unwrap_err();
        assert_eq!(
            refused("pyhton3.13"),
            "`pyhton3.13` is not a runtime of Lambda: did you mean `python3.13`?"
        );
        assert_eq!(
            refused("nodejs14.x"),
            "Lambda makes no function with the runtime `nodejs14.x` any more: use `nodejs22.x`"
        );
        assert!(
            refused("cobol").contains("the runtimes here: `python3.15`"),
            "{}",
            refused("cobol")
        );
        for (gone, instead) in GONE {
            assert!(Runtime::parse(gone).is_err(), "{gone}");
            assert!(Runtime::parse(instead).is_ok(), "{instead}");
        }
    }
}
