use super::*;
use portcullis_core::token::Issuer;

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds)
}

fn subject(name: &str, since: i64) -> Revocation {
    Revocation::subject(
        &Issuer::parse("https://idp.example").unwrap(),
        name,
        at(since),
    )
}

fn token(id: &str, expires: i64) -> Revocation {
    Revocation::token(
        &Issuer::parse("https://idp.example").unwrap(),
        id,
        at(expires),
    )
}

#[test]
fn the_later_moment_counts_in_whatever_order_they_come() {
    for moments in [[100, 200], [200, 100]] {
        let list = Denylist::new(10);
        for moment in moments {
            list.add(subject("alice", moment), at(0)).unwrap();
        }
        let mark = subject("alice", 0).mark;
        assert!(
            list.refuses(&mark, Some(at(200))).is_some()
                && list.refuses(&mark, Some(at(201))).is_none(),
            "{moments:?}"
        );
        assert_eq!(list.len(), 1);
    }
}

#[test]
fn only_a_change_that_refuses_more_has_a_number() {
    let list = Denylist::new(10);
    assert_eq!(list.change(), 0);
    list.add(subject("alice", 200), at(0)).unwrap();
    assert_eq!(list.change(), 1);
    list.add(subject("alice", 200), at(0)).unwrap();
    list.add(subject("alice", 100), at(0)).unwrap();
    assert_eq!(list.change(), 1, "the list covers both");
    list.add(subject("alice", 201), at(0)).unwrap();
    assert_eq!(list.change(), 2);
}

#[test]
fn an_entry_goes_when_its_tokens_have_ended_and_no_sooner() {
    let list = Denylist::new(10);
    let revoked = token("id", 1_000);
    list.add(revoked, at(0)).unwrap();
    list.sweep(at(1_300));
    assert!(list.covers(&revoked), "the longest leeway is not over");
    list.sweep(at(1_301));
    assert_eq!((list.covers(&revoked), list.len()), (false, 0));
}

#[test]
fn entries_that_ended_are_swept_as_others_come() {
    let list = Denylist::new(10);
    list.add(token("a", 0), at(0)).unwrap();
    list.add(token("b", 5_000), at(300 + 1)).unwrap();
    assert_eq!(list.len(), 2, "not at every addition");
    list.add(token("c", 5_000), at(SWEEP_EVERY)).unwrap();
    assert_eq!(list.len(), 2);
}

#[test]
fn a_full_list_takes_no_more_and_forgets_nothing() {
    let list = Denylist::new(2);
    list.add(token("a", 1_000), at(0)).unwrap();
    list.add(token("b", 9_000), at(0)).unwrap();
    assert_eq!(
        list.add(token("c", 9_000), at(10)),
        Err(DenylistFull { most: 2 })
    );
    assert!(list.covers(&token("a", 1_000)) && list.covers(&token("b", 9_000)));
    list.add(token("b", 9_500), at(10)).unwrap();
    assert_eq!(list.len(), 2, "what is there can be held longer");
    // The first one ends, and leaves its place at once: nobody waits for the next sweep.
    list.add(token("c", 9_000), at(1_301)).unwrap();
    assert!(list.covers(&token("c", 9_000)) && !list.covers(&token("a", 1_000)));
}

#[test]
fn what_another_list_lacks_is_found() {
    let (ours, theirs) = (Denylist::new(10), Denylist::new(10));
    for list in [&ours, &theirs] {
        list.add(subject("alice", 100), at(0)).unwrap();
        list.add(subject("bob", 100), at(0)).unwrap();
    }
    ours.add(subject("bob", 150), at(0)).unwrap();
    ours.add(token("id", 100), at(0)).unwrap();
    let mut lacking = ours.filter(|revocation| !theirs.covers(revocation));
    lacking.sort_by_key(|revocation| revocation.mark());
    assert_eq!(lacking, [subject("bob", 150), token("id", 100)]);
}

/// Many threads add and read at once: nothing is lost, nothing is counted twice.
#[test]
fn threads_do_not_lose_each_others_entries() {
    let list = Denylist::new(4_000);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let list = &list;
            scope.spawn(move || {
                for number in 0..1_000 {
                    list.add(token(&format!("{}", number + 500 * thread), 1_000), at(0))
                        .unwrap();
                }
            });
        }
    });
    assert_eq!((list.len(), list.filter(|_| true).len()), (2_500, 2_500));
}
