//! A story told on standard output: captions, the commands that are run, what came of them.
//! It tells what it is given; who runs the commands, and waits for the reader, is `commands::demo`.

use std::io;

use super::page::{Page, plain, span};
use super::style::{Paint, Style};
use super::write;

/// Tells a story, a scene after the other.
#[derive(Debug)]
pub struct Story {
    style: Style,
    scenes: usize,
}

impl Story {
    /// Begins a story.
    pub fn new(style: &Style) -> Self {
        Self {
            style: *style,
            scenes: 0,
        }
    }

    /// A new scene: a numbered caption, and what it is about.
    pub fn scene(&mut self, title: &str, about: &str) -> io::Result<()> {
        self.scenes += 1;
        let mut page = Page::new(&self.style);
        page.line(0, &[plain("")]);
        let number = format!("{}. ", self.scenes);
        page.line(0, &[span(Paint::Hint, number), span(Paint::Strong, title)]);
        page.prose(3, plain(""), Paint::Plain, about);
        page.line(0, &[plain("")]);
        write::result(&page.finish())
    }

    /// A command, as a person would type it.
    pub fn command(&self, arguments: &[&str]) -> io::Result<()> {
        let mut page = Page::new(&self.style);
        let line = format!("crossgate {}", arguments.join(" "));
        page.line(0, &[span(Paint::Faint, "$ "), span(Paint::Strong, line)]);
        write::result(&page.finish())
    }

    /// How a command ended.
    pub fn ended(&self, code: i32, meaning: &str) -> io::Result<()> {
        let mut page = Page::new(&self.style);
        page.line(0, &[span(Paint::Faint, format!("exit {code}: {meaning}"))]);
        page.line(0, &[plain("")]);
        write::result(&page.finish())
    }

    /// Something that happens outside crossgate.
    pub fn aside(&self, text: &str) -> io::Result<()> {
        let mut page = Page::new(&self.style);
        page.prose(0, span(Paint::Faint, "> "), Paint::Plain, text);
        write::result(&page.finish())
    }
}
