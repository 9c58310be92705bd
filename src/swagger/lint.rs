//! Checking a definition by Power Platform's rules before the platform does.
//!
//! Microsoft's validator runs on Microsoft's side only, after a login. What it and the designers
//! refuse is restated here under the validator's own rule names ("Swagger Validator rules",
//! learn.microsoft.com/connectors/custom-connectors); a rule that has no name there says "ours" in
//! its doc line. To find a rule, search for its name: the tables below pair it with its function.

use std::fmt;

use serde_json::Value;

mod definition;
mod document;
mod dynamic;
mod extensions;
mod lifecycle;
mod operations;
mod parameters;
mod references;
mod responses;
#[cfg(test)]
mod sample;
mod schemas;
mod texts;
mod triggers;
mod values;

use definition::Definition;

/// What a rule found wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name, Microsoft's where it has one.
    pub rule: &'static str,
    /// RFC 6901 JSON pointer into the definition.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.rule, self.pointer, self.message)
    }
}

/// A rule: its name and its check.
type Rule = (&'static str, fn(&Definition<'_>, &mut Report<'_>));

/// All rules, by subject; each file begins with its own table.
const RULES: [&[Rule]; 12] = [
    document::RULES,
    texts::RULES,
    operations::RULES,
    parameters::RULES,
    responses::RULES,
    references::RULES,
    schemas::RULES,
    values::RULES,
    extensions::RULES,
    dynamic::RULES,
    triggers::RULES,
    lifecycle::RULES,
];

/// Where one rule puts what it finds.
struct Report<'r> {
    rule: &'static str,
    findings: &'r mut Vec<Finding>,
}

impl Report<'_> {
    fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding {
            rule: self.rule,
            pointer: pointer.into(),
            message: message.into(),
        });
    }
}

/// Checks a Swagger 2.0 definition by every rule. An empty answer means that Power Platform should
/// take it and show all of it.
#[must_use]
pub fn lint(swagger: &Value) -> Vec<Finding> {
    let definition = Definition::of(swagger);
    let mut findings = Vec::new();
    for &(rule, check) in RULES.iter().copied().flatten() {
        let findings = &mut findings;
        check(&definition, &mut Report { rule, findings });
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Finding, RULES, lint, sample};

    #[test]
    fn the_clean_sample_breaks_no_rule() {
        assert_eq!(lint(&sample::clean()), []);
    }

    #[test]
    fn a_rule_has_one_name_and_one_function() {
        let rules: Vec<_> = RULES.iter().copied().flatten().collect();
        let names: BTreeSet<_> = rules.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), rules.len());
    }

    #[test]
    fn a_finding_reads_rule_pointer_message() {
        let finding = Finding {
            rule: "ArrayHasNoItems",
            pointer: "/definitions/A".into(),
            message: "has no `items`".into(),
        };
        assert_eq!(
            finding.to_string(),
            "ArrayHasNoItems /definitions/A: has no `items`"
        );
    }
}
