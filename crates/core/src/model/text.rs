//! What text that came from outside may look like where people read it. A name tag, a finding's title or an error message
//! of AWS's can be written by an attacker: line breaks would forge lines in a message or a log, bidirectional and invisible
//! characters would show something other than what is there, and quotes would break out of a command that somebody pastes.
//!
//! [`one_line`] and [`shell`] are the only ways in which such text reaches a subject, a message, a note, a log line, the
//! ledger or a command.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Characters in a name, an id or a tag's value, which AWS makes no longer.
pub const NAME: usize = 256;
/// Characters in a title, a reason or a short description.
pub const SENTENCE: usize = 256;
/// Characters in an ARN, which is never longer, or in a longer description.
pub const LONG: usize = 2048;
/// Characters in one line of a report, whatever it is made of.
pub const REPORT: usize = 4000;

/// A sentence for people: one clean line of at most [`REPORT`] characters. It can be shown, kept and sent, and nothing else:
/// no code can search, split or compare one with a text, so that no decision ever hangs on a wording.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Sentence(String);

impl Sentence {
    /// The sentence that says nothing.
    pub const NONE: Self = Self(String::new());

    /// Makes one.
    #[must_use]
    pub fn new(words: impl fmt::Display) -> Self {
        Self::from(words.to_string())
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Sentence {
    fn from(words: String) -> Self {
        #[cfg(feature = "mute")]
        if mute::is_on() && !words.is_empty() {
            return Self("x".to_owned());
        }
        Self(into_line(words, REPORT))
    }
}

impl From<&str> for Sentence {
    fn from(words: &str) -> Self {
        Self::from(words.to_owned())
    }
}

impl From<&String> for Sentence {
    fn from(words: &String) -> Self {
        Self::from(words.clone())
    }
}

impl From<Sentence> for String {
    fn from(sentence: Sentence) -> Self {
        sentence.0
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Lets a test replace every sentence by `x`, which shows that no decision hangs on one.
#[cfg(feature = "mute")]
pub mod mute {
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<bool> = const { Cell::new(false) };
    }

    /// Runs something on this thread; every sentence that it makes is `x`.
    pub fn every_sentence<T>(run: impl FnOnce() -> T) -> T {
        ON.set(true);
        let end = run();
        ON.set(false);
        end
    }

    pub(super) fn is_on() -> bool {
        ON.get()
    }
}

/// Shows that a text was cut.
const CUT: char = '…';

/// `text` as one line of at most `most` characters. Whitespace, line and paragraph separators and control characters become
/// one space between words and none at the ends; characters that show nothing or change what others show are left out; what
/// is cut ends with `…`, which counts. Applying it again changes nothing.
///
/// ```
/// assert_eq!(brig_core::model::text::one_line("web-1\r\nCONTAINED \u{202E}\u{200B}", 12), "web-1 CONTA…");
/// ```
#[must_use]
pub fn one_line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let mut shown = word.chars().filter(|c| !is_hidden(*c)).peekable();
        if shown.peek().is_none() {
            continue;
        }
        for c in (count > 0).then_some(' ').into_iter().chain(shown) {
            if count == most {
                return cut(line);
            }
            line.push(c);
            count += 1;
        }
    }
    line
}

/// The same of a text that is owned: most are clean, and stay as they are.
#[must_use]
pub fn into_line(text: String, most: usize) -> String {
    let line = one_line(&text, most);
    if line == text { text } else { line }
}

/// The same line with its last character replaced by the mark, so that it grows no longer.
fn cut(mut line: String) -> String {
    if line.pop().is_some() {
        line.truncate(line.trim_end().len());
        line.push(CUT);
    }
    line
}

/// A text of several lines, as so many lines of so many characters each. Empty ones are left out; what is left out at the
/// end is counted.
#[must_use]
pub fn lines(text: &str, most_lines: usize, most: usize) -> Vec<String> {
    let mut all = text.lines().map(|line| one_line(line, most)).filter(|line| !line.is_empty());
    let mut lines: Vec<String> = all.by_ref().take(most_lines).collect();
    let more = all.count();
    if more > 0 {
        lines.push(format!("({more} more lines)"));
    }
    lines
}

/// Makes every text of a JSON document one line; see [`one_line`].
pub fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = one_line(text, REPORT),
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(map) => map.values_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `text` as one word of a POSIX shell, quoted where it needs to be. Control, line-breaking and hidden characters, which a
/// terminal would act on as the command is pasted, become `?`: the command then names nothing rather than something else.
///
/// ```
/// assert_eq!(brig_core::model::text::shell("web-1"), "web-1");
/// assert_eq!(brig_core::model::text::shell("$(reboot)"), "'$(reboot)'");
/// ```
#[must_use]
pub fn shell(text: &str) -> String {
    let breaks = |c: char| c.is_control() || is_hidden(c) || (c.is_whitespace() && c != ' ');
    let plain: String = text.chars().map(|c| if breaks(c) { '?' } else { c }).collect();
    // Only a NUL cannot be quoted, and none is left.
    shlex::try_quote(&plain).map_or_else(|_| "''".to_owned(), Cow::into_owned)
}

/// `text` as one line for a chat channel, where marks that others wrote must not mention anybody, make a link, or look like
/// a command: each is replaced by a character that looks alike and means nothing there.
///
/// ```
/// assert_eq!(brig_core::model::text::chat("<!channel> ask @all [here](http://x) `rm`", 99), "‹!channel› ask ＠all ［here］(http://x) 'rm'");
/// ```
#[must_use]
pub fn chat(text: &str, most: usize) -> String {
    let plain = |c: char| match c {
        '<' => '‹',
        '>' => '›',
        '@' => '＠',
        '[' => '［',
        ']' => '］',
        '`' => '\'',
        '*' => '∗',
        '~' => '∼',
        other => other,
    };
    one_line(text, most).chars().map(plain).collect()
}

/// Whether a character shows nothing of its own, or changes how others show: Unicode's general category Cf (format: among
/// them bidirectional controls, zero-width characters, tags) and what has the property `Default_Ignorable_Code_Point`
/// (variation selectors, fillers), <https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point>, and noncharacters.
fn is_hidden(c: char) -> bool {
    let code = u32::from(c);
    code & 0xFFFE == 0xFFFE || HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

/// Unicode 17.0, in ascending order. A table of all categories would take more room in the binary than the rest of this
/// module; a test compares it with one.
const HIDDEN: [(u32, u32); 26] = [
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x0600, 0x0605),
    (0x061C, 0x061C),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFDD0, 0xFDEF),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
];

#[cfg(test)]
mod tests {
    use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

    use super::*;

    #[test]
    fn what_was_several_lines_is_one() {
        assert_eq!(
            one_line("  a\r\n\tb\u{2028}c\u{2029}d\u{85}e\u{b}f\u{c}g\u{a0}h\u{3000}i  ", 99),
            "a b c d e f g h i"
        );
        assert_eq!(one_line("\u{1b}[31mred\u{7}\0", 99), "[31mred");
        assert_eq!(one_line(" \n ", 99), "");
    }

    #[test]
    fn what_hides_or_turns_text_around_is_left_out() {
        assert_eq!(one_line("pay\u{202e}\u{2066}\u{200b}\u{ad}roll\u{fe0f}\u{e0041}\u{3164}", 99), "payroll");
        assert_eq!(one_line("a \u{200b} b", 99), "a b", "a word of nothing leaves no second space");
    }

    #[test]
    fn a_text_of_many_lines_is_cut_and_counted() {
        assert_eq!(lines("a\n\n b\u{202e} \r\nc\nd", 2, 9), ["a", "b", "(2 more lines)"]);
    }

    #[test]
    fn every_text_of_a_document_is_one_line() {
        let mut value = serde_json::json!({"a": ["x\ny", {"b": "\u{202e}z"}], "n": 1});
        clean(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["x y", {"b": "z"}], "n": 1}));
    }

    #[test]
    fn letters_of_every_script_stay() {
        for text in ["Größe 10 µm", "サーバー", "сервер", "שרת", "خادم", "e\u{301}", "🧯", "…"]
        {
            assert_eq!(one_line(text, 99), text);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_with_a_mark_and_never_longer() {
        assert_eq!(one_line("12345", 5), "12345");
        assert_eq!(one_line("123456", 5), "1234…");
        assert_eq!(one_line("123 456", 5), "123…");
        assert_eq!(one_line("12345   ", 5), "12345", "nothing but space is no cut");
        assert_eq!(one_line("1", 0), "");
        assert_eq!(one_line(&"ä".repeat(10_000), 256).chars().count(), 256);
    }

    #[test]
    fn every_character_is_judged_by_its_unicode_category() {
        // The planes between have no characters.
        for c in ('\0'..='\u{2ffff}').chain('\u{e0000}'..='\u{e1fff}') {
            let line = one_line(&format!("a{c}b"), 9);
            match c.general_category_group() {
                GeneralCategoryGroup::Separator => assert_eq!(line, "a b", "{c:?}"),
                GeneralCategoryGroup::Other if c.general_category() == GeneralCategory::Control => {
                    assert_eq!(line, "a b", "{c:?}");
                }
                GeneralCategoryGroup::Other if c.general_category() == GeneralCategory::Format => {
                    assert_eq!(line, "ab", "{c:?}");
                }
                GeneralCategoryGroup::Letter
                | GeneralCategoryGroup::Mark
                | GeneralCategoryGroup::Number
                | GeneralCategoryGroup::Punctuation
                | GeneralCategoryGroup::Symbol
                | GeneralCategoryGroup::Other => assert_eq!(line == "ab", is_hidden(c), "{c:?}"),
            }
            assert_eq!(one_line(&line, 9), line, "again, nothing changes: {c:?}");
            let word = shell(&format!("a{c}b"));
            assert!(!word.chars().any(|c| c.is_control() || is_hidden(c)), "nothing hidden is pasted: {c:?}");
        }
    }

    #[test]
    fn of_letters_and_marks_only_those_that_show_nothing_are_hidden() {
        let other = |c: &char| c.general_category_group() == GeneralCategoryGroup::Other;
        let separator = |c: &char| c.general_category_group() == GeneralCategoryGroup::Separator;
        let hidden: Vec<char> = ('\0'..=char::MAX).filter(|c| is_hidden(*c) && !other(c) && !separator(c)).collect();
        let fillers = "\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}\u{180c}\u{180d}\u{180f}\u{3164}\u{ffa0}".chars();
        let selectors = ('\u{fe00}'..='\u{fe0f}').chain('\u{e0100}'..='\u{e01ef}');
        let mut expected: Vec<char> = fillers.chain(selectors).collect();
        expected.sort_unstable();
        assert_eq!(hidden, expected);
    }

    #[test]
    fn a_shell_reads_back_exactly_one_word() {
        for text in
            ["", "a b", "it's", "\"", "$(reboot)", "`reboot`", "a;b", "a\\b", "!x", "~", "*", "-x", "a'b\"c$d", "é"]
        {
            let quoted = shell(text);
            assert_eq!(shlex::split(&quoted), Some(vec![text.to_owned()]), "{quoted}");
        }
        for text in ["a\nb", "a\0b", "a\u{202e}b", "a\u{2028}b", "a\u{200b}b", "a\tb"] {
            assert_eq!(shell(text), "'a?b'");
        }
    }
}
