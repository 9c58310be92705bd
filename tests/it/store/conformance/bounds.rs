//! Lists, usage and bounds.

use std::time::Duration;

use openrouter_connector::{
    error,
    store::{Capability, Kind, LIST, New, Owner, Part, State, Store, Usage},
};

use super::{
    super::bench::{Bench, job, take},
    LONG, SHORT, short_is_over,
};

on_every_engine! {
    a_group_is_listed_by_expiry,
    a_long_list_is_cut,
    usage_is_counted,
    sweeping_deletes_what_expired,
    bounds_hold,
    expired_records_make_room,
    a_large_record_comes_back_whole,
}

async fn a_group_is_listed_by_expiry(bench: Bench) {
    let store = &bench.store;
    let group = Capability::random().address(Kind::Hook).locator;
    let other = Capability::random().address(Kind::Hook).locator;
    let mut expected = Vec::new();
    for (minutes, kind, group) in [
        (1, Kind::Hook, group),
        (3, Kind::Hook, group),
        (2, Kind::Hook, group),
        (4, Kind::Job, group),
        (5, Kind::Hook, other),
    ] {
        let id = Capability::random();
        let new = New {
            address: id.address(kind),
            group: Some(group),
            state: State::Stored,
            keep: Duration::from_mins(minutes),
            ..job(&id)
        };
        store.put(&new).await.unwrap();
        expected.push(new.address);
    }
    let listed = store.list(Kind::Hook, &group).await.unwrap();
    let found: Vec<_> = listed.iter().map(|summary| summary.address).collect();
    assert_eq!(found, [expected[1], expected[2], expected[0]]);
    for summary in listed {
        let got = store.get(&summary.address).await.unwrap().unwrap();
        assert_eq!(summary.state, State::Stored);
        assert_eq!(summary.created_at, got.created_at);
        assert_eq!(summary.finished_at, got.finished_at);
        assert_eq!(summary.expires_at, got.expires_at);
        assert_eq!(got.group, Some(group));
    }
    assert_eq!(store.list(Kind::File, &group).await.unwrap(), []);
    take(store, &expected[1]).await.unwrap();
    assert_eq!(store.list(Kind::Hook, &group).await.unwrap().len(), 2);
}

async fn a_long_list_is_cut(bench: Bench) {
    let group = Capability::random().address(Kind::Job).locator;
    for _ in 0..LIST + 5 {
        let new = New {
            group: Some(group),
            ..job(&Capability::random())
        };
        bench.store.put(&new).await.unwrap();
    }
    let listed = bench.store.list(Kind::Job, &group).await.unwrap();
    assert_eq!(listed.len(), LIST as usize);
}

async fn usage_is_counted(bench: Bench) {
    let store = &bench.store;
    assert_eq!(store.usage().await.unwrap(), Usage::default());
    let owner = Owner::random();
    let with_request = |length: usize| New {
        request: vec![0; length],
        lease: Some((owner, LONG)),
        ..job(&Capability::random())
    };
    let (first, second) = (with_request(1000), with_request(50));
    store.put(&first).await.unwrap();
    store.put(&second).await.unwrap();
    let usage = |records, bytes| Usage { records, bytes };
    assert_eq!(store.usage().await.unwrap(), usage(2, 1050));
    let finished = store.finish(&first.address, owner, State::Succeeded, &[0; 300], LONG);
    assert!(finished.await.unwrap());
    assert_eq!(store.usage().await.unwrap(), usage(2, 1350));
    take(store, &first.address).await.unwrap();
    assert_eq!(store.usage().await.unwrap(), usage(1, 50));
    store.delete(&second.address).await.unwrap();
    assert_eq!(store.usage().await.unwrap(), usage(0, 0));
}

async fn sweeping_deletes_what_expired(bench: Bench) {
    let store = &bench.store;
    for _ in 0..250 {
        let new = New {
            keep: SHORT,
            ..job(&Capability::random())
        };
        store.put(&new).await.unwrap();
    }
    let kept = job(&Capability::random());
    store.put(&kept).await.unwrap();
    short_is_over().await;
    // Some may have been swept already, when the place was needed.
    store.sweep().await.unwrap();
    assert_eq!(store.sweep().await.unwrap(), 0);
    let left = store.usage().await.unwrap();
    assert_eq!(left.records, 1);
    assert_eq!(left.bytes, kept.request.len() as u64);
    assert!(store.get(&kept.address).await.unwrap().is_some());
}

async fn bounds_hold(bench: Bench) {
    let mut settings = bench.settings.clone();
    settings.max_records = 3.try_into().unwrap();
    settings.max_mb = 2.try_into().unwrap();
    settings.max_record_mb = 1.try_into().unwrap();
    let store = Store::open(&settings).await.unwrap();
    let mb = 1024 * 1024;
    let with_request = |length: usize| New {
        request: vec![0; length],
        lease: Some((Owner::random(), LONG)),
        ..job(&Capability::random())
    };

    let too_large = store.put(&with_request(mb + 1)).await.unwrap_err();
    assert_eq!(too_large.kind(), error::Kind::PayloadTooLarge);
    let first = with_request(mb);
    assert!(store.put(&first).await.unwrap());
    assert!(store.put(&with_request(mb)).await.unwrap());
    let full = store.put(&with_request(1)).await.unwrap_err();
    assert_eq!(full.kind(), error::Kind::Unavailable);
    assert_eq!(full.wait(), Some(Duration::from_secs(30)));
    // A place that is taken is told as such, full or not.
    assert!(!store.put(&first).await.unwrap());

    // What runs is safe: its answer is kept even now.
    let (owner, _) = first.lease.unwrap();
    let at = &first.address;
    let (fits, larger) = (vec![0; mb], vec![0; mb + 1]);
    let finished = store.finish(at, owner, State::Succeeded, &fits, LONG);
    assert!(finished.await.unwrap());
    let finished = store.finish(at, owner, State::Succeeded, &larger, LONG);
    let too_large = finished.await.unwrap_err();
    assert_eq!(too_large.kind(), error::Kind::PayloadTooLarge);

    store.delete(at).await.unwrap();
    for _ in 0..2 {
        assert!(store.put(&with_request(10)).await.unwrap());
    }
    let full = store.put(&with_request(10)).await.unwrap_err();
    assert_eq!(full.kind(), error::Kind::Unavailable);
}

async fn expired_records_make_room(bench: Bench) {
    let mut settings = bench.settings.clone();
    settings.max_records = 1.try_into().unwrap();
    let store = Store::open(&settings).await.unwrap();
    let short = New {
        keep: SHORT,
        ..job(&Capability::random())
    };
    store.put(&short).await.unwrap();
    assert!(store.put(&job(&Capability::random())).await.is_err());
    short_is_over().await;
    assert!(store.put(&job(&Capability::random())).await.unwrap());
    assert_eq!(store.usage().await.unwrap().records, 1);
}

async fn a_large_record_comes_back_whole(bench: Bench) {
    let id = Capability::random();
    let owner = Owner::random();
    let address = id.address(Kind::Job);
    let text: Vec<u8> = (0..=255).cycle().take(600_000).collect();
    let new = New {
        request: id.seal(&address, Part::Request, &text),
        lease: Some((owner, LONG)),
        ..job(&id)
    };
    bench.store.put(&new).await.unwrap();
    let result = id.seal(&address, Part::Result, &text);
    let finished = bench
        .store
        .finish(&address, owner, State::Succeeded, &result, LONG);
    assert!(finished.await.unwrap());
    let got = take(&bench.store, &address).await.unwrap();
    let opened = id.open(&address, Part::Request, &got.request).unwrap();
    assert!(opened == text);
    let result = got.result.unwrap();
    assert!(id.open(&address, Part::Result, &result).unwrap() == text);
}
