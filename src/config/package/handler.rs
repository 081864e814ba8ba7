//! Whether the file that a handler names is in the package: what would otherwise be found out by the first run of the gate.
//! May not look into a file; a function that is missing in it is not seen.

use std::collections::BTreeMap;

use super::archive::BOOTSTRAP;
use crate::config::runtimes::{Family, Runtime};
use crate::config::suggest::closest;

/// A handler that Lambda would not find: what is wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotFound {
    pub(super) message: String,
    pub(super) help: String,
}

/// Checks a handler against the files of a package, by name and whether each may be executed. Java, .NET and Ruby are not looked
/// into.
pub(super) fn check(
    runtime: &Runtime,
    handler: &str,
    files: &BTreeMap<String, bool>,
) -> Result<(), NotFound> {
    match runtime.family {
        Family::Python => script(handler, files, python),
        Family::Node => script(handler, files, node),
        Family::Provided => bootstrap(runtime, files),
        Family::Other => Ok(()),
    }
}

/// The files of which one must be there.
struct Wanted {
    /// The usual one, for the message.
    usual: String,
    /// All that would do; one that ends with `/` or `.` is the beginning of a name.
    any: Vec<String>,
    /// What names of the files of this language end with.
    ends: &'static [&'static str],
}

/// `PATH/MODULE.FUNCTION`, with `.` as good as `/` (aws-lambda-python-runtime-interface-client, `_get_handler`: what stands before
/// the last dot is imported).
fn python(handler: &str) -> Option<Wanted> {
    let (module, function) = handler.rsplit_once('.')?;
    let path = module.replace('.', "/");
    (!path.is_empty() && !function.is_empty()).then(|| Wanted {
        usual: format!("{path}.py"),
        any: vec![
            format!("{path}.py"),
            format!("{path}.pyc"),
            format!("{path}/__init__.py"),
            // A compiled module: `NAME.cpython-313-x86_64-linux-gnu.so`.
            format!("{path}.cpython-"),
            format!("{path}.so"),
        ],
        ends: &[".py"],
    })
}

/// `PATH/FILE.FUNCTION`, where FILE ends at the first dot of the last part (aws-lambda-nodejs-runtime-interface-client,
/// UserFunction: the file as it is named, then with each ending, then as Node.js resolves it).
fn node(handler: &str) -> Option<Wanted> {
    let cut = handler.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, base) = handler.split_at(cut);
    let (file, function) = base.split_once('.')?;
    let path = format!("{}{file}", folder.trim_start_matches("./"));
    (!file.is_empty() && !function.is_empty()).then(|| Wanted {
        usual: format!("{path}.js, {path}.mjs or {path}.cjs"),
        any: vec![
            path.clone(),
            format!("{path}.js"),
            format!("{path}.mjs"),
            format!("{path}.cjs"),
            format!("{path}/"),
            format!("node_modules/{path}/"),
        ],
        ends: &[".mjs", ".cjs", ".js"],
    })
}

fn script(
    handler: &str,
    files: &BTreeMap<String, bool>,
    wanted: impl Fn(&str) -> Option<Wanted>,
) -> Result<(), NotFound> {
    let Some(Wanted { usual, any, ends }) = wanted(handler) else {
        return Err(NotFound {
            message: format!("`{handler}` does not name a file and a function in it"),
            help: "write `FILE.FUNCTION`, the file without its ending: `validate.handler`"
                .to_owned(),
        });
    };
    let fits = |name: &str, one: &str| {
        let begins = one.ends_with('/') || one.ends_with(".cpython-");
        name == one || (begins && name.starts_with(one))
    };
    if files
        .keys()
        .any(|name| any.iter().any(|one| fits(name, one)))
    {
        return Ok(());
    }
    Err(NotFound {
        message: format!("`{handler}` needs {usual} in the source, which is not there"),
        help: instead(handler, files, ends),
    })
}

/// The handler that is probably meant, or where files must stand.
fn instead(handler: &str, files: &BTreeMap<String, bool>, ends: &[&str]) -> String {
    let function = handler.rsplit('.').next().unwrap_or("handler");
    let mut modules: Vec<&str> = files
        .keys()
        .filter_map(|name| ends.iter().find_map(|end| name.strip_suffix(end)))
        .filter(|name| !name.contains("node_modules/") && !name.ends_with("__init__"))
        .collect();
    // Those nearest to the root first: dependencies stand in folders.
    modules.sort_by_key(|name| name.matches('/').count());
    let near = closest(handler, modules.iter().copied());
    match near.or_else(|| modules.first().copied()) {
        Some(module) => format!("of the files there, `{module}.{function}` would name one"),
        None => format!(
            "the source has no file that ends with {}: is it the right folder?",
            ends.join(", ")
        ),
    }
}

/// Lambda looks for it in the package's root, and in layers, which are not made here (Lambda guide: runtimes-custom).
fn bootstrap(runtime: &Runtime, files: &BTreeMap<String, bool>) -> Result<(), NotFound> {
    match files.get(BOOTSTRAP) {
        Some(true) => Ok(()),
        Some(false) => Err(NotFound {
            message: format!("`{BOOTSTRAP}` in the archive may not be executed"),
            help: format!(
                "`chmod +x {BOOTSTRAP}`, and make the archive anew where the permission is kept"
            ),
        }),
        None => Err(NotFound {
            message: format!(
                "the runtime {} starts a file `{BOOTSTRAP}`, and the source has none at its root",
                runtime.id
            ),
            help: format!(
                "build the function to a file of that name: `cargo lambda build` makes one, and `go build -o {BOOTSTRAP}`"
            ),
        }),
    }
}
