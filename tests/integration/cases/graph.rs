//! `graph` as a person runs it: without AWS, by what the commands find, and from a saved result; and what a browser makes of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::verify::settle;
use crate::support::cli::{self, Run};
use crate::support::proxy::{Fault, access_denied};
use crate::support::world::{INVOKE_POLICY, INVOKE_ROLE, World};

fn config(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("config").join(name)
}

/// Draws a manifest of `config/`, with nothing of AWS in the environment.
fn draw(manifest: &str, format: &str) -> String {
    let folder = TempDir::new().unwrap();
    let manifest = config(manifest).display().to_string();
    let arguments = ["graph", "--format", format, "-c", &manifest];
    let run = cli::run(folder.path(), &BTreeMap::new(), &arguments);
    run.exits(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

/// Runs a Python script with arguments and gives what it prints.
fn python(script: &str, arguments: &[&Path]) -> String {
    let mut python = Command::new("python3");
    let ended = python.arg("-c").arg(script).args(arguments).output();
    let ended = ended.unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{told}");
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn the_picture_in_the_readme_is_fresh() {
    let now = draw("crossgate.toml", "svg");
    let file = config("graph.svg");
    if std::env::var_os("CROSSGATE_UPDATE_FILES").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(kept, now, "CROSSGATE_UPDATE_FILES=1 makes it anew");
}

#[test]
fn svg_and_html_are_xml_to_a_parser() {
    let folder = TempDir::new().unwrap();
    for (manifest, format) in [("crossgate.toml", "svg"), ("many-gates.toml", "html")] {
        let file = folder.path().join(format);
        std::fs::write(&file, draw(manifest, format)).unwrap();
        let script = "import sys, xml.dom.minidom as m; print(len(m.parse(sys.argv[1]).getElementsByTagName('text')))";
        let texts: usize = python(script, &[&file]).trim().parse().unwrap();
        assert!(texts > 20, "{texts}");
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let folder = TempDir::new().unwrap();
    let manifest = config("crossgate.toml").display().to_string();
    let run = |arguments: &[&str]| -> Run {
        let arguments = [arguments, &["-c", &manifest]].concat();
        cli::run(folder.path(), &BTreeMap::new(), &arguments)
    };
    run(&["graph", "--format", "json"])
        .exits(2)
        .says("[possible values: mermaid, dot, svg, html]");
    run(&["--format", "json", "graph"])
        .exits(2)
        .says("it draws mermaid, dot, svg or html");
    run(&["plan", "--format", "svg"])
        .exits(2)
        .says("invalid value 'svg'");
    let help = run(&["plan", "--help"]);
    help.exits(0);
    help.ensure(!help.has("mermaid"), "pictures are only graph's");
    run(&["graph", "--help"]).exits(0).says("mermaid");
    run(&["graph", "--from", "chek"])
        .exits(2)
        .says("did you mean `check`");
    run(&["graph", "--scp-file", "x.json"]).exits(2);
    std::fs::write(
        folder.path().join("r.json"),
        "{\"format_version\": 1, \"command\": \"run\"}",
    )
    .unwrap();
    run(&["graph", "--from", "r.json"])
        .exits(2)
        .says("r.json")
        .says("result of `run`");
}

#[test]
fn it_shows_what_the_commands_find() {
    let world = World::new();
    settle(&world);
    let drawn = |from: &str| {
        let run = world.run(&["graph", "--from", from, "--format", "mermaid"]);
        run.wrote_nothing();
        run
    };
    drawn("plan").exits(0).says("+ create");
    world.bootstrap(&[]).exits(0);
    let run = drawn("check");
    run.exits(0).says("✓ in sync");
    run.ensure(!run.has("create"), "nothing is to be made");
    drawn("verify").exits(0).says("✓ allowed");

    world.dev.delete_policy(INVOKE_ROLE, INVOKE_POLICY);
    drawn("check")
        .exits(0)
        .says(&format!("{INVOKE_POLICY}: + create"));
    let denied = drawn("verify");
    denied.exits(0).says("✗ denied");

    let saved = world.json("verify", &[]);
    world.write_file("saved.json", &saved.stdout);
    let run = drawn("saved.json");
    run.exits(0).says("✗ denied").says("✓ allowed");
    run.ensure(run.calls.is_empty(), "AWS is not asked");

    world
        .proxy
        .inject(Fault::on("GetPipeline", access_denied()));
    for (from, sign) in [("check", "? unknown"), ("verify", "? not proven")] {
        let run = drawn(from);
        run.exits(4).says(sign);
        run.ensure(run.stdout.contains(sign), "the picture shows it");
        let why = run.stderr.contains("unknown: ") && run.stderr.contains("GetPipeline");
        run.ensure(why, "standard error says why");
    }
}

/// The browser: `CROSSGATE_CHROMIUM`, else one that is found.
fn browser() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CROSSGATE_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file())
}

/// Prints width, height, how many colours a PNG has, and whether the blue of a gate's stage is among them.
const LOOK: &str = r"
import sys, struct, zlib
data = open(sys.argv[1], 'rb').read()
at, idat = 8, b''
while at < len(data):
    size, kind = struct.unpack('>I4s', data[at:at + 8])
    body = data[at + 8:at + 8 + size]
    if kind == b'IHDR':
        w, h, depth, colour = struct.unpack('>IIBB', body[:10])
    if kind == b'IDAT':
        idat += body
    at += 12 + size
assert depth == 8 and colour in (2, 6), (depth, colour)
n = 3 if colour == 2 else 4
raw, prior, seen, at = zlib.decompress(idat), bytearray(w * n), set(), 0
for _ in range(h):
    kind, line = raw[at], bytearray(raw[at + 1:at + 1 + w * n])
    at += 1 + w * n
    for i in range(w * n):
        a, b, c = (line[i - n] if i >= n else 0), prior[i], (prior[i - n] if i >= n else 0)
        p = a + b - c
        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
    seen.update(bytes(line[i:i + 3]) for i in range(0, w * n, n))
    prior = line
print(w, h, len(seen), int(bytes((0x34, 0x58, 0xd4)) in seen))
";

#[test]
// A person who reads the log must see that the test looked at nothing.
#[allow(clippy::print_stderr)]
fn a_browser_shows_the_page_at_three_widths() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium on PATH, and CROSSGATE_CHROMIUM is not set");
        return;
    };
    let folder = TempDir::new().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, draw("crossgate.toml", "html")).unwrap();
    for width in ["390", "820", "1400"] {
        let shot = folder.path().join(format!("{width}.png"));
        let profile = folder.path().join(format!("profile-{width}"));
        let ended = Command::new(&browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args([
                "--hide-scrollbars".to_owned(),
                format!("--window-size={width},900"),
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--screenshot={}", shot.display()))
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(shot.is_file(), "{}: {told}", browser.display());
        let seen = python(LOOK, &[&shot]);
        let seen: Vec<u32> = seen
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        let [w, h, colours, stage] = seen.as_slice() else {
            panic!("{seen:?}")
        };
        assert_eq!((w.to_string(), *h), (width.to_owned(), 900));
        assert!(*colours > 30, "a blank page: {colours} colours");
        assert_eq!(*stage, 1, "the stage of the gate is seen at {width}");
    }
}
