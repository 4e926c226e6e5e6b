//! `/metrics`: what Prometheus scrapes.
//!
//! Written by hand: the numbers are counted elsewhere already, and the format (text exposition format 0.0.4) is a line for
//! each; a library would keep every number a second time.

use std::fmt::{self, Write as _};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::Shared;
use crate::WallTime;

/// Everything that is counted, as text.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let described = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (described, page(&shared)).into_response()
}

fn page(shared: &Shared) -> String {
    let now = WallTime::now();
    let mut page = Page::default();
    page.gauge("ghostball_info", "Always 1; the version is its label.");
    page.labelled("ghostball_info", "version", env!("CARGO_PKG_VERSION"), 1.0);
    let uptime = now.since(shared.started_at).as_secs_f64();
    page.one_gauge(
        "ghostball_uptime_seconds",
        "Time since the service started.",
        uptime,
    );

    let newest = shared.snapshot.borrow().clone();
    let seen = newest.as_ref().map(|newest| &*newest.snapshot);
    let frames = seen.map_or(0, |seen| seen.frame_number + 1);
    page.one_counter(
        "ghostball_frames_total",
        "Frames that went through the pipeline.",
        frames as f64,
    );
    if let Some(newest) = &newest {
        let age = now.since(newest.received_at).as_secs_f64();
        page.one_gauge(
            "ghostball_frame_age_seconds",
            "Time since the newest frame was analysed.",
            age,
        );
        let name = "ghostball_stage_seconds";
        page.gauge(name, "What the newest frame took, stage by stage.");
        for (stage, took) in [
            ("capture", newest.times.capture),
            ("decode", newest.times.decode),
            ("detect", newest.times.detect),
            ("track", newest.times.track),
            ("predict", newest.times.predict),
        ] {
            page.labelled(name, "stage", stage, took.as_secs_f64());
        }
    }
    let source = shared.facts.source_health();
    page.one_gauge(
        "ghostball_source_away",
        "1 while the source is away and tried again.",
        f64::from(u8::from(source.away)),
    );
    for (name, help, count) in [
        (
            "ghostball_source_outages_total",
            "How often the source went away.",
            source.outages,
        ),
        (
            "ghostball_source_frames_total",
            "Frames that the source gave.",
            source.frames_captured,
        ),
        (
            "ghostball_source_frames_dropped_total",
            "Frames that the pipeline was too busy for.",
            source.frames_dropped,
        ),
        (
            "ghostball_source_frames_damaged_total",
            "Frames that came damaged.",
            source.frames_damaged,
        ),
        (
            "ghostball_source_frames_missed_total",
            "Frames that a camera took and never delivered.",
            source.frames_missed,
        ),
    ] {
        page.one_counter(name, help, count as f64);
    }
    let losses = shared.facts.losses();
    for (name, help, count) in [
        (
            "ghostball_events_lost_total",
            "Frames whose events the network thread did not take.",
            losses.events(),
        ),
        (
            "ghostball_alerts_lost_total",
            "Alerts that the network thread did not take.",
            losses.alerts(),
        ),
    ] {
        page.one_counter(name, help, count as f64);
    }
    let is_found = seen.is_some_and(|seen| seen.table.is_some());
    page.one_gauge(
        "ghostball_table_found",
        "1 while the table is found.",
        f64::from(u8::from(is_found)),
    );
    let balls = seen.map_or(0, |seen| seen.balls.len());
    page.one_gauge("ghostball_balls", "Balls on the table.", balls as f64);

    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    page.one_gauge(
        "ghostball_network_tasks",
        "Tasks of the network thread: some for each connection, and a few that stay.",
        tasks as f64,
    );
    let counters = &shared.counters;
    let clients = counters.sessions.load(Ordering::Relaxed);
    page.one_gauge(
        "ghostball_websocket_clients",
        "Open WebSocket connections.",
        clients as f64,
    );
    for (name, help, counter) in [
        (
            "ghostball_websocket_messages_sent_total",
            "WebSocket messages sent.",
            &counters.messages_sent,
        ),
        (
            "ghostball_websocket_bytes_sent_total",
            "Their bytes, before framing.",
            &counters.bytes_sent,
        ),
        (
            "ghostball_websocket_failed_sends_total",
            "WebSocket messages that could not be sent.",
            &counters.failed_sends,
        ),
        (
            "ghostball_udp_sent_total",
            "Messages sent by UDP.",
            &counters.udp_sent,
        ),
        (
            "ghostball_udp_too_long_total",
            "Messages too long for a datagram.",
            &counters.udp_too_long,
        ),
        (
            "ghostball_udp_failed_total",
            "Datagrams that the system did not take.",
            &counters.udp_failed,
        ),
        (
            "ghostball_connections_failed_total",
            "Connections that could not be accepted.",
            &counters.failed_accepts,
        ),
        (
            "ghostball_video_pictures_encoded_total",
            "Pictures that were encoded for the video.",
            &counters.pictures_encoded,
        ),
    ] {
        page.one_counter(name, help, counter.load(Ordering::Relaxed) as f64);
    }
    page.process();
    page.0
}

/// The text so far.
#[derive(Default)]
struct Page(String);

impl Page {
    fn one_gauge(&mut self, name: &str, help: &str, value: f64) {
        self.gauge(name, help);
        self.line(format_args!("{name} {value}"));
    }

    fn one_counter(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "counter");
        self.line(format_args!("{name} {value}"));
    }

    fn gauge(&mut self, name: &str, help: &str) {
        self.head(name, help, "gauge");
    }

    /// `label` is one of ours: nothing in it has to be spelt otherwise.
    fn labelled(&mut self, name: &str, label: &str, which: &str, value: f64) {
        self.line(format_args!("{name}{{{label}=\"{which}\"}} {value}"));
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, content: fmt::Arguments<'_>) {
        // A String takes whatever is written to it.
        writeln!(self.0, "{content}").ok();
    }

    /// Memory, processor and files of this program, under the names that all programs have for them; left out where the
    /// system does not tell.
    fn process(&mut self) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        if let Some(kib) = resident.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok()) {
            self.one_gauge("process_resident_memory_bytes", "Memory in use.", 1024.0 * kib);
        }
        // User and system time in hundredths of a second, 12th and 13th after the name of the program, which is in brackets.
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let times = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
        let ticks: Option<f64> = times.and_then(|times| times.map(|time| time.parse::<f64>().ok()).sum());
        if let Some(ticks) = ticks {
            self.one_counter("process_cpu_seconds_total", "Processor time used.", ticks / 100.0);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            self.one_gauge("process_open_fds", "Open files.", files.count() as f64);
        }
    }
}
