//! Tests with the kernel's real camera drivers: `tests/vm/run` boots a machine in emulation and runs this in it.
//!
//! - [`camera`]: a USB webcam in user space, driven by the kernel's own `uvcvideo`. - [`vivid`]: the kernel's virtual
//!   camera and its faults.
//! - [`frames`]: frames come whole and in order. - [`outages`]: whatever happens to a camera. - [`states`]: the whole
//!   program, compared with files. - [`program`]: the program under test. - [`render`]: what the camera sees.
#![allow(clippy::print_stdout, reason = "a test program tells how it went")]
#![allow(
    clippy::disallowed_methods,
    reason = "cameras, time limits and measured times are about the host's clock"
)]

mod camera;
mod frames;
mod outages;
mod program;
mod render;
mod states;
mod vivid;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;

use camera::CameraModel;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["render", folder] => render_all(Path::new(folder)),
        ["guest", folder, lines] => guest(Path::new(folder), Path::new(lines)),
        ["compare", folder, lines] => states::compare(&Path::new(folder).join("states"), Path::new(lines)),
        _ => Err(anyhow::anyhow!(
            "expected render FOLDER, guest FOLDER LINES or compare FOLDER LINES"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What the cameras see, by name of the folder: size, frames a second, frames. The program as a whole needs more time
/// for a frame than an emulated machine has at 30 a second.
const CLIPS: [(&str, u16, u16, u32, usize); 4] = [
    ("720p", 1280, 720, 30, 20),
    ("1080p", 1920, 1080, 30, 20),
    ("states", 1280, 720, 1, 12),
    ("outages", 640, 360, 3, 6),
];

fn render_all(folder: &Path) -> anyhow::Result<()> {
    for (name, width, height, _, count) in CLIPS {
        render::render(&folder.join(name), width, height, count)?;
    }
    Ok(())
}

/// All tests that need the drivers, in the machine.
fn guest(folder: &Path, lines: &Path) -> anyhow::Result<()> {
    vivid::modprobe(&["-a", "vhci-hcd", "uvcvideo"])?;
    let model = |wanted: &str| -> anyhow::Result<CameraModel> {
        let clip = CLIPS.iter().find(|clip| clip.0 == wanted);
        let Some((name, width, height, fps, _)) = clip.copied() else {
            bail!("no clip '{wanted}'");
        };
        Ok(CameraModel {
            width,
            height,
            fps,
            frames: Arc::new(render::read(&folder.join(name))?),
        })
    };
    let tests: [(&str, &dyn Fn() -> anyhow::Result<()>); 7] = [
        ("every 720p frame bit-identical and in order", &|| {
            frames::mjpeg_is_bit_identical(&model("720p")?)
        }),
        ("every 1080p frame bit-identical and in order", &|| {
            frames::mjpeg_is_bit_identical(&model("1080p")?)
        }),
        ("exposure is held during play", &|| {
            frames::exposure_is_held(&model("outages")?)
        }),
        ("states through the whole program", &|| {
            states::watch(&model("states")?, lines)
        }),
        ("a USB camera comes, goes, freezes, changes", &|| {
            outages::usb_camera(&model("outages")?)
        }),
        (
            "YUYV, NV12 and RGB show the same picture",
            &frames::raw_formats_agree,
        ),
        ("a driver that fails", &outages::driver_faults),
    ];
    let mut failures = 0;
    for (name, test) in tests {
        let began = Instant::now();
        let result = test();
        let secs = began.elapsed().as_secs_f64();
        match result {
            Ok(()) => println!("ok      {name} ({secs:.1} s there)"),
            Err(error) => {
                failures += 1;
                println!("FAILED  {name} ({secs:.1} s there): {error:#}");
            }
        }
    }
    if failures > 0 {
        bail!("{failures} of {} tests", tests.len());
    }
    Ok(())
}
