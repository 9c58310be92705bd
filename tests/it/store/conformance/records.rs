//! Records: put, got, taken, gone.

use std::time::Duration;

use openrouter_connector::store::{Capability, Kind, Leased, New, Owner, Part, State, Usage};

use super::{
    super::bench::{Bench, at_once, job, take},
    LONG, SHORT, short_is_over,
};

on_every_engine! {
    what_is_put_is_got,
    a_place_that_is_taken_stays_as_it_is,
    of_many_putters_one_stores,
    of_many_takers_one_takes,
    kinds_do_not_meet,
    what_expired_is_gone_for_everyone,
    a_place_is_free_again_after_expiry,
    deleting_ends_everything,
    only_what_was_read_is_deleted,
    the_state_is_told_alone,
    a_caller_that_goes_away_leaves_nothing_half_done,
    it_is_ready,
}

/// Whoever read a record before another took its place deletes nothing of the other's.
async fn only_what_was_read_is_deleted(bench: Bench) {
    let id = Capability::random();
    let (old, new) = (job(&id), job(&id));
    assert_ne!(old.request, new.request);
    assert!(bench.store.put(&old).await.unwrap());
    assert!(
        !bench
            .store
            .delete_if(&old.address, &new.request)
            .await
            .unwrap()
    );
    assert!(!bench.store.delete_if(&old.address, b"").await.unwrap());
    let deleted = at_once(&bench, |store| {
        let old = old.clone();
        async move { store.delete_if(&old.address, &old.request).await.unwrap() }
    });
    assert_eq!(deleted.await.into_iter().filter(|mine| *mine).count(), 1);
    assert_eq!(bench.store.usage().await.unwrap(), Usage::default());
    assert!(bench.store.put(&new).await.unwrap());
    assert!(
        !bench
            .store
            .delete_if(&old.address, &old.request)
            .await
            .unwrap()
    );
    assert!(bench.store.get(&new.address).await.unwrap().is_some());
}

async fn the_state_is_told_alone(bench: Bench) {
    let id = Capability::random();
    let address = id.address(Kind::Job);
    assert_eq!(bench.store.state(&address).await.unwrap(), None);
    let short = New {
        keep: SHORT,
        ..job(&id)
    };
    assert!(bench.store.put(&short).await.unwrap());
    let running = bench.replica().await.state(&address).await.unwrap();
    assert_eq!(running, Some(State::Running));
    bench.store.cancel(&address).await.unwrap();
    let cancelled = bench.store.state(&address).await.unwrap();
    assert_eq!(cancelled, Some(State::Cancelled));
    short_is_over().await;
    assert_eq!(bench.store.state(&address).await.unwrap(), None);
}

async fn what_is_put_is_got(bench: Bench) {
    let id = Capability::random();
    let owner = Owner::random();
    let group = Capability::from_secret("connection", "sk-or-v1-a")
        .address(Kind::Job)
        .locator;
    let new = New {
        group: Some(group),
        result: Some(b"a result".to_vec()),
        lease: Some((owner, LONG)),
        ..job(&id)
    };
    assert!(bench.store.put(&new).await.unwrap());
    for store in [&bench.store, &bench.replica().await] {
        let got = store.get(&new.address).await.unwrap().unwrap();
        assert_eq!(got.address, new.address);
        assert_eq!(got.group, Some(group));
        assert_eq!(got.state, State::Running);
        assert_eq!(got.request, new.request);
        assert_eq!(got.result, new.result);
        assert_eq!(got.attempts, 1);
        assert_eq!(got.finished_at, None);
        assert_eq!(got.expires_at - got.created_at, 60_000);
        let lease = got.lease.unwrap();
        assert_eq!(lease.owner, owner);
        assert_eq!(lease.until - got.created_at, 60_000);
        let plain = id.open(&got.address, Part::Request, &got.request).unwrap();
        assert_eq!(plain, b"a request");
    }

    let bare = New {
        state: State::Stored,
        ..job(&Capability::random())
    };
    assert!(bench.store.put(&bare).await.unwrap());
    let got = bench.store.get(&bare.address).await.unwrap().unwrap();
    assert_eq!((got.group, got.result, got.lease), (None, None, None));
    assert_eq!((got.state, got.attempts), (State::Stored, 0));
}

async fn a_place_that_is_taken_stays_as_it_is(bench: Bench) {
    let id = Capability::random();
    let first = job(&id);
    let second = job(&id);
    assert!(bench.store.put(&first).await.unwrap());
    assert!(!bench.store.put(&second).await.unwrap());
    let got = bench.store.get(&first.address).await.unwrap().unwrap();
    assert_eq!(got.request, first.request);
    assert_eq!(bench.store.usage().await.unwrap().records, 1);
}

async fn of_many_putters_one_stores(bench: Bench) {
    let new = job(&Capability::random());
    let stored = at_once(&bench, |store| {
        let new = new.clone();
        async move { store.put(&new).await.unwrap() }
    })
    .await;
    assert_eq!(stored.iter().filter(|stored| **stored).count(), 1);
}

async fn of_many_takers_one_takes(bench: Bench) {
    let new = job(&Capability::random());
    bench.store.put(&new).await.unwrap();
    let taken = at_once(
        &bench,
        |store| async move { take(&store, &new.address).await },
    )
    .await;
    let taken: Vec<_> = taken.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].request, new.request);
    assert!(bench.store.get(&new.address).await.unwrap().is_none());
    assert_eq!(bench.store.usage().await.unwrap(), Usage::default());
}

async fn kinds_do_not_meet(bench: Bench) {
    let id = Capability::random();
    for kind in Kind::ALL {
        let address = id.address(*kind);
        let request = id.seal(&address, Part::Request, format!("{kind:?}").as_bytes());
        let new = New {
            address,
            request,
            ..job(&id)
        };
        assert!(bench.store.put(&new).await.unwrap());
    }
    for kind in Kind::ALL {
        let address = id.address(*kind);
        let got = take(&bench.store, &address).await.unwrap();
        let plain = id.open(&address, Part::Request, &got.request).unwrap();
        assert_eq!(plain, format!("{kind:?}").as_bytes());
    }
}

async fn what_expired_is_gone_for_everyone(bench: Bench) {
    let group = Capability::random().address(Kind::Job).locator;
    let owner = Owner::random();
    let new = New {
        group: Some(group),
        keep: SHORT,
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    assert!(store.get(at).await.unwrap().is_some());
    short_is_over().await;
    assert_eq!(store.get(at).await.unwrap(), None);
    assert!(!store.delete_if(at, &new.request).await.unwrap());
    let leased = store.lease(at, Owner::random(), LONG, 9).await.unwrap();
    assert_eq!(leased, Leased::Missing);
    assert!(!store.renew(at, owner, LONG).await.unwrap());
    assert!(!store.release(at, owner).await.unwrap());
    let finished = store.finish(at, owner, State::Succeeded, b"r", LONG).await;
    assert!(!finished.unwrap());
    assert_eq!(store.cancel(at).await.unwrap(), None);
    assert!(!store.delete(at).await.unwrap());
    assert_eq!(store.list(Kind::Job, &group).await.unwrap(), []);
}

async fn a_place_is_free_again_after_expiry(bench: Bench) {
    let id = Capability::random();
    let first = New {
        keep: SHORT,
        ..job(&id)
    };
    bench.store.put(&first).await.unwrap();
    short_is_over().await;
    let second = job(&id);
    assert!(bench.store.put(&second).await.unwrap());
    let got = bench.store.get(&second.address).await.unwrap().unwrap();
    assert_eq!(got.request, second.request);
    let usage = bench.store.usage().await.unwrap();
    assert_eq!(usage.records, 1);
    assert_eq!(usage.bytes, second.request.len() as u64);
}

async fn deleting_ends_everything(bench: Bench) {
    let owner = Owner::random();
    let group = Capability::random().address(Kind::Job).locator;
    let new = New {
        group: Some(group),
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    let (store, at) = (&bench.store, &new.address);
    store.put(&new).await.unwrap();
    assert!(store.delete(at).await.unwrap());
    assert!(!store.delete(at).await.unwrap());
    assert_eq!(store.get(at).await.unwrap(), None);
    assert!(!store.renew(at, owner, LONG).await.unwrap());
    let finished = store.finish(at, owner, State::Succeeded, b"r", LONG);
    assert!(!finished.await.unwrap());
    assert_eq!(store.list(Kind::Job, &group).await.unwrap(), []);
    assert_eq!(store.usage().await.unwrap(), Usage::default());
}

async fn a_caller_that_goes_away_leaves_nothing_half_done(bench: Bench) {
    let mut addresses = Vec::new();
    for wait in 0..60 {
        let new = job(&Capability::random());
        addresses.push(new.address);
        let store = bench.store.clone();
        let task = tokio::spawn(async move { store.put(&new).await });
        tokio::time::sleep(Duration::from_micros(wait * 50)).await;
        task.abort();
    }
    // What was under way comes to its end first.
    assert!(bench.store.put(&job(&Capability::random())).await.unwrap());
    for address in &addresses {
        take(&bench.store, address).await;
        let again = New {
            address: *address,
            ..job(&Capability::random())
        };
        assert!(bench.store.put(&again).await.unwrap());
    }
    let usage = bench.store.usage().await.unwrap();
    assert_eq!(usage.records, 61);
}

async fn it_is_ready(bench: Bench) {
    bench.store.ready().await.unwrap();
}
