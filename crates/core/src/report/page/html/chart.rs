//! A stretch of the timeline, drawn to scale. Places are percentages of the drawing's width, so that bars stretch with the
//! page and letters do not. No text from outside is in it.

use std::{fmt::Write as _, time::Duration};

use crate::report::page::{
    timeline::{Share, Stretch},
    words,
};

/// Pixels of one lane: its name, and below it its bar.
const ROW: usize = 30;
/// Pixels above the lanes, for the name of the cut.
const HEAD: usize = 18;
/// Pixels of the axis.
const FOOT: usize = 22;
/// Ticks of the axis at most: their names must not touch on a phone.
const MOST_TICKS: u128 = 4;
/// Distances between ticks, in milliseconds.
const STEPS: [u64; 25] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000,
];

/// Writes the drawing; nothing for a single moment.
pub(super) fn write(out: &mut String, stretch: &Stretch) {
    if stretch.length.is_zero() || stretch.bars.is_empty() {
        return;
    }
    let axis = HEAD + ROW * stretch.bars.len() + 4;
    let height = axis + FOOT;
    let _ = write!(
        out,
        r#"<div class="chart"><svg height="{height}" role="img" aria-label="{} of four lanes, drawn to scale">"#,
        words::length(stretch.length)
    );
    for (row, bar) in stretch.bars.iter().enumerate() {
        let top = HEAD + ROW * row;
        let (name, track) = (top + 11, top + 17);
        let _ = write!(
            out,
            r#"<text class="name" x="0" y="{name}">{}</text><rect class="track" x="0" y="{track}" width="100%" height="7" rx="3"/>"#,
            words::lane(bar.lane)
        );
        let width = Share(bar.to.0 - bar.from.0);
        let _ = write!(
            out,
            r#"<rect class="bar" x="{}" y="{track}" width="{}" height="7" rx="3"/>"#,
            percent(bar.from),
            percent(width)
        );
        if width.0 == 0 {
            let _ = write!(out, r#"<circle class="bar" cx="{}" cy="{}" r="4"/>"#, percent(bar.from), track + 3);
        }
        for mark in bar.marks.iter().filter(|mark| bar.from < **mark && **mark < bar.to) {
            let x = percent(*mark);
            let _ = write!(out, r#"<line class="mark" x1="{x}" x2="{x}" y1="{track}" y2="{}"/>"#, track + 7);
        }
    }
    let _ = write!(out, r#"<line class="axis" x1="0" x2="100%" y1="{axis}" y2="{axis}"/>"#);
    for (share, at) in ticks(stretch.length) {
        tick(out, share, at, axis);
    }
    if let Some(cut) = stretch.cut {
        let (x, y) = (percent(cut), HEAD - 6);
        let _ = write!(
            out,
            r#"<line class="cut" x1="{x}" x2="{x}" y1="{}" y2="{axis}"/><text class="cut-name" x="{x}" y="{y}"{}>isolated</text>"#,
            HEAD - 2,
            anchor(cut)
        );
    }
    out.push_str("</svg></div>");
}

fn tick(out: &mut String, share: Share, at: Duration, axis: usize) {
    let (x, end, name) = (percent(share), axis + 5, axis + 18);
    let label = if at.is_zero() { "0".to_owned() } else { format!("+{}", words::length(at)) };
    let anchor = anchor(share);
    let _ = write!(
        out,
        r#"<line class="axis" x1="{x}" x2="{x}" y1="{axis}" y2="{end}"/><text x="{x}" y="{name}"{anchor}>{label}</text>"#
    );
}

/// A name at either end stays inside.
fn anchor(share: Share) -> &'static str {
    match share.0 {
        ..800 => "",
        800..9_200 => r#" text-anchor="middle""#,
        9_200.. => r#" text-anchor="end""#,
    }
}

fn percent(share: Share) -> String {
    format!("{}.{:02}%", share.0 / 100, share.0 % 100)
}

/// Round times from the beginning on.
fn ticks(length: Duration) -> Vec<(Share, Duration)> {
    let all = length.as_millis();
    let fits = |step: &&u64| all / u128::from(**step) < MOST_TICKS;
    // Longer than months: whole quarters of it.
    let longest = u64::try_from(all / MOST_TICKS).unwrap_or(u64::MAX).max(1);
    let step = STEPS.iter().find(fits).copied().unwrap_or(longest);
    let at = |number: u64| {
        let at = Duration::from_millis(step.saturating_mul(number));
        let share = (at.as_millis() * 10_000).checked_div(all).and_then(|share| u32::try_from(share).ok());
        share.filter(|share| *share <= 10_000).map(|share| (Share(share), at))
    };
    (0..=4).map_while(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_times_and_few() {
        let shown = |millis| {
            let ticks = ticks(Duration::from_millis(millis));
            ticks.iter().map(|(share, at)| format!("{} {}", share.0, words::length(*at))).collect::<Vec<_>>()
        };
        assert_eq!(shown(8_000), ["0 0 ms", "6250 5 s"]);
        assert_eq!(shown(3), ["0 0 ms", "3333 1 ms", "6666 2 ms", "10000 3 ms"]);
        assert_eq!(shown(7_300_000).len(), 3);
        for millis in [1, 9, 37, 999, 1_001, 59_999, 86_400_000, 864_000_000, u64::MAX] {
            assert!((1..=5).contains(&shown(millis).len()), "{millis}: {:?}", shown(millis));
        }
    }
}
