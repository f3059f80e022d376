//! The parts that views are made of: headlines, paragraphs, lists, tables, commands.

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets::NOTHING};

use super::{Colour, Look};

/// How much a text matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Like the rest.
    Plain,
    /// A title.
    Strong,
    /// It is as it should be.
    Good,
    /// It needs a look.
    Warn,
    /// It is not as it should be.
    Bad,
}

/// A text under construction.
pub struct Page<'a> {
    look: &'a Look,
    text: String,
}

impl<'a> Page<'a> {
    /// An empty one.
    #[must_use]
    pub fn new(look: &'a Look) -> Self {
        Self { look, text: String::new() }
    }

    /// The text.
    #[must_use]
    pub fn done(self) -> String {
        self.text
    }

    /// One line as it is.
    pub fn line(&mut self, tone: Tone, text: &str) {
        self.text.push_str(&paint(self.look.colour, tone, text));
        self.text.push('\n');
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A title with an empty line before it.
    pub fn section(&mut self, title: &str) {
        self.gap();
        self.line(Tone::Strong, title);
    }

    /// A paragraph, wrapped.
    pub fn paragraph(&mut self, tone: Tone, text: &str) {
        self.grid(0, &[], &[vec![(tone, text.to_owned())]]);
    }

    /// A list, each item wrapped.
    pub fn list<'t>(&mut self, items: impl IntoIterator<Item = &'t str>) {
        let rows: Vec<_> =
            items.into_iter().map(|item| vec![(Tone::Plain, "-".to_owned()), (Tone::Plain, item.to_owned())]).collect();
        self.table(2, 1, &[], &rows);
    }

    /// A command to copy: never wrapped.
    pub fn command(&mut self, command: &str) {
        self.text.push_str("  ");
        self.text.push_str(command);
        self.text.push('\n');
    }

    /// A table without lines, `indent` columns from the left.
    pub fn grid(&mut self, indent: u16, header: &[&str], rows: &[Vec<(Tone, String)>]) {
        self.table(indent, 2, header, rows);
    }

    fn table(&mut self, indent: u16, between: u16, header: &[&str], rows: &[Vec<(Tone, String)>]) {
        if rows.is_empty() {
            return;
        }
        let mut table = Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(self.look.width);
        table.force_no_tty();
        if self.look.colour == Colour::Yes {
            table.enforce_styling();
            table.style_text_only();
        }
        if !header.is_empty() {
            table.set_header(header.iter().map(|title| styled(Tone::Strong, title)));
        }
        for row in rows {
            table.add_row(row.iter().map(|(tone, text)| styled(*tone, text)));
        }
        let last = table.column_count().saturating_sub(1);
        for (number, column) in table.column_iter_mut().enumerate() {
            column.set_padding((if number == 0 { indent } else { 0 }, if number == last { 0 } else { between }));
        }
        self.text.push_str(&table.trim_fmt());
        self.text.push('\n');
    }
}

fn styled(tone: Tone, text: &str) -> Cell {
    let cell = Cell::new(text);
    match tone {
        Tone::Plain => cell,
        Tone::Strong => cell.add_attribute(Attribute::Bold),
        Tone::Good => cell.fg(Color::Green),
        Tone::Warn => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red).add_attribute(Attribute::Bold),
    }
}

fn paint(colour: Colour, tone: Tone, text: &str) -> String {
    let code = match (colour, tone) {
        (Colour::No, _) | (Colour::Yes, Tone::Plain) => return text.to_owned(),
        (Colour::Yes, Tone::Strong) => "1",
        (Colour::Yes, Tone::Good) => "32",
        (Colour::Yes, Tone::Warn) => "33",
        (Colour::Yes, Tone::Bad) => "1;31",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}
