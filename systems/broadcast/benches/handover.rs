//! What the network costs the world's thread: a frame with sixteen balls, from the balls to the bridge, held against its
//! bound, while a client follows.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a bench tells times, and criterion's macros make undocumented items"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bevy_app::App;
use criterion::{Criterion, criterion_group, criterion_main};
use ghostball_broadcast::{BroadcastPlugin, Server, ServerConfig};
use ghostball_world::{
    Ball, BallKind, Confidence, FrameTick, PositionInTable, TrackId, VelocityInTable, WorldPlugin,
};
use glam::DVec2;

/// What a handover may take, microseconds.
const AT_MOST_MICROS: f64 = 20.0;
const FRAMES: usize = 2000;

fn table(server_config: ServerConfig) -> Option<(Server, App, App)> {
    let (server, bridge) = Server::start(server_config).ok()?;
    let [mut silent, mut published] = [App::new(), App::new()];
    silent.add_plugins(WorldPlugin);
    published.add_plugins((WorldPlugin, BroadcastPlugin::new(bridge)));
    for app in [&mut silent, &mut published] {
        for index in 0..16_u32 {
            app.world_mut().spawn((
                Ball { radius: 0.028_575 },
                TrackId(index),
                if index == 0 {
                    BallKind::Cue
                } else {
                    BallKind::Solid
                },
                PositionInTable(DVec2::new(0.1 * f64::from(index) - 0.8, 0.0)),
                VelocityInTable(DVec2::ZERO),
                Confidence(0.9),
            ));
        }
    }
    Some((server, silent, published))
}

/// The median frame.
fn frame_time(app: &mut App) -> Duration {
    let mut times: Vec<_> = (0..FRAMES)
        .map(|_| {
            let began = Instant::now();
            app.world_mut().run_schedule(FrameTick);
            let took = began.elapsed();
            // The network thread has to have something to do.
            std::thread::sleep(Duration::from_micros(200));
            took
        })
        .collect();
    times.sort_unstable();
    times[FRAMES / 2]
}

fn handover(criterion: &mut Criterion) {
    let config = ServerConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..ServerConfig::default()
    };
    let Some((server, mut silent, mut published)) = table(config) else {
        println!("no server can be started here");
        return;
    };
    if let Ok(mut client) = TcpStream::connect(server.local_addr()) {
        let request = "GET /ws?subscribe=state HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        if client.write_all(request.as_bytes()).is_ok() {
            let mut scraps = [0; 65_536];
            std::thread::spawn(move || while client.read(&mut scraps).is_ok_and(|read| read > 0) {});
        }
    }
    let (without, with) = (frame_time(&mut silent), frame_time(&mut published));
    let [without, with] = [without, with].map(|time| time.as_secs_f64() * 1e6);
    println!(
        "snapshot and handover of 16 balls: {with:.1} us, {:.2} of {AT_MOST_MICROS} us; the snapshot alone {without:.1} us",
        with / AT_MOST_MICROS
    );
    criterion.bench_function("snapshot and handover", |bencher| {
        bencher.iter(|| published.world_mut().run_schedule(FrameTick));
    });
}

criterion_group!(benches, handover);
criterion_main!(benches);
