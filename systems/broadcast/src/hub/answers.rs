//! What the hub hears from readers, and what it answers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::client::{About, Client};
use super::rate::{RateLimit, Verdict};
use super::{Hub, Newcomer, Said, encodable};
use crate::WallTime;
use crate::session::End;
use crate::stream::Stream;
use crate::wire::{
    Command, ErrorCode, ErrorData, Frame, GreetingData, HeartbeatData, Issue, PongData, SimulateRequest,
    StatusData, simulated,
};

/// Answers to `simulate` that are worked out at a time, of all clients.
const MAX_SIMULATIONS: usize = 8;

/// A client may ask `simulate` so often a second.
const SIMULATIONS_PER_SECOND: usize = 30;

impl Hub {
    pub(super) fn hear(&mut self, said: Said) {
        let now = Instant::now();
        match said {
            Said::Join(newcomer) => self.welcome(*newcomer, now),
            Said::Message(index, message) => self.answer(index, message, now),
            Said::Control(index, frame, is_last) => {
                if is_last {
                    self.leave_lanes(index, now);
                }
                if let Some(client) = self.clients.get_mut(index)
                    && !client.wait_control(frame, is_last)
                {
                    self.tally.lost.push(index);
                }
                self.flush_now(index, now);
            }
            Said::Leave(index) => {
                self.leave_lanes(index, now);
                if self.clients.try_remove(index).is_some() {
                    self.tally.closed += 1;
                }
                // The place may be given to another.
                self.blocked.retain(|blocked| *blocked != index);
            }
            Said::Simulated(index, client_id, result) => {
                self.simulations -= 1;
                // The place may have been given to another meanwhile.
                if self
                    .clients
                    .get(index)
                    .is_some_and(|client| client.about.client_id == client_id)
                {
                    match result {
                        Ok(frame) => self.send_frame(index, frame, now),
                        Err(message) => self.complain(index, ErrorCode::MessageHandlerError, message, None),
                    }
                }
            }
            Said::AskMetrics(answer) => {
                // Who asked may have left.
                answer.send(self.metrics()).ok();
            }
            Said::AskConnections(answer) => {
                answer.send(self.connections()).ok();
            }
        }
    }

    pub(super) fn welcome(&mut self, newcomer: Newcomer, now: Instant) {
        let handler = &self.config.handler;
        let timestamp = WallTime::now();
        let about = About {
            client_id: newcomer.client_id,
            address: newcomer.address,
            space: newcomer.space,
            connected_at: timestamp,
            vitals: newcomer.vitals,
            subscriptions: Vec::new(),
            messages: RateLimit::new(handler.max_message_rate, Duration::from_secs(60)),
            simulations: RateLimit::new(SIMULATIONS_PER_SECOND, Duration::from_secs(1)),
            ping_at: now + handler.ping_interval,
            kick: Some(newcomer.kick),
            rate: 0.0,
            counted: 0,
            gets_less: false,
        };
        let greeting = GreetingData {
            client_id: &about.client_id,
            status: "connected",
            timestamp,
        };
        let greeting = Frame::new("connection", &greeting);
        let index = self.clients.insert(Client::new(newcomer.stream, about));
        self.tally.opened += 1;
        if newcomer.index.send(index).is_err() {
            // Its reader has gone already.
            self.clients.remove(index);
            return;
        }
        if let Some(greeting) = encodable(greeting) {
            self.send_frame(index, greeting, now);
        }
        if !newcomer.streams.is_empty() {
            self.subscribe(index, &newcomer.streams, &serde_json::Map::new(), false, now);
        }
    }

    pub(super) fn answer(&mut self, index: usize, message: Result<Command, ErrorData>, now: Instant) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        // A limit of its own, outside that of all messages.
        let (limit, most) = match message {
            Ok(Command::Simulate(_)) => (
                &mut client.about.simulations,
                "30 simulations a second".to_owned(),
            ),
            _ => {
                let most = self.config.handler.max_message_rate;
                (&mut client.about.messages, format!("{most} messages a minute"))
            }
        };
        match limit.judge(now) {
            Verdict::Answer => {}
            Verdict::Refuse => {
                self.tally.rate_limited += 1;
                if !client.is_clear() {
                    // It does not listen, and has been told before.
                    return;
                }
                let message = format!("expected at most {most}; this one is not answered");
                return self.complain(index, ErrorCode::RateLimit, message, None);
            }
            Verdict::Close => {
                let end = End::Close(
                    CloseCode::Policy,
                    "more than ten times as many messages as allowed",
                );
                self.close(index, end, now);
                return;
            }
        }
        match message {
            Ok(command) => self.obey(index, command, now),
            Err(error) => self.send(index, "error", &error),
        }
    }

    pub(super) fn obey(&mut self, index: usize, command: Command, now: Instant) {
        let Some(client) = self.clients.get(index) else {
            return;
        };
        let timestamp = WallTime::now();
        match command {
            Command::Pong => {}
            Command::Ping => {
                let pong = PongData {
                    timestamp,
                    quality_score: client.quality_score(),
                };
                self.send(index, "pong", &pong);
            }
            Command::Heartbeat { client_time } => {
                let response = HeartbeatData {
                    client_time,
                    server_time: timestamp,
                    timestamp,
                };
                self.send(index, "heartbeat_response", &response);
            }
            Command::GetStatus => {
                let status = StatusData {
                    client_id: &client.about.client_id,
                    connected_at: client.about.connected_at,
                    uptime: timestamp.since(client.about.connected_at).as_secs_f64(),
                    subscriptions: self.subscriptions(index),
                    message_count: client.sequence,
                    bytes_sent: client.bytes_sent,
                    bytes_received: client.about.vitals.bytes_received.load(Ordering::Relaxed),
                    quality_score: client.quality_score(),
                    is_alive: true,
                };
                let frame = Frame::new("status", &status);
                if let Some(frame) = encodable(frame) {
                    self.send_frame(index, frame, now);
                }
            }
            Command::Subscribe { streams, filters } => self.subscribe(index, &streams, &filters, true, now),
            Command::Unsubscribe { streams } => self.unsubscribe(index, &streams, now),
            Command::Simulate(request) => self.simulate(index, &request),
        }
    }

    /// Has a stroke thought through on a thread apart.
    pub(super) fn simulate(&mut self, index: usize, request: &SimulateRequest) {
        let Some(client) = self.clients.get(index) else {
            return;
        };
        let (client_id, space) = (client.about.client_id.clone(), client.about.space);
        let state = self.current.get(&Stream::State);
        let asked = match (&self.config.simulator, state.and_then(|state| state.snapshot())) {
            (None, _) => Err("expected a server that simulates, this one does not".to_owned()),
            (_, None) => Err("no frame has come from the source yet; try again".to_owned()),
            (Some(_), Some(_)) if self.simulations >= MAX_SIMULATIONS => {
                Err("too many simulations are under way; try again".to_owned())
            }
            (Some(simulator), Some(snapshot)) => request
                .on(snapshot, space)
                .map(|asked| (simulator.clone(), asked)),
        };
        let (simulator, (table, stroke)) = match asked {
            Ok(asked) => asked,
            Err(message) => return self.complain(index, ErrorCode::MessageHandlerError, message, None),
        };
        self.simulations += 1;
        let sequence = self.next_number(Stream::Trajectory);
        let hub = self.handle.clone();
        tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let result = simulator.answer(&table, &stroke).and_then(|prediction| {
                let timestamp = WallTime::now();
                let issue = Issue {
                    sequence,
                    captured_at: timestamp,
                    timestamp,
                    calculation_time: began.elapsed(),
                };
                let data = simulated(table, prediction, space, issue);
                Frame::new("simulated", &data).map_err(|error| error.to_string())
            });
            hub.say_blocking(Said::Simulated(index, client_id, result));
        });
    }

    pub(super) fn complain(
        &mut self,
        index: usize,
        code: ErrorCode,
        message: String,
        details: Option<serde_json::Value>,
    ) {
        let error = ErrorData {
            code,
            message,
            details,
        };
        self.send(index, "error", &error);
    }

    /// Answers a client.
    pub(super) fn send<T: Serialize>(&mut self, index: usize, r#type: &'static str, data: &T) {
        if let Some(frame) = encodable(Frame::new(r#type, data)) {
            self.send_frame(index, frame, Instant::now());
        }
    }

    pub(super) fn send_frame(&mut self, index: usize, frame: Frame, now: Instant) {
        let Some(client) = self.clients.get_mut(index) else {
            return;
        };
        if !client.wait(frame) {
            self.tally.lost.push(index);
        }
        self.flush_now(index, now);
    }

    pub(super) fn flush_now(&mut self, index: usize, now: Instant) {
        if self.flush(index, now) {
            self.tally.blocked.push(index);
        }
    }
}
