//! The page as text: well-formed, self-contained, and safe whatever names the run uses.

use super::samples::{SEARCH, cut_off, training, with_test};
use super::{read, reported};

/// Elements without an end tag.
const VOID: [&str; 3] = ["meta", "br", "hr"];

/// The text of every tag of the page between `<` and `>`; the style sheet is skipped.
fn tags(page: &str) -> Vec<&str> {
    let (before, rest) = page.split_once("<style>").unwrap();
    let (_, after) = rest.split_once("</style>").unwrap();
    [before, after]
        .iter()
        .flat_map(|part| part.split('<').skip(1))
        .map(|part| part.split_once('>').unwrap().0)
        .collect()
}

/// Attributes of a tag: `name="value"`.
fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut pieces = tag.split('"');
    let mut found = Vec::new();
    while let (Some(name), Some(value)) = (pieces.next(), pieces.next()) {
        found.push((
            name.trim_end_matches('=')
                .rsplit(' ')
                .next()
                .unwrap_or_default(),
            value,
        ));
    }
    found
}

fn assert_well_formed(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(page).into_iter().filter(|tag| !tag.starts_with('!')) {
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> ends something else");
            continue;
        }
        let name = tag.split(' ').next().unwrap();
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
}

#[test]
fn the_page_is_well_formed_and_refers_to_nothing_outside() {
    let folder = tempfile::tempdir().unwrap();
    for journal in [SEARCH, &with_test()] {
        let page = read(reported(folder.path(), journal).join("report.html"));
        assert_well_formed(&page);
        assert!(
            !page.contains("url(")
                && !page.contains("@import")
                && !page.contains("<script")
                && !page.contains("<link")
        );
        for tag in tags(&page) {
            for (name, value) in attributes(tag) {
                let inside = match name {
                    "href" => value.starts_with('#'),
                    "src" | "srcset" | "action" | "data" | "xlink:href" => false,
                    "xmlns" => true,
                    _ => !value.contains("://"),
                };
                assert!(inside, "<{tag}>");
            }
        }
    }
}

#[test]
fn training_memory_is_given_for_the_runs_own_batch_size() {
    let folder = tempfile::tempdir().unwrap();
    let search = SEARCH.replacen(
        "\"child_epochs\"",
        "\"child_batch_size\":48,\"child_epochs\"",
        1,
    );
    assert!(
        read(reported(folder.path(), &search).join("report.html"))
            .contains(" at batch size 48 (estimate)")
    );
    let training = with_test().replacen("\"micro_batch\":128", "\"micro_batch\":64", 1);
    assert!(
        read(reported(folder.path(), &training).join("report.html"))
            .contains(" at batch size 64 (estimate)")
    );
}

#[test]
fn every_link_of_the_page_has_a_target() {
    let folder = tempfile::tempdir().unwrap();
    let page = read(reported(folder.path(), SEARCH).join("report.html"));
    let tags = tags(&page);
    let ids: Vec<&str> = tags
        .iter()
        .flat_map(|tag| attributes(tag))
        .filter(|(name, _)| *name == "id")
        .map(|(_, id)| id)
        .collect();
    let unique: std::collections::HashSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an id twice: {ids:?}");
    let links: Vec<&str> = tags
        .iter()
        .flat_map(|tag| attributes(tag))
        .filter(|(name, _)| *name == "href")
        .map(|(_, to)| to)
        .collect();
    assert!(
        links.len() > 5 && links.iter().all(|link| ids.contains(&&link[1..])),
        "{links:?}"
    );
}

#[test]
fn names_and_messages_of_a_run_are_text_whatever_they_contain() {
    let nasty = r#"<script>alert('x')</script>\"><img src=x onerror=y>&amp;"#;
    let journal = SEARCH
        .replace("\"T-shirt/top\"", &format!("\"{nasty}\""))
        .replace(
            "\"spec\":\"fashion-mnist-mini\"",
            &format!("\"spec\":\"{nasty}\""),
        )
        .replace("\"host\":\"vm\"", &format!("\"host\":\"{nasty}\""))
        .replace(
            "\"reason\":\"its worker",
            &format!("\"reason\":\"{nasty} its worker"),
        )
        .replace(
            "\"reason\":\"signal",
            &format!("\"reason\":\"{nasty} signal"),
        );
    let folder = tempfile::tempdir().unwrap();
    let out = reported(folder.path(), &journal);
    let page = read(out.join("report.html"));
    assert_well_formed(&page);
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(
        page.matches("&lt;script&gt;alert('x')&lt;/script&gt;")
            .count()
            >= 4
    );
    // The name of a class appears in the figures of a training.
    let out = reported(
        folder.path(),
        &with_test().replace("\"cat\"", &format!("\"{nasty}\"")),
    );
    let page = read(out.join("report.html"));
    assert_well_formed(&page);
    assert!(!page.contains("<script"));
    let text = read(out.join("figures/per-class.svg"));
    assert!(roxmltree::Document::parse(&text).is_ok() && !text.contains("<script"));
}

#[test]
fn accuracy_and_reward_are_two_numbers_and_validation_is_labelled_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let page = read(reported(folder.path(), SEARCH).join("report.html"));
    for words in [
        "best validation accuracy</dt><dd><strong>74.70 %",
        "its reward</dt><dd><strong>0.4168",
        "test accuracy</dt><dd><strong>not measured",
        "after 6 of 6 episodes; depth grew from 6 to 11 with it; no controls, no verdict",
        "95 %: 71.9–77.3 % of 1,000 images",
        "Children that failed: reward 0, no accuracy",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_trainings_page_has_the_test_accuracy_with_its_interval_and_what_ended_it() {
    let folder = tempfile::tempdir().unwrap();
    let page = read(reported(folder.path(), &with_test()).join("report.html"));
    for words in [
        "test accuracy</dt><dd><strong>",
        "of 2,000 images; weights of epoch 8",
        "Early stopping ended it after epoch 12 of at most 30",
        "4,201,630",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_page_of_a_training_in_stages_marks_the_sizes_and_has_no_best_epoch_before_the_last_one() {
    let journal = |epochs: usize| {
        let stages = r#""epochs":30,"stages":[{"epochs":5,"size":16,"crop_pixels":2},{"epochs":25,"size":32,"crop_pixels":4}],"#;
        training(epochs).replacen(r#""epochs":30,"#, stages, 1)
    };
    let folder = tempfile::tempdir().unwrap();
    let page = read(reported(folder.path(), &journal(3)).join("report.html"));
    assert!(page.contains("chosen from epoch 6 on: the epochs before are on smaller images"));
    let folder = tempfile::tempdir().unwrap();
    let report = reported(folder.path(), &journal(8));
    let page = read(report.join("report.html"));
    for words in [
        "images; epoch 8",
        "epochs 1 to 5 on 16×16 pixels (padded by 2 and cropped), epochs 6 to 30 on 32×32 pixels",
        "Dashed upright lines: from there on the images have another size",
        "images/s (16×16), ",
        ">32×32</text>",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let epochs = read(report.join("tables/epochs.csv"));
    assert!(
        epochs.starts_with("epoch,image_size,")
            && epochs.contains("\n5,16,")
            && epochs.contains("\n6,32,")
    );
}

#[test]
fn working_time_is_a_lower_bound_if_a_session_was_cut_off_and_resumptions_are_counted() {
    let page = |journal: &str| {
        let folder = tempfile::tempdir().unwrap();
        read(reported(folder.path(), journal).join("report.html"))
    };
    let cut_off = page(&cut_off(7));
    for words in [
        "on cuda:0; resumed once; cut off once",
        "<strong>at least ",
        "counts until its last record",
    ] {
        assert!(cut_off.contains(words), "{words}");
    }
    let whole = page(&with_test());
    assert!(whole.contains("on cuda:0; never resumed") && !whole.contains("at least"));
}

#[test]
fn the_accuracy_in_the_search_stands_beside_the_final_one() {
    let found = r#""found":{"run":"night","child":17,"accuracy":0.5125,"best_of":170,"child_epochs":2,"train_images":10000,"validation_images":5000},"threads":2"#;
    let journal = with_test().replacen(r#""threads":2"#, found, 1);
    let folder = tempfile::tempdir().unwrap();
    let report = reported(folder.path(), &journal);
    let page = read(report.join("report.html"));
    for words in [
        "validation accuracy in the search</dt><dd><strong>51.25 %",
        "child 17 of night, best of 170 by validation: optimistic; 2 epochs on 10,000 images",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(read(report.join("summary.json")).contains("\"best_of\": 170"));
}

#[test]
fn a_search_tells_what_each_option_is_worth_by_depth_and_how_many_effects_were_tested() {
    let folder = tempfile::tempdir().unwrap();
    let journal = include_str!("../../fixtures/journal-demo.jsonl");
    let page = read(reported(folder.path(), journal).join("report.html"));
    for part in [
        "What each option is worth",
        "over 96 networks that were trained for themselves (1 of them failed: reward 0).",
        "By depth (shallow: 6 to 7 layers",
        "of 11 intervals",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
