//! The HTML report: whole in itself, and safe.

use fer_data::Labels;
use fer_train::judge::summary::Summary;
use fer_train::report::report_html;

use crate::fixtures::{pretend, samples};

fn report(temperature: f32) -> String {
    let samples = samples(4);
    let mut evaluation = pretend(&samples, |idx, label| if idx % 3 == 0 { (label + 1) % 7 } else { label });
    evaluation.temperature = temperature;
    let summary = Summary::new(&evaluation, "a protocol with <tags> & \"quotes\"".to_owned(), None);
    report_html(&evaluation, &summary, &samples)
}

/// The page without the pictures, whose base64 can spell anything.
fn without_pictures(html: &str) -> String {
    let after = |part: &str| part.split_once('"').map_or(part, |(_, rest)| rest).to_owned();
    let mut parts = html.split("data:image/png;base64,");
    parts.next().unwrap_or_default().to_owned() + &parts.map(after).collect::<String>()
}

#[test]
fn the_report_names_no_address_and_loads_nothing() {
    let html = report(1.3);
    for outside in ["http:", "https:", "//", "@import", "url(", "<script", "<link", "<iframe"] {
        // Base64 has slashes, so pictures are looked at on their own below.
        let bare: String = html
            .split("data:image/png;base64,")
            .map(|part| part.split_once('"').map_or(part, |(_, rest)| rest))
            .collect();
        assert!(!bare.contains(outside), "{outside}");
    }
    assert_eq!(html.matches("src=").count(), html.matches("src=\"data:image/png;base64,").count());
}

#[test]
fn every_mistake_is_shown_with_its_face() {
    // 28 images, each third wrong: 10 mistakes.
    let html = report(1.0);
    assert_eq!(html.matches("<img ").count(), 10);
    assert!(html.contains("angry, read as <b>disgust</b>"));
}

#[test]
fn charts_and_tables_are_there() {
    let html = report(1.3);
    assert_eq!(html.matches("<svg ").count(), 2);
    assert_eq!(html.matches("<table class=\"matrix\">").count(), 2);
    assert!(html.contains("class=\"before\""), "the curve before the temperature");
    assert!(!report(1.0).contains("class=\"before\""));
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("@media print"));
    let page = without_pictures(&html);
    assert!(!page.contains("NaN") && !page.contains("inf"), "a chart without a number");
}

#[test]
fn the_risk_axis_is_labelled_with_what_its_ticks_are() {
    let samples = samples(4);
    // One image in seven is wrong, and the least confident: the highest risk is 14.3 %, the axis ends at 15.
    let mut evaluation = pretend(&samples, |idx, label| if idx < 4 { (label + 1) % 7 } else { label });
    evaluation.temperature = 1.0;
    let summary = Summary::new(&evaluation, String::new(), None);
    let html = report_html(&evaluation, &summary, &samples);
    let chart = html.split("aria-label=\"Risk–coverage curve\"").nth(1).unwrap();
    let ticks: Vec<&str> =
        chart.split("text-anchor=\"end\">").skip(1).map(|part| part.split('<').next().unwrap()).collect();
    assert_eq!(ticks, ["0", "5", "10", "15"]);
}

#[test]
fn text_from_outside_is_escaped() {
    let html = report(1.0);
    assert!(html.contains("a protocol with &lt;tags&gt; &amp; &quot;quotes&quot;"));
    let mut samples = samples(1);
    samples.labels = Labels::custom((0..7).map(|n| format!("<class {n}>")).collect());
    let evaluation = pretend(&samples, |_, label| (label + 1) % 7);
    let summary = Summary::new(&evaluation, String::new(), None);
    let html = report_html(&evaluation, &summary, &samples);
    assert!(!html.contains("<class") && html.contains("&lt;class 3&gt;"));
}

#[test]
fn a_split_without_a_mistake_says_so() {
    let samples = samples(1);
    let evaluation = pretend(&samples, |_, label| label);
    let summary = Summary::new(&evaluation, String::new(), None);
    assert!(report_html(&evaluation, &summary, &samples).contains("There are none."));
}
