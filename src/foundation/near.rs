//! Names that a user may have meant by a similar one.

use strsim::osa_distance;

/// The names within a few typing mistakes of `given`, the nearest first, at most three. Two swapped letters
/// are one mistake, and small letters for capitals none.
pub fn names<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let given = given.to_lowercase();
    let length = given.chars().count();
    let most = (length / 3).clamp(1, 4);
    let distance = |name: &'a str| {
        let lower = name.to_lowercase();
        let contains = length > 2 && lower.contains(&given);
        // A distance takes time, and is at least the difference in length.
        if lower.chars().count().abs_diff(length) > most && !contains {
            return None;
        }
        let distance = osa_distance(&given, &lower);
        (distance <= most || contains).then_some((distance, name))
    };
    let mut near: Vec<(usize, &str)> = known.into_iter().filter_map(distance).collect();
    near.sort_unstable();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_few_mistakes_are_near_and_others_are_not() {
        let known = ["cosine", "night", "plateau"];
        assert_eq!(names("cosin", known), ["cosine"]);
        assert_eq!(names("nihgt", known), ["night"]);
        assert_eq!(names("Night", known), ["night"]);
        assert_eq!(
            names("nixxt", known),
            [""; 0],
            "two mistakes in five letters"
        );
        assert_eq!(names("adam", known), [""; 0]);
        assert_eq!(names("demo", ["2026-demo", "paper"]), ["2026-demo"]);
        assert_eq!(question(&names("cosin", known)), "; did you mean cosine?");
        assert_eq!(question(&[""; 0]), "");
    }
}
