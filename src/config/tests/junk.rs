//! Whatever the text, there is an answer: no panic, no hang, no control character on the terminal.

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{GOOD, parse};
use crate::config::{MAX_BYTES, from_bytes};

/// Parses, shows what is wrong, and says how long both took.
fn judge(text: &str) -> Duration {
    let start = Instant::now();
    if let Err(errors) = parse(text) {
        assert!(!errors.items.is_empty());
        let shown = errors.render(false);
        assert!(
            !shown.chars().any(|c| c.is_control() && c != '\n'),
            "{shown:?}"
        );
    }
    start.elapsed()
}

/// A long manifest, of one short text again and again: 128 KiB, so that what takes the square of
/// the length shows and what does not stays quick without optimisation.
fn filled(with: &str) -> String {
    let times = usize::try_from(MAX_BYTES / 128).unwrap() / with.len();
    with.repeat(times)
}

/// A manifest of numbered lines.
fn lines(numbers: Range<u32>, line: impl Fn(u32) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().concat()
}

#[test]
fn big_and_deep_manifests_are_answered_quickly() {
    let texts = [
        filled("["),
        filled("a = ["),
        filled("a.b."),
        format!("a = {}", filled("{a=")),
        filled("a = 1\n"),
        filled("[[gates]]\n"),
        filled("[[gates]]\nname=\"x\"\n"),
        filled("]\n"),
        filled("="),
        format!("a = \"{}", filled("x")),
        format!("project = \"{}\"", filled("ü")),
        format!("[{}]", filled("a.")),
        filled("\""),
        filled("\n"),
        filled("\r"),
        lines(0..10_000, |n| format!("k{n} = {n}\n")),
        lines(0..4_000, |n| {
            format!("[accounts.a{n}]\nid=\"1\"\nvia=\"a{}\"\n", n + 1)
        }),
        lines(0..1_000, |n| {
            format!(
                "[[gates]]\nname=\"g{n}\"\npipeline={{account=\"x{n}\",stage=\"s{n}\",after=\"s{}\"}}\n",
                n + 1
            )
        }),
    ];
    for text in texts {
        let took = judge(&text);
        let begin: String = text.chars().take(20).collect();
        assert!(took < Duration::from_secs(5), "{begin:?} took {took:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        format!(
            "[gates.pipeline]\nuser_parameters = {}{}",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let text = GOOD.replace("[gates.pipeline]", &nested(60));
    assert_eq!(
        parse(&text).unwrap().gates[0]
            .action
            .user_parameters
            .as_deref(),
        Some(format!("{}{}", "[".repeat(60), "]".repeat(60)).as_str())
    );
    judge(&GOOD.replace("[gates.pipeline]", &nested(200)));
    judge(&GOOD.replace("[gates.pipeline]", &nested(100_000)));
}

/// Pieces of which manifests are made, and pieces of which they are not.
fn piece() -> impl Strategy<Value = String> {
    let known = GOOD
        .lines()
        .map(|line| format!("{line}\n"))
        .collect::<Vec<_>>();
    let odd = [
        "[[gates]]\n",
        "[gates]\n",
        "[gates.pipeline]\n",
        "[gates.invoke_role]\n",
        "[gates.function.name]\n",
        "gates = 1\n",
        "pipeline = {",
        "}",
        "]",
        "\"",
        "'''",
        "\"\"\"",
        "#",
        "\r",
        "\0",
        "\u{1b}[31m",
        "\u{202e}",
        "\u{feff}",
        "ü",
        "=",
        ".",
        ",",
        "a.b.c = 1\n",
        "accounts.dev.id = 1\n",
        "accounts = []\n",
        "user_parameters = { a = 1e400 }\n",
        "trust = \"acount\"\n",
        "source = \"Cargo.toml\"\n",
        "source = \"/etc\"\nruntime = \"python3.13\"\nhandler = \"a.b\"\n",
        "runtime = \"python\"\n",
        "environment = { A = 1, \"ü\" = \"ü\" }\n",
        "environment = \"\"\"ü\n\"\"\"\n",
        "[gates.function.environment]\n",
        "tags = { a = \"b\" }\n",
        "run_order = 0x_1\n",
        "run_order = 1__0\n",
        "assume_role = \"arn:aws:iam::222222222222:role/R\"\n",
        "via = \"dev\"\n",
        "via = \"tools\"\n",
        "before = \"Source\"\n",
        "output_artifacts = [\"a\",\n",
        "2026-01-01",
        "nan",
    ];
    prop_oneof![
        6 => prop::sample::select(known),
        3 => prop::sample::select(odd.map(str::to_owned).to_vec()),
        1 => any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(errors) = from_bytes(Path::new("crossgate.toml"), &bytes) {
            prop_assert!(!errors.items.is_empty());
            prop_assert!(!errors.render(true).is_empty());
        }
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        judge(&text);
    }

    #[test]
    fn any_heap_of_pieces_is_answered(pieces in prop::collection::vec(piece(), 0..40)) {
        judge(&pieces.concat());
    }

    #[test]
    fn a_manifest_with_a_few_bytes_changed_is_answered(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0_usize..3), 1..6),
    ) {
        let mut text: Vec<char> = super::super::EXAMPLE.chars().collect();
        for (place, c, how) in changes {
            let index = place.index(text.len());
            match how {
                0 => text[index] = c,
                1 => text.insert(index, c),
                _ => { text.remove(index); }
            }
        }
        judge(&text.into_iter().collect::<String>());
    }
}
