//! Any bytes, as two documents with a NUL between them: compared without a panic, and by the laws of a comparison.
#![no_main]

use crossgate_fuzz::iam::compare::{covers, difference, equivalent};
use crossgate_fuzz::iam::pairs::{Pair, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(pair) = Pair::parse(&text) {
        let answer = pair.decide();
        drop(pair.answer(&answer));
    }
    let (a, b) = text.split_once('\0').unwrap_or((&text, &text));
    let (Ok(a), Ok(b)) = (read(a), read(b)) else {
        return;
    };
    let same = equivalent(&a, &b);
    assert_eq!(same, equivalent(&b, &a), "the same in both directions");
    assert_eq!(
        same,
        difference(&a, &b).is_empty(),
        "a difference where they differ, and only there"
    );
    assert!(
        !same || (covers(&a, &b) && covers(&b, &a)),
        "equals cover each other"
    );
    drop(difference(&b, &a).to_string());
    // What is written back grants the same, and is then written in the same way for good.
    let written = a.to_string();
    let again = read(&written).expect("what was written can be read");
    assert_eq!(again.to_string(), written, "one spelling");
    assert!(equivalent(&again, &a), "written and read again");
    assert!(equivalent(&a, &a));
});
