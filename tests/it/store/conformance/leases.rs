//! Leases: one worker at a time, a bounded number of times, and one end.

use std::time::Duration;

use openrouter_connector::{
    error,
    store::{Capability, Kind, Leased, New, Owner, State},
};

use super::{
    super::bench::{Bench, at_once, job},
    LONG, SHORT, short_is_over,
};

on_every_engine! {
    of_many_workers_one_gets_the_lease,
    a_lease_is_held_until_it_is_over,
    a_lease_is_renewed_by_its_owner_only,
    a_lease_that_nobody_took_over_can_be_renewed_and_used,
    a_lease_given_up_is_free_at_once,
    attempts_run_out,
    one_of_many_finds_the_attempts_used_up,
    what_finished_is_not_run_again,
    only_the_owner_finishes,
    a_former_owner_is_refused,
    finishing_can_be_repeated,
    only_success_and_failure_are_ends,
    finishing_sets_a_new_expiry,
    cancelling_ends_what_runs_only,
}

async fn of_many_workers_one_gets_the_lease(bench: Bench) {
    let new = job(&Capability::random());
    bench.store.put(&new).await.unwrap();
    let asked = at_once(&bench, |store| async move {
        let owner = Owner::random();
        let leased = store.lease(&new.address, owner, LONG, 2).await.unwrap();
        (owner, leased)
    })
    .await;
    let mut winners = Vec::new();
    for (owner, leased) in asked {
        match leased {
            Leased::Taken(record) => winners.push((owner, record)),
            other => assert_eq!(other, Leased::Held),
        }
    }
    assert_eq!(winners.len(), 1);
    let (owner, record) = &winners[0];
    assert_eq!(record.attempts, 1);
    assert_eq!(record.lease.unwrap().owner, *owner);
    assert_eq!(record.request, new.request);
    let got = bench.store.get(&new.address).await.unwrap().unwrap();
    assert_eq!(got, *record);
}

async fn a_lease_is_held_until_it_is_over(bench: Bench) {
    let new = New {
        lease: Some((Owner::random(), SHORT)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    let second = Owner::random();
    let leased = store.lease(at, second, LONG, 2).await.unwrap();
    assert_eq!(leased, Leased::Held);
    short_is_over().await;
    let Leased::Taken(record) = store.lease(at, second, LONG, 2).await.unwrap() else {
        panic!("the lease was over");
    };
    assert_eq!(record.attempts, 2);
    assert_eq!(record.lease.unwrap().owner, second);
}

async fn a_lease_is_renewed_by_its_owner_only(bench: Bench) {
    let owner = Owner::random();
    let new = New {
        lease: Some((owner, SHORT)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    assert!(!store.renew(at, Owner::random(), LONG).await.unwrap());
    assert!(store.renew(at, owner, LONG).await.unwrap());
    short_is_over().await;
    let leased = store.lease(at, Owner::random(), LONG, 9).await.unwrap();
    assert_eq!(leased, Leased::Held);
    let missing = Capability::random().address(Kind::Job);
    assert!(!store.renew(&missing, owner, LONG).await.unwrap());
}

async fn a_lease_that_nobody_took_over_can_be_renewed_and_used(bench: Bench) {
    let owner = Owner::random();
    let new = New {
        lease: Some((owner, SHORT)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    short_is_over().await;
    assert!(store.renew(at, owner, SHORT).await.unwrap());
    short_is_over().await;
    let finished = store.finish(at, owner, State::Succeeded, b"r", LONG).await;
    assert!(finished.unwrap());
}

async fn a_lease_given_up_is_free_at_once(bench: Bench) {
    let owner = Owner::random();
    let new = New {
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    assert!(!store.release(at, Owner::random()).await.unwrap());
    assert!(store.release(at, owner).await.unwrap());
    assert!(!store.release(at, owner).await.unwrap());
    assert!(!store.renew(at, owner, LONG).await.unwrap());
    let finished = store.finish(at, owner, State::Succeeded, b"r", LONG).await;
    assert!(!finished.unwrap());
    assert_eq!(store.get(at).await.unwrap().unwrap().lease, None);
    let leased = store.lease(at, Owner::random(), LONG, 2).await.unwrap();
    assert!(matches!(leased, Leased::Taken(record) if record.attempts == 2));
}

async fn attempts_run_out(bench: Bench) {
    let new = job(&Capability::random());
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    for attempt in 1..=2 {
        let owner = Owner::random();
        let leased = store.lease(at, owner, LONG, 2).await.unwrap();
        assert!(matches!(leased, Leased::Taken(record) if record.attempts == attempt));
        assert!(store.release(at, owner).await.unwrap());
    }
    let last = Owner::random();
    let leased = store.lease(at, last, LONG, 2).await.unwrap();
    assert!(matches!(leased, Leased::Exhausted(record) if record.attempts == 2));
    // It is the one to end it.
    let leased = store.lease(at, Owner::random(), LONG, 2).await.unwrap();
    assert_eq!(leased, Leased::Held);
    let finished = store.finish(at, last, State::Failed, b"why", LONG).await;
    assert!(finished.unwrap());
}

async fn one_of_many_finds_the_attempts_used_up(bench: Bench) {
    let new = New {
        lease: Some((Owner::random(), Duration::ZERO)),
        ..job(&Capability::random())
    };
    bench.store.put(&new).await.unwrap();
    let asked = at_once(&bench, |store| async move {
        let owner = Owner::random();
        store.lease(&new.address, owner, LONG, 1).await.unwrap()
    })
    .await;
    let found = asked
        .iter()
        .filter(|leased| matches!(leased, Leased::Exhausted(_)));
    assert_eq!(found.count(), 1);
    let held = asked.iter().filter(|leased| **leased == Leased::Held);
    assert_eq!(held.count(), 49);
}

async fn what_finished_is_not_run_again(bench: Bench) {
    let store = &bench.store;
    for state in [State::Succeeded, State::Failed] {
        let owner = Owner::random();
        let new = New {
            lease: Some((owner, Duration::ZERO)),
            ..job(&Capability::random())
        };
        let at = &new.address;
        store.put(&new).await.unwrap();
        assert!(store.finish(at, owner, state, b"end", LONG).await.unwrap());
        let Leased::Finished(record) = store.lease(at, Owner::random(), LONG, 9).await.unwrap()
        else {
            panic!("it was leased again");
        };
        assert_eq!((record.state, record.lease), (state, None));
        assert_eq!(record.result.as_deref(), Some(&b"end"[..]));
        assert!(record.finished_at.unwrap() >= record.created_at);
        assert!(!store.renew(at, owner, LONG).await.unwrap());
    }
    let stored = New {
        state: State::Stored,
        ..job(&Capability::random())
    };
    store.put(&stored).await.unwrap();
    let leased = store
        .lease(&stored.address, Owner::random(), LONG, 9)
        .await
        .unwrap();
    assert!(matches!(leased, Leased::Finished(record) if record.attempts == 0));
}

async fn only_the_owner_finishes(bench: Bench) {
    let new = job(&Capability::random());
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    let stranger = Owner::random();
    let finished = store.finish(at, stranger, State::Succeeded, b"r", LONG);
    assert!(!finished.await.unwrap());
    let owner = Owner::random();
    store.lease(at, owner, LONG, 2).await.unwrap();
    let finished = store.finish(at, stranger, State::Succeeded, b"r", LONG);
    assert!(!finished.await.unwrap());
    assert_eq!(store.get(at).await.unwrap().unwrap().result, None);
}

async fn a_former_owner_is_refused(bench: Bench) {
    let former = Owner::random();
    let new = New {
        lease: Some((former, Duration::ZERO)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    let owner = Owner::random();
    store.lease(at, owner, LONG, 2).await.unwrap();
    let late = store.finish(at, former, State::Succeeded, b"late", LONG);
    assert!(!late.await.unwrap());
    assert!(!store.renew(at, former, LONG).await.unwrap());
    assert!(!store.release(at, former).await.unwrap());
    let finished = store.finish(at, owner, State::Succeeded, b"own", LONG);
    assert!(finished.await.unwrap());
    let late = store.finish(at, former, State::Succeeded, b"late", LONG);
    assert!(!late.await.unwrap());
    let got = store.get(at).await.unwrap().unwrap();
    assert_eq!(got.result.as_deref(), Some(&b"own"[..]));
}

async fn finishing_can_be_repeated(bench: Bench) {
    let owner = Owner::random();
    let new = New {
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    for _ in 0..2 {
        let finished = store.finish(at, owner, State::Succeeded, b"r", LONG);
        assert!(finished.await.unwrap());
    }
    let other_end = store.finish(at, owner, State::Failed, b"no", LONG);
    assert!(!other_end.await.unwrap());
    let got = store.get(at).await.unwrap().unwrap();
    assert_eq!(got.result.as_deref(), Some(&b"r"[..]));
    assert_eq!(got.state, State::Succeeded);
}

async fn only_success_and_failure_are_ends(bench: Bench) {
    let owner = Owner::random();
    let new = New {
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    bench.store.put(&new).await.unwrap();
    for state in [State::Running, State::Cancelled, State::Stored] {
        let ended = bench.store.finish(&new.address, owner, state, b"", LONG);
        assert_eq!(ended.await.unwrap_err().kind(), error::Kind::Internal);
    }
}

async fn finishing_sets_a_new_expiry(bench: Bench) {
    let owner = Owner::random();
    let group = Capability::random().address(Kind::Job).locator;
    let new = New {
        keep: SHORT,
        group: Some(group),
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    let finished = store.finish(at, owner, State::Succeeded, b"r", LONG);
    assert!(finished.await.unwrap());
    short_is_over().await;
    let got = store.get(at).await.unwrap().unwrap();
    assert_eq!(got.expires_at - got.finished_at.unwrap(), 60_000);
    assert_eq!(store.list(Kind::Job, &group).await.unwrap().len(), 1);
    assert_eq!(store.sweep().await.unwrap(), 0);
}

async fn cancelling_ends_what_runs_only(bench: Bench) {
    let owner = Owner::random();
    let new = New {
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    assert_eq!(store.cancel(at).await.unwrap(), None);
    store.put(&new).await.unwrap();
    assert_eq!(store.cancel(at).await.unwrap(), Some(State::Running));
    assert_eq!(store.cancel(at).await.unwrap(), Some(State::Cancelled));
    assert!(!store.renew(at, owner, LONG).await.unwrap());
    let finished = store.finish(at, owner, State::Succeeded, b"r", LONG);
    assert!(!finished.await.unwrap());
    let Leased::Finished(record) = store.lease(at, owner, LONG, 9).await.unwrap() else {
        panic!("a cancelled record was leased");
    };
    assert_eq!(record.state, State::Cancelled);
    assert!(record.finished_at.is_some());
    assert_eq!((record.lease, record.result), (None, None));

    let new = New {
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    let at = &new.address;
    store.put(&new).await.unwrap();
    let finished = store.finish(at, owner, State::Failed, b"r", LONG);
    assert!(finished.await.unwrap());
    assert_eq!(store.cancel(at).await.unwrap(), Some(State::Failed));
    let got = store.get(at).await.unwrap().unwrap();
    assert_eq!(got.state, State::Failed);
}
