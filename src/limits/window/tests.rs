//! The hard window, at times that the tests choose.

use proptest::{collection::vec, prelude::*, test_runner::Config};

use super::*;

const MILLI: Stamp = 1_000_000;

fn connection(number: u32) -> Locator {
    Locator::from_secret("test", &number.to_string())
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Windows, and a clock that stands still until it is moved.
struct Bench {
    seen: Seen,
    now: Stamp,
}

impl Bench {
    fn new(calls: u32, window: u64) -> Self {
        Self {
            seen: Seen::new(calls, millis(window)),
            now: 0,
        }
    }

    fn admit(&mut self, number: u32) -> Standing {
        self.seen.admit(connection(number), self.now)
    }

    /// How many of `calls` are admitted.
    fn burst(&mut self, calls: usize) -> usize {
        (0..calls).filter(|_| self.admit(1).admitted).count()
    }

    fn wait(&mut self, millis: u64) {
        self.now += millis * MILLI;
    }
}

#[test]
fn a_call_is_let_in_when_the_oldest_one_leaves_and_not_before() {
    let mut bench = Bench::new(3, 1000);
    let mut stood = Vec::new();
    for _ in 0..3 {
        let standing = bench.admit(1);
        assert!(standing.admitted);
        stood.push((standing.left, standing.wait));
        bench.wait(100);
    }
    assert_eq!(
        stood,
        [(2, millis(1000)), (1, millis(900)), (0, millis(800))]
    );
    let refused = bench.admit(1);
    assert!(!refused.admitted);
    assert_eq!((refused.left, refused.wait), (0, millis(700)));
    bench.now = 1000 * MILLI - 1;
    assert!(!bench.admit(1).admitted);
    bench.now += 1;
    let standing = bench.admit(1);
    assert!(standing.admitted);
    assert_eq!((standing.left, standing.wait), (0, millis(100)));
    assert!(!bench.admit(1).admitted);
}

#[test]
fn one_hundred_and_ninety_nine_do_not_pass_in_one_window() {
    let mut bench = Bench::new(100, 60_000);
    assert_eq!(bench.burst(150), 100);
    // Where a bucket that refills would have 99 again, and a fixed window all 100.
    bench.wait(59_999);
    assert_eq!(bench.burst(150), 0);
    bench.wait(1);
    assert_eq!(bench.burst(150), 100);
}

#[test]
fn connections_do_not_touch_each_other() {
    let mut bench = Bench::new(1, 1000);
    assert!(bench.admit(1).admitted);
    assert!(!bench.admit(1).admitted);
    assert!(bench.admit(2).admitted);
}

#[test]
fn what_is_given_back_makes_room_for_just_one() {
    let mut bench = Bench::new(2, 1000);
    let me = connection(1);
    bench.admit(1);
    bench.admit(1);
    let standing = bench.seen.give_back(&me, 0, bench.now);
    assert_eq!((standing.admitted, standing.left), (true, 1));
    assert!(bench.admit(1).admitted);
    assert!(!bench.admit(1).admitted);
    // What has left the window by itself has no place to give back.
    bench.wait(1000);
    let standing = bench.seen.give_back(&me, 0, bench.now);
    assert_eq!((standing.admitted, standing.left), (false, 2));
    assert_eq!(standing.wait, Duration::ZERO);
    assert_eq!(bench.seen.stamps.len(), 0);
}

#[test]
fn idle_connections_are_forgotten_by_the_next_call_of_any() {
    let mut bench = Bench::new(2, 1000);
    for number in 0..500 {
        bench.admit(number);
    }
    bench.wait(500);
    bench.admit(7);
    assert_eq!(bench.seen.stamps.len(), 500);
    bench.wait(500);
    bench.admit(1000);
    assert_eq!(bench.seen.stamps.len(), 2);
    assert_eq!(bench.admit(7).left, 0);
}

#[test]
fn a_flood_of_keys_takes_no_more_than_its_bound() {
    let mut bench = Bench::new(2, 1000);
    bench.seen.most = 100;
    let quiet = 9999;
    bench.admit(quiet);
    for number in 0..1000 {
        assert!(bench.admit(number).admitted);
        assert!(bench.seen.stamps.len() <= 100);
    }
    assert_eq!(bench.seen.stamps.len(), 100);
    // The one that was quiet for longest went first, and the last ones are all there.
    assert_eq!(bench.admit(quiet).left, 1);
    for number in 901..1000 {
        assert_eq!(bench.admit(number).left, 0);
    }
}

#[test]
fn a_refused_call_keeps_no_place_from_others() {
    let mut bench = Bench::new(1, 1000);
    bench.seen.most = 3;
    for number in [1, 2, 3, 1, 1, 4] {
        bench.admit(number);
    }
    // Though it called last of the three, its last call that counts is the oldest.
    assert!(!bench.admit(2).admitted);
    assert!(bench.admit(1).admitted);
}

#[derive(Clone, Debug)]
enum Step {
    Call,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Call),
        2 => (0u64..60).prop_map(Step::Wait),
        1 => (60u64..250).prop_map(Step::Wait),
    ];
    vec(step, 0..200)
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    /// In milliseconds, with a window of 100: what is let in is just what a list of all calls
    /// lets in, so never more than the limit, and never less than it.
    #[test]
    fn no_window_has_more_and_none_that_has_room_refuses(most in 1usize..6, steps in steps()) {
        let mut bench = Bench::new(u32::try_from(most).unwrap(), 100);
        let mut admitted: Vec<u64> = Vec::new();
        for step in steps {
            let now = bench.now / MILLI;
            match step {
                Step::Wait(span) => bench.wait(span),
                Step::Call => {
                    let before = admitted.iter().filter(|at| **at + 100 > now).count();
                    let standing = bench.admit(1);
                    prop_assert_eq!(standing.admitted, before < most);
                    if standing.admitted {
                        admitted.push(now);
                    } else {
                        let oldest = admitted[admitted.len() - most];
                        prop_assert_eq!(standing.wait, millis(oldest + 100 - now));
                    }
                }
            }
        }
        for start in &admitted {
            let within = admitted.iter().filter(|at| (*start..start + 100).contains(at)).count();
            prop_assert!(within <= most, "{} from {}", within, start);
        }
    }

    /// A caller that comes whenever it is told gets the whole of its limit, window after window.
    #[test]
    fn a_patient_caller_gets_exactly_its_limit(most in 1usize..8, first in vec(0u64..100, 8)) {
        let mut bench = Bench::new(u32::try_from(most).unwrap(), 100);
        let mut spread: Vec<_> = first.into_iter().take(most).collect();
        spread.sort_unstable();
        for at in &spread {
            bench.now = at * MILLI;
            prop_assert!(bench.admit(1).admitted);
        }
        // In the next ten windows each of them is followed by ten others.
        let mut count = 0;
        while bench.now < 1100 * MILLI {
            let standing = bench.admit(1);
            if standing.admitted {
                count += 1;
            } else {
                prop_assert!(!standing.wait.is_zero());
                bench.now += nanos(standing.wait);
            }
        }
        prop_assert_eq!(count, most * 10);
    }
}
