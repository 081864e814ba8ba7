//! JSON as a tree that keeps order and spelling, with a reader and printers of its own: nothing here is the code under test.
//! Test code only.

use std::fmt::Write as _;

use crate::world::random::Random;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

pub(super) fn text(text: &str) -> Tree {
    Tree::Text(text.to_owned())
}

impl Tree {
    pub(super) fn get(&self, key: &str) -> Option<&Tree> {
        let Tree::Object(fields) = self else {
            return None;
        };
        fields.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Tree> {
        let Tree::Object(fields) = self else {
            return None;
        };
        fields.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    pub(super) fn list_mut(&mut self, key: &str) -> Option<&mut Vec<Tree>> {
        match self.get_mut(key)? {
            Tree::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn is_text(&self, key: &str, wanted: &str) -> bool {
        matches!(self.get(key), Some(Tree::Text(text)) if text == wanted)
    }

    /// In one line without white space, and only the escapes that JSON demands.
    pub(super) fn compact(&self) -> String {
        let mut out = String::new();
        print(self, &mut out, &mut |_| {}, &mut plain);
        out
    }

    /// With white space and escapes wherever JSON allows them.
    pub(super) fn spaced(&self, random: &mut Random) -> String {
        let mut out = String::new();
        let mut spaces = random.clone();
        let mut space = |out: &mut String| {
            if spaces.percent(20) {
                out.push_str(spaces.pick::<&str>(&[" ", "\n", "\t", "\r\n", "  "]));
            }
        };
        let mut letter = |c: char, out: &mut String| odd(c, random, out);
        print(self, &mut out, &mut space, &mut letter);
        out
    }

    /// Nodes, and how deep they stand.
    pub(super) fn size(&self) -> (usize, usize) {
        let children: Vec<&Tree> = match self {
            Tree::List(items) => items.iter().collect(),
            Tree::Object(fields) => fields.iter().map(|(_, value)| value).collect(),
            Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) => return (1, 0),
        };
        let sizes: Vec<_> = children.into_iter().map(Tree::size).collect();
        let deepest = sizes.iter().map(|(_, depth)| *depth).max();
        let nodes: usize = sizes.iter().map(|(nodes, _)| nodes).sum();
        (1 + nodes, 1 + deepest.unwrap_or(0))
    }
}

type Space<'a> = &'a mut dyn FnMut(&mut String);
type Letter<'a> = &'a mut dyn FnMut(char, &mut String);

fn print(tree: &Tree, out: &mut String, space: Space<'_>, letter: Letter<'_>) {
    space(out);
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Tree::Number(number) => out.push_str(number),
        Tree::Text(text) => quote(text, out, letter),
        Tree::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                print(item, out, space, letter);
            }
            space(out);
            out.push(']');
        }
        Tree::Object(fields) => {
            out.push('{');
            for (at, (key, value)) in fields.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                space(out);
                quote(key, out, letter);
                space(out);
                out.push(':');
                print(value, out, space, letter);
            }
            space(out);
            out.push('}');
        }
    }
    space(out);
}

fn quote(text: &str, out: &mut String, letter: Letter<'_>) {
    out.push('"');
    text.chars().for_each(|c| letter(c, out));
    out.push('"');
}

fn plain(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..='\u{1f}' => {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
        _ => out.push(c),
    }
}

/// The character as it is, or with an escape that nobody needs.
fn odd(c: char, random: &mut Random, out: &mut String) {
    if c == '/' && random.percent(50) {
        out.push_str("\\/");
    } else if random.percent(10) {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            let escape = format!("{unit:04x}");
            let is_upper = random.percent(50);
            out.push_str("\\u");
            out.push_str(&if is_upper {
                escape.to_uppercase()
            } else {
                escape
            });
        }
    } else {
        plain(c, out);
    }
}

/// Reads what `compact` could have printed.
pub(super) fn read(text: &str) -> Tree {
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    let tree = read_at(&letters, &mut at);
    assert_eq!(at, letters.len(), "something stands behind the document");
    tree
}

fn read_at(letters: &[char], at: &mut usize) -> Tree {
    match letters[*at] {
        '{' => Tree::Object(members(letters, at, '}', |letters, at| {
            let Tree::Text(key) = read_at(letters, at) else {
                panic!("a key is no text")
            };
            assert_eq!(letters[*at], ':');
            *at += 1;
            (key, read_at(letters, at))
        })),
        '[' => Tree::List(members(letters, at, ']', read_at)),
        '"' => Tree::Text(read_text(letters, at)),
        _ => {
            let word = letters[*at..].iter().take_while(|c| !",]}".contains(**c));
            let word: String = word.collect();
            *at += word.chars().count();
            match word.as_str() {
                "null" => Tree::Null,
                "true" => Tree::Bool(true),
                "false" => Tree::Bool(false),
                _ => Tree::Number(word),
            }
        }
    }
}

fn members<T>(
    letters: &[char],
    at: &mut usize,
    end: char,
    one: impl Fn(&[char], &mut usize) -> T,
) -> Vec<T> {
    let mut found = Vec::new();
    *at += 1;
    while letters[*at] != end {
        found.push(one(letters, at));
        if letters[*at] == ',' {
            *at += 1;
        }
    }
    *at += 1;
    found
}

fn read_text(letters: &[char], at: &mut usize) -> String {
    let mut text = String::new();
    loop {
        *at += 1;
        match letters[*at] {
            '"' => break,
            '\\' => {
                *at += 1;
                text.push(match letters[*at] {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let digits: String = letters[*at + 1..*at + 5].iter().collect();
                        *at += 4;
                        char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
                    }
                    c => c,
                });
            }
            c => text.push(c),
        }
    }
    *at += 1;
    text
}
