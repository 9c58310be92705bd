//! A string that matches a regular expression, for the plain expressions that schemas hold.

use std::iter::Peekable;
use std::str::Chars;

/// How often something is repeated that may be repeated without end.
const SOME: usize = 2;

/// No sample is longer, in bytes.
const LONGEST: usize = 10_000;

/// A matching string; `None` for expressions with parts that are not understood here.
pub(super) fn sample(pattern: &str) -> Option<String> {
    // Expressions of reasonable people are short, and groups in groups cost stack.
    if pattern.len() > 500 {
        return None;
    }
    let mut rest = pattern.chars().peekable();
    let text = alternatives(&mut rest)?;
    rest.next().is_none().then_some(text)
}

/// Reads alternatives up to a closing parenthesis or the end; the first one is taken.
fn alternatives(rest: &mut Peekable<Chars>) -> Option<String> {
    let first = sequence(rest)?;
    while rest.next_if_eq(&'|').is_some() {
        sequence(rest)?;
    }
    Some(first)
}

fn sequence(rest: &mut Peekable<Chars>) -> Option<String> {
    let mut text = String::new();
    while let Some(&next) = rest.peek() {
        if next == '|' || next == ')' {
            break;
        }
        rest.next();
        let unit = match next {
            '^' | '$' => continue,
            '(' => group(rest)?,
            '[' => class(rest)?.to_string(),
            '\\' => escape(rest.next()?)?.to_string(),
            '.' => "x".to_owned(),
            plain => plain.to_string(),
        };
        let times = times(rest)?;
        if text.len() + unit.len().checked_mul(times)? > LONGEST {
            return None;
        }
        text.push_str(&unit.repeat(times));
    }
    Some(text)
}

fn group(rest: &mut Peekable<Chars>) -> Option<String> {
    if rest.next_if_eq(&'?').is_some() {
        // Only the group that merely groups; looking ahead or behind is beyond this.
        rest.next_if_eq(&':')?;
    }
    let text = alternatives(rest)?;
    rest.next_if_eq(&')')?;
    Some(text)
}

/// The first member of a class such as `[A-Z_]`.
fn class(rest: &mut Peekable<Chars>) -> Option<char> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut first = None;
    let mut members = Vec::new();
    loop {
        let member = match rest.next()? {
            ']' if first.is_some() => break,
            '\\' => escape(rest.next()?)?,
            member => member,
        };
        first = first.or(Some(member));
        members.push(member);
    }
    if !negated {
        return first;
    }
    // Ranges are not tracked for negated classes, so only a character far from all of them will do.
    ['~', 'é', '☃']
        .into_iter()
        .find(|candidate| !members.contains(candidate))
}

fn escape(letter: char) -> Option<char> {
    Some(match letter {
        'd' => '1',
        'w' | 'D' => 'a',
        's' => ' ',
        'S' => 'x',
        'W' => '-',
        'n' => '\n',
        't' => '\t',
        'b' | 'B' | 'p' | 'P' | 'u' | 'x' => return None,
        other => other,
    })
}

fn times(rest: &mut Peekable<Chars>) -> Option<usize> {
    let times = match rest.peek() {
        Some('*' | '+') => {
            rest.next();
            SOME
        }
        Some('?') => {
            rest.next();
            1
        }
        Some('{') => {
            let inside: String = rest
                .by_ref()
                .skip(1)
                .take_while(|next| *next != '}')
                .collect();
            let least = inside.split(',').next().unwrap_or_default();
            let at_all = inside.split(',').nth(1).and_then(|most| most.parse().ok());
            let least: usize = if least.is_empty() {
                0
            } else {
                least.parse().ok()?
            };
            // An optional part is shown once where it may be.
            if least == 0 {
                at_all.unwrap_or(SOME).min(1)
            } else {
                least
            }
        }
        _ => 1,
    };
    // `+?` and the like ask for as little as possible.
    rest.next_if_eq(&'?');
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::sample;

    #[test]
    fn samples_match() {
        for (pattern, expected) in [
            ("^[A-Z]{3}$", Some("AAA")),
            (r"^\d{4}-\d{2}$", Some("1111-11")),
            ("^(red|green)$", Some("red")),
            ("^INV-[0-9]+$", Some("INV-00")),
            (r"^[a-z]+@[a-z]+\.com$", Some("aa@aa.com")),
            ("^(?:ab){2}c?$", Some("ababc")),
            ("^a{2,3}$", Some("aa")),
            ("^[^abc]$", Some("~")),
            ("((a{1000}){1000}){1000}", None),
            ("(?=x)", None),
            ("(unclosed", None),
        ] {
            assert_eq!(sample(pattern).as_deref(), expected, "{pattern}");
        }
    }
}
