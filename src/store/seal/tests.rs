//! What sealing must hold: one place, one reader, no change.

use super::*;

const PROMPT: &[u8] = b"the prompt of a maker";

fn sealed() -> (Capability, Address, Vec<u8>) {
    let capability = Capability::random();
    let address = capability.address(Kind::Job);
    let sealed = capability.seal(&address, Part::Request, PROMPT);
    (capability, address, sealed)
}

#[test]
fn what_is_sealed_opens_again_and_is_longer_by_the_overhead() {
    let (capability, address, sealed) = sealed();
    assert_eq!(sealed.len(), PROMPT.len() + OVERHEAD);
    let opened = capability.open(&address, Part::Request, &sealed).unwrap();
    assert_eq!(opened, PROMPT);
    let empty = capability.seal(&address, Part::Result, b"");
    assert_eq!(empty.len(), OVERHEAD);
    let opened = capability.open(&address, Part::Result, &empty).unwrap();
    assert!(opened.is_empty());
}

#[test]
fn it_opens_at_its_own_place_only() {
    let (capability, address, sealed) = sealed();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Job) {
        let moved = Address {
            kind: *kind,
            ..address
        };
        assert!(capability.open(&moved, Part::Request, &sealed).is_err());
    }
    assert!(capability.open(&address, Part::Result, &sealed).is_err());
    let elsewhere = Capability::random().address(Kind::Job);
    assert!(capability.open(&elsewhere, Part::Request, &sealed).is_err());
    assert!(
        Capability::random()
            .open(&address, Part::Request, &sealed)
            .is_err()
    );
}

#[test]
fn no_bit_may_change_and_no_byte_be_missing() {
    let (capability, address, sealed) = sealed();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            capability.open(&address, Part::Request, &changed).is_err(),
            "bit {bit}"
        );
    }
    for length in 0..sealed.len() {
        let cut = &sealed[..length];
        assert!(
            capability.open(&address, Part::Request, cut).is_err(),
            "{length} bytes"
        );
    }
    let longer = [&sealed[..], b"x"].concat();
    assert!(capability.open(&address, Part::Request, &longer).is_err());
}

#[test]
fn an_unknown_form_is_told_from_a_damaged_record() {
    let (capability, address, mut sealed) = sealed();
    sealed[0] = 2;
    let error = capability
        .open(&address, Part::Request, &sealed)
        .unwrap_err();
    assert_eq!(error.kind(), error::Kind::Internal);
    assert!(error.to_string().contains("another version"), "{error}");
    assert!(error.log_detail().contains("form 2"));
}

#[test]
fn the_same_text_is_never_sealed_twice_alike() {
    let (capability, address, first) = sealed();
    let second = capability.seal(&address, Part::Request, PROMPT);
    assert_ne!(first[1..=NONCE], second[1..=NONCE]);
    assert_ne!(first[1 + NONCE..], second[1 + NONCE..]);
}

#[test]
fn the_text_form_reads_back_and_nothing_else_does() {
    let capability = Capability::random();
    let text = capability.to_text();
    assert_eq!(text.len(), 43);
    let read = Capability::parse(&text).unwrap();
    assert_eq!(*read.0, *capability.0);

    let long = format!("{}A", *text);
    let padded = format!("{}=", *text);
    for wrong in [
        "",
        &text[..42],
        &long,
        &padded,
        &"!".repeat(43),
        "schl\u{fc}ssel",
    ] {
        assert!(Capability::parse(wrong).is_none(), "{wrong:?}");
    }
    // The last letter has two bits to spare; only one of its four spellings may be read.
    assert!(Capability::parse(&"A".repeat(43)).is_some());
    assert!(Capability::parse(&format!("{}B", "A".repeat(42))).is_none());
}

#[test]
fn nothing_derived_repeats() {
    let secret = "sk-or-v1-0123456789abcdef";
    let capabilities = [
        Capability::random(),
        Capability::random(),
        Capability::from_secret("one", secret),
        Capability::from_secret("two", secret),
        Capability::from_secret("one", "sk-or-v1-another"),
        Capability::from_secret("", secret),
    ];
    let mut seen: Vec<Locator> = capabilities
        .iter()
        .flat_map(|capability| {
            Kind::ALL
                .iter()
                .map(|kind| capability.address(*kind).locator)
        })
        .collect();
    seen.extend(capabilities.iter().map(|capability| Locator(*capability.0)));
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

#[test]
fn derivation_is_the_same_in_every_version() {
    let capability = Capability::from_secret("context", "secret");
    assert_eq!(
        *capability.to_text(),
        "H-SfzJ32S9m4vmdQTCL6LqJcs12DYGWkbhbhmXOCwAQ"
    );
    assert_eq!(
        capability.address(Kind::Job).locator.to_text(),
        "RRykne2ZJukcF85L_QTEu6BJx4rtYQ7Yw79OwnmPzF4"
    );
}

#[test]
fn a_capability_does_not_print_itself() {
    let capability = Capability::random();
    let shown = format!("{capability:?} {:#?}", Some(&capability));
    assert!(!shown.contains(&**capability.to_text()));
    assert!(shown.contains("REDACTED"));
}
