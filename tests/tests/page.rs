//! The incident page in a real browser, where one is installed: at a phone's and a desktop's width, in light and dark.
#![expect(clippy::expect_used, reason = "a test stops at the first thing that is not as it must be")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use brig_core::{
    model::timestamp::Timestamp,
    report::page::{Now, Page, Sources},
};
use brig_tests::account::unique;
use serde_json::{Value, json};

/// What `measure.py` ends with where there is no browser.
const NO_BROWSER: i32 = 3;
/// Names that would be markup, run something, or be as wide as they like.
const HOSTILE: [&str; 4] = [
    "<script>document.title='owned'</script><img src=http://evil.example/a.png onerror=alert(1)>",
    "\"'><svg/onload=alert(1)><style>@import url(http://evil.example/b.css);</style><link rel=stylesheet href=//evil.example/c>",
    "</style></title></main><h2>Contained</h2><iframe src=http://evil.example/d></iframe>",
    "\u{202e}denatnoc\u{2066}\u{200b} 👩‍👩‍👧‍👦 ﷽﷽﷽﷽﷽﷽﷽﷽ W\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}",
];

/// An answer of `show`, as the function gave it of a containment that had nothing wrong with it.
fn show() -> Value {
    serde_json::from_str(include_str!("../browser/show.json")).expect("JSON")
}

fn page(show: &Value) -> String {
    let as_of = Timestamp::parse("2026-01-02T09:00:00Z").expect("a time");
    Page::of(&Sources { show, now: Now::NotLooked, custody: None, as_of, brig: "brig" })
        .expect("an answer of `show`")
        .html()
}

/// Every name, id and sentence is somebody else's, and long.
fn hostile(value: &mut Value, number: &mut usize) {
    match value {
        Value::String(text) if Timestamp::parse(text).is_none() && text.len() > 12 => {
            *text = format!("{}{}", HOSTILE.iter().cycle().nth(*number).expect("one"), "W".repeat(700 * (*number % 2)));
            *number += 1;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hostile(item, number)),
        Value::Object(map) => map.values_mut().for_each(|item| hostile(item, number)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Of everything too much.
fn crowded(mut show: Value) -> Value {
    let steps = show.pointer_mut("/steps").expect("steps");
    let many: Vec<Value> = steps.as_array().into_iter().flatten().cycle().take(2_000).cloned().collect();
    *steps = json!(many);
    let findings = show.pointer_mut("/containment/findings").expect("findings");
    *findings = json!((0..50).map(|number| format!("{number:064x}")).collect::<Vec<_>>());
    show
}

fn measured(pages: &[PathBuf]) -> Option<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/measure.py");
    let ran = Command::new("python3").arg(script).args(pages).output().expect("python3");
    let said = String::from_utf8_lossy(&ran.stderr);
    if ran.status.code() == Some(NO_BROWSER) {
        println!("skipped: {said}");
        return None;
    }
    assert!(ran.status.success(), "{said}");
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

#[test]
fn the_page_fits_a_phone_and_a_desk_and_asks_for_nothing() {
    let folder = std::env::temp_dir().join(unique("brig-pages"));
    fs::create_dir_all(&folder).expect("a folder");
    let mut evil = show();
    hostile(&mut evil, &mut 0);
    let evil = page(&evil);
    // Without its policy too: what holds must not hang on it alone.
    let (start, end) = (r#"<meta http-equiv="Content-Security-Policy""#, r#"<meta name="viewport""#);
    let from = evil.find(start).expect("a policy");
    let bare = format!("{}{}", &evil[..from], &evil[evil.find(end).expect("a viewport")..]);
    // What is measured can be seen to fail.
    let control = r#"<h1>x</h1><div style="width:3000px">wide</div><img src="http://evil.example/x.png">"#.to_owned();
    let pages = [page(&show()), page(&crowded(show())), evil, bare, control];
    let files: Vec<PathBuf> = (0..pages.len()).map(|number| folder.join(format!("{number}.html"))).collect();
    for (file, text) in files.iter().zip(&pages) {
        fs::write(file, text).expect("a page");
    }
    let measured = measured(&files);
    fs::remove_dir_all(&folder).expect("its folder");
    let Some(measured) = measured else { return };
    assert_eq!(measured.len(), pages.len() * 4, "two widths, in light and dark");
    let (controls, measured) = {
        let mut measured = measured;
        let controls = measured.split_off((pages.len() - 1) * 4);
        (controls, measured)
    };
    for control in controls {
        assert!(control["scrollWidth"].as_u64() > control["innerWidth"].as_u64(), "{control}");
        assert_eq!(control["asked"], json!(["GET http://evil.example/x.png"]));
    }
    let mut backgrounds = std::collections::BTreeMap::new();
    for one in &measured {
        assert!(one["scrollWidth"].as_u64() <= one["innerWidth"].as_u64(), "{one:#}");
        assert_eq!(
            (&one["overflowing"], &one["asked"], &one["scripts"]),
            (&json!([]), &json!([]), &json!(0)),
            "{one:#}"
        );
        let headings = one["headings"].as_array().expect("headings");
        let second: Vec<&str> = headings.iter().filter_map(Value::as_str).filter(|it| it.starts_with("H2")).collect();
        assert_eq!(
            second,
            [
                "H2 State, and what to do",
                "H2 Lanes and paths, the weakest first",
                "H2 Timeline",
                "H2 What was changed, before → after",
                "H2 Evidence",
                "H2 What is not known, and why",
                "H2 People and invocations",
            ]
        );
        assert_eq!(headings.len(), 8, "and one title");
        backgrounds.entry(one["scheme"].to_string()).or_insert_with(|| one["background"].clone());
    }
    assert_eq!(backgrounds.len(), 2);
    assert_ne!(
        backgrounds.first_key_value().map(|it| it.1),
        backgrounds.last_key_value().map(|it| it.1),
        "dark is dark"
    );
}
