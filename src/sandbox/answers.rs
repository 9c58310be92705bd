//! The words of the simulated models: pleasant, and about what was asked.

use super::usage::first_words;

/// A list in words: "a", "a and b", "a, b and c".
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A number with the noun it counts, both in the right form.
pub(super) fn counted(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// A number of bytes with its thousands set apart, so that it can be compared with the original.
pub(super) fn bytes(size: usize) -> String {
    let digits = size.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + " bytes"
}

/// What the model thinks before it answers; more effort, more sentences.
pub(super) fn thoughts(prompt: &str, effort: &str) -> String {
    let sentences = [
        format!("The user asks: {}.", first_words(prompt, 10)),
        "I look for the plain answer first.".to_owned(),
        "I check it against what else was said.".to_owned(),
        "Then I put it into a few friendly sentences.".to_owned(),
    ];
    let wanted = match effort {
        "minimal" | "low" => 1,
        "medium" => 2,
        "high" => 3,
        _ => 4,
    };
    sentences[..wanted].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(bytes(7), "7 bytes");
        assert_eq!(bytes(1_234), "1,234 bytes");
        assert_eq!(bytes(123_456_789), "123,456,789 bytes");
        assert_eq!(counted(1, "image"), "1 image");
        assert_eq!(counted(0, "image"), "0 images");
    }

    #[test]
    fn lists_read_well() {
        let list = |items: &[&str]| {
            listed(
                &items
                    .iter()
                    .map(|&item| item.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn more_effort_means_more_thoughts() {
        assert!(thoughts("hi", "high").len() > thoughts("hi", "low").len());
    }
}
