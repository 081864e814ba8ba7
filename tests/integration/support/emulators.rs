//! Installs the emulators at first use and runs one pair of them for the whole test process.
//! Knows nothing of accounts or gates; starts nothing but `tests/emulators/*.py`.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The ports on 127.0.0.1 where the emulators answer.
pub(crate) struct Emulators {
    /// moto: every service, no enforcement; the only one with `CodePipeline`.
    pub(crate) moto: u16,
    /// ministack with `AUTH=true`: IAM, STS and Lambda, policies enforced.
    pub(crate) ministack: u16,
    /// The keeper stops the servers when this pipe closes, which it does with this process, however that ends.
    _keeper: (Child, ChildStdin),
}

static EMULATORS: OnceLock<Emulators> = OnceLock::new();
static NODE: OnceLock<PathBuf> = OnceLock::new();

/// The running pair; the first caller installs and starts it, and the others wait for that.
pub(crate) fn emulators() -> &'static Emulators {
    EMULATORS.get_or_init(start)
}

/// The folder of the virtual environments: `CROSSGATE_TEST_VENV`, else `test-venv` in the target directory.
fn venvs() -> PathBuf {
    if let Some(folder) = env::var_os("CROSSGATE_TEST_VENV") {
        return PathBuf::from(folder);
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("test-venv")
}

/// A Python with boto3: ministack's, which is installed first where it must be.
pub(crate) fn python() -> PathBuf {
    emulators();
    venvs().join("ministack/bin/python")
}

/// The environment of Node.js: `bin/node`, and `node_modules` with the SDK that Lambda's runtime has.
pub(crate) fn node() -> &'static Path {
    NODE.get_or_init(|| {
        install(&["node"]);
        venvs().join("node")
    })
}

/// The aws CLI, in an environment of its own.
pub(crate) fn aws() -> PathBuf {
    emulators();
    venvs().join("awscli/bin/aws")
}

/// The text of a script of `tests/emulators`.
pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(script(name)).unwrap()
}

/// Where that Python has boto3, for a Python of the system.
pub(crate) fn python_packages() -> String {
    let script = "import site; print(site.getsitepackages()[0])";
    let output = Command::new(python())
        .args(["-c", script])
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn script(name: &str) -> PathBuf {
    // The scratch crates that mount this file from elsewhere find the scripts beside it too.
    let here = Path::new(file!());
    let folder = here.ancestors().nth(3).unwrap().join("emulators");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.join(folder).join(name)
}

fn install(names: &[&str]) {
    let installed = Command::new("python3")
        .arg(script("install.py"))
        .arg(venvs())
        .args(names)
        .stdin(Stdio::null())
        .status()
        .expect(
            "python3 runs: the independent test ring needs Python 3.10 or later, with venv and pip",
        );
    assert!(
        installed.success(),
        "what the tests run could not be installed (see above)"
    );
}

fn start() -> Emulators {
    install(&[]);
    let venvs = venvs();
    let mut keeper = Command::new("python3")
        .arg(script("serve.py"))
        .arg(&venvs)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let hold = keeper.stdin.take().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(keeper.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let ports: Value =
        serde_json::from_str(&line).expect("serve.py prints the ports (see its message above)");
    let port = |name: &str| u16::try_from(ports[name].as_u64().unwrap()).unwrap();
    Emulators {
        moto: port("moto"),
        ministack: port("ministack"),
        _keeper: (keeper, hold),
    }
}
