use super::*;

fn response(change: impl FnOnce(&mut PollResponse)) -> PollResponse {
    let mut response = PollResponse::default();
    change(&mut response);
    response
}

#[test]
fn only_an_empty_answer_that_came_at_once_is_followed_by_a_pause() {
    let backlog = Backlog::default();
    let soon = Duration::from_millis(999);
    let empty = PollResponse::default();
    assert_eq!(rest(&empty, &backlog, soon), PAUSE);
    assert_eq!(rest(&empty, &backlog, PAUSE), Duration::ZERO);
    let more = response(|it| it.more = true);
    assert_eq!(rest(&more, &backlog, soon), Duration::ZERO);
    let full = response(|it| it.sets.push(("jti".to_owned(), "set".to_owned())));
    assert_eq!(rest(&full, &backlog, soon), Duration::ZERO);
}

#[test]
fn an_event_that_could_not_be_written_is_fetched_again_after_a_pause() {
    let failed = Backlog {
        failures: 1,
        ..Backlog::default()
    };
    let full = response(|it| it.sets.push(("jti".to_owned(), "set".to_owned())));
    let pause = rest(&full, &failed, Duration::from_secs(20));
    assert!(pause > PAUSE, "{pause:?}");
}
