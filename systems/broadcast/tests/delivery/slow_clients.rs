//! Clients that take less than they are sent, and what nobody takes any more.

use super::*;

#[tokio::test]
async fn a_lagging_client_holds_one_frame_and_then_gets_the_newest() {
    let (server, bridge) = serve(|config| config.integration.target_fps = 240.0);
    let _stalled = stalled(&server, "state").await;
    let mut healthy = subscribed(&server, &["state"], json!({"max_fps": 240})).await;
    let mut number = 0;
    let began = Instant::now();
    while connection(&server, 0)["lag"].as_f64() < Some(0.9) {
        assert!(began.elapsed() < PATIENCE, "{:#}", connection(&server, 0));
        for _ in 0..20 {
            number += 1;
            bridge.publish(snapshot(number, 0.001 * number as f64), None);
            while healthy.next_of("state").await["data"]["frame_number"] != number {}
        }
    }
    let listed = connection(&server, 0);
    assert!(listed["unsent_bytes"].as_u64().unwrap() < 2500, "{listed}");
    assert_eq!(listed["queued"], 0, "only the newest counts: {listed}");
    assert!(listed["skipped"].as_u64().unwrap() > 10 && listed["quality_score"].as_f64() < Some(0.2));
    assert_eq!(connection(&server, 1)["skipped"], 0);
    assert_eq!(metrics(&server)["connections"]["lagging"], 1);
    assert_eq!(metrics(&server)["broadcaster"]["failed_sends"], 0);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_closed_after_the_time_out() {
    let (server, bridge) = serve(|config| config.handler.connection_timeout = Duration::from_secs(2));
    let _stalled = stalled(&server, "state").await;
    // States of a hundred balls fill its buffers sooner.
    let mut number = 0;
    let began = Instant::now();
    while metrics(&server)["connections"]["timed_out"] != 1 {
        assert!(began.elapsed() < PATIENCE, "{:#}", metrics(&server));
        let mut crowded = Snapshot::clone(&snapshot(number, 0.01 * number as f64));
        crowded.balls.resize(100, crowded.balls[1]);
        bridge.publish(Arc::new(crowded), None);
        number += 1;
        sleep(SOON).await;
    }
    wait_for(&server, |metrics| metrics["connections"]["active"] == 0).await;
}

/// Alerts until one is lost.
async fn lose_an_alert(server: &Server, bridge: &BridgeHandle) {
    let text = "x".repeat(10_000);
    let began = Instant::now();
    while metrics(server)["broadcaster"]["failed_sends"] == 0 {
        assert!(began.elapsed() < PATIENCE, "{:#}", metrics(server));
        bridge.alert(alert(true, &text));
        sleep(SOON).await;
    }
}

/// A server whose one client takes nothing, and that has just begun to pause after a loss.
async fn where_nothing_gets_through(pause: Duration) -> (Server, BridgeHandle, tokio::net::TcpStream) {
    let (server, bridge) = serve(|config| {
        config.integration.circuit_breaker_threshold = 1;
        config.integration.circuit_breaker_timeout = pause;
    });
    let stalled = stalled(&server, "alert").await;
    wait_for(&server, |metrics| metrics["connections"]["active"] == 1).await;
    lose_an_alert(&server, &bridge).await;
    (server, bridge, stalled)
}

#[tokio::test]
async fn what_counts_is_retried_and_who_loses_it_is_closed() {
    let (server, bridge) = serve(|_| {});
    let _stalled = stalled(&server, "alert").await;
    let mut healthy = Client::connect(&server, "/ws?subscribe=alert").await;
    let reading = tokio::spawn(async move {
        let mut last = 0;
        loop {
            let sequence = healthy.next_of("alert").await["data"]["sequence"]
                .as_u64()
                .unwrap();
            assert_eq!(sequence, last + 1, "none is lost");
            last = sequence;
        }
    });
    let began = Instant::now();
    lose_an_alert(&server, &bridge).await;
    assert!(
        began.elapsed() >= Duration::from_millis(700),
        "0.1 s, 0.2 s and 0.4 s were waited"
    );
    let found = wait_for(&server, |metrics| metrics["connections"]["active"] == 1).await;
    assert!(
        found["broadcaster"]["retries"].as_u64().unwrap() >= 3,
        "{found:#}"
    );
    assert_eq!(
        found["broadcaster"]["circuit_breaker"]["state"], "closed",
        "another takes them"
    );
    assert!(!reading.is_finished());
    reading.abort();
}

#[tokio::test]
async fn where_nothing_gets_through_delivery_pauses_and_one_trial_ends_it() {
    let pause = Duration::from_millis(1500);
    let (server, bridge, _stalled) = where_nothing_gets_through(pause).await;
    let opened = Instant::now();
    let breaker = metrics(&server)["broadcaster"]["circuit_breaker"].clone();
    assert_eq!(
        (&breaker["state"], &breaker["opened"]),
        (&json!("open"), &json!(1))
    );
    let mut newcomer = Client::connect(&server, "/ws?subscribe=alert,state").await;
    let open_alerts = [newcomer.next_of("alert").await, newcomer.next_of("alert").await];
    assert!(
        open_alerts
            .iter()
            .any(|alert| alert["data"]["code"] == "BROADCAST_FAILING")
    );
    bridge.publish(snapshot(0, 0.5), None);
    newcomer.next_of("state").await;
    assert!(
        opened.elapsed() + Duration::from_millis(500) > pause,
        "too soon: {:?}",
        opened.elapsed()
    );
    let ends = newcomer.next_of("alert").await;
    assert_eq!(
        (&ends["data"]["code"], &ends["data"]["details"]["condition"]),
        (&json!("BROADCAST_FAILING"), &json!("ends"))
    );
    assert_eq!(
        metrics(&server)["broadcaster"]["circuit_breaker"]["state"],
        "closed"
    );
}

#[tokio::test]
async fn what_counts_and_went_out_in_part_is_finished_as_soon_as_there_is_room() {
    let (server, bridge) = serve(|_| {});
    let mut slow = stalled(&server, "alert").await;
    wait_for(&server, |metrics| metrics["connections"]["active"] == 1).await;
    const LENGTH: usize = 8_000_000;
    bridge.alert(alert(true, &"x".repeat(LENGTH)));
    let began = Instant::now();
    while connection(&server, 0)["unsent_bytes"].as_u64().unwrap_or(0) == 0 {
        assert!(began.elapsed() < PATIENCE, "{:#}", connection(&server, 0));
        sleep(SOON).await;
    }
    let mut read = vec![0; LENGTH];
    // Far less than the time after which it would be pinged.
    let reading = timeout(Duration::from_secs(10), slow.read_exact(&mut read));
    reading.await.expect("nothing else has to come first").unwrap();
}

#[tokio::test]
async fn what_nobody_subscribed_to_is_no_trial() {
    // As often as `performance` comes, for which nobody asked.
    let pause = Duration::from_millis(490);
    let (server, bridge, _stalled) = where_nothing_gets_through(pause).await;
    let breaker = || metrics(&server)["broadcaster"]["circuit_breaker"]["state"].clone();
    assert_eq!(breaker(), "open");
    let mut newcomer = subscribed(&server, &["state"], json!({})).await;
    sleep(4 * pause).await;
    bridge.publish(snapshot(0, 0.5), None);
    let state = timeout(Duration::from_millis(300), newcomer.next_of("state"));
    state.await.expect("the trial is still to be had");
    assert_eq!(breaker(), "closed");
}

#[tokio::test]
async fn a_client_that_lags_gets_less_where_it_leaves_that_to_us_and_all_again_when_it_keeps_up() {
    let (server, bridge) = serve(|config| config.integration.target_fps = 240.0);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server.local_addr()).await.unwrap();
    let mut client = Client::connect_over(stream, &server, "/ws").await.unwrap();
    let filters = json!({"quality_level": "auto", "max_fps": 240});
    client
        .send(json!({"type": "subscribe", "data": {"streams": ["state"], "filters": filters}}))
        .await;
    client.next_of("subscribed").await;
    let mut number = 0;
    let mut publish = || {
        let mut crowded = Snapshot::clone(&snapshot(number, 0.001 * (number % 500) as f64));
        let ball = crowded.balls[1];
        let more = (2..60).map(|track| BallSnapshot {
            track_id: TrackId(track),
            ..ball
        });
        crowded.balls.extend(more);
        bridge.publish(Arc::new(crowded), None);
        number += 1;
    };
    // It takes nothing for some time: lag is looked at once a second.
    let began = Instant::now();
    let mut lags_since = None;
    while lags_since.is_none_or(|since: Instant| since.elapsed() < Duration::from_millis(1500)) {
        assert!(began.elapsed() < PATIENCE);
        publish();
        sleep(SOON).await;
        if connection(&server, 0)["lag"].as_f64().unwrap() > 0.5 {
            lags_since.get_or_insert_with(Instant::now);
        }
    }
    for is_whole in [false, true] {
        loop {
            assert!(began.elapsed() < 2 * PATIENCE, "whole: {is_whole}");
            let Ok(message) = timeout(SOON, client.next()).await else {
                // It has taken all there was.
                publish();
                continue;
            };
            if message["type"] == "state" && message["data"]["balls"][0].get("velocity").is_some() == is_whole
            {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_visitor_who_asks_for_ever_new_views_leaves_room_for_others() {
    let (server, _bridge) = serve(|config| config.handler.max_message_rate = 10_000);
    let view = |number: u32| {
        let filters = json!({"min_confidence": f64::from(number) / 1000.0});
        json!({"type": "subscribe", "data": {"streams": ["state"], "filters": filters}})
    };
    let mut visitor = Client::connect(&server, "/ws").await;
    // More than there can be at a time.
    for number in 0..600 {
        visitor.send(view(number)).await;
        visitor.next_of("subscribed").await;
    }
    let mut other = Client::connect(&server, "/ws").await;
    other.send(view(999)).await;
    let answer = other.next_of("subscribed").await;
    assert_eq!(answer["data"]["streams"], json!(["state"]));
}

#[tokio::test]
async fn what_nobody_uses_any_more_is_let_go() {
    let (server, _bridge) = serve(|config| {
        config.broadcaster.cleanup.interval = Duration::from_millis(500);
        config.broadcaster.fps.limiter_cleanup_age = Duration::from_secs(1);
    });
    let mut client = subscribed(&server, &["state"], json!({"quality_level": "low"})).await;
    assert_eq!(metrics(&server)["broadcaster"]["views"], 1);
    client
        .send(json!({"type": "unsubscribe", "data": {"streams": ["state"]}}))
        .await;
    client.next_of("unsubscribed").await;
    let found = wait_for(&server, |metrics| metrics["broadcaster"]["views"] == 0).await;
    assert!(found["broadcaster"]["cleaned_up"].as_u64().unwrap() >= 1);
}
