//! Names that a user may have meant by a similar one.

/// The names within a few typing mistakes of `given`, the nearest first, at most three.
pub fn names<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let length = given.chars().count();
    let most = (length / 3).clamp(1, 4);
    // A distance takes time, and is at least the difference in length.
    let can_be_near = |name: &&str| {
        name.chars().count().abs_diff(length) <= most || (given.len() > 2 && name.contains(given))
    };
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(can_be_near)
        .map(|name| (distance(given, name), name))
        .filter(|(distance, name)| *distance <= most || (given.len() > 2 && name.contains(given)))
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

/// `; did you mean a or b?`, or nothing if there is no such name.
pub fn question(near: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = near.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(" or ")),
    }
}

/// Number of characters to insert, delete or replace (Levenshtein's distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (column, compared) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *compared);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_few_mistakes_are_near_and_others_are_not() {
        assert_eq!((distance("cosin", "cosine"), distance("", "abc")), (1, 3));
        assert_eq!(distance("kitten", "sitting"), 3);
        let known = ["cosine", "night", "plateau"];
        assert_eq!(names("cosin", known), ["cosine"]);
        assert_eq!(
            names("nihgt", known),
            ["night"; 0],
            "two mistakes in five letters"
        );
        assert_eq!(names("adam", known), [""; 0]);
        assert_eq!(names("demo", ["2026-demo", "paper"]), ["2026-demo"]);
        assert_eq!(question(&names("cosin", known)), "; did you mean cosine?");
        assert_eq!(question(&[""; 0]), "");
    }
}
