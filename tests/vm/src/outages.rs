//! Whatever happens to a camera, `ghostball run` notices it, tells it once, and goes on when it is back.

use std::fs::File;
use std::time::Duration;

use anyhow::ensure;
use v4l::buffer::Type;
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream as _;
use v4l::{Device, Format, FourCC};

use crate::camera::{CameraModel, SimulatedCamera, wait_for_node};
use crate::program::Program;
use crate::vivid::Vivid;

/// After the device is back, frames flow within this.
const RECOVERED_WITHIN: Duration = Duration::from_secs(3);
/// An outage is noticed within this.
const NOTICED_WITHIN: Duration = Duration::from_secs(3);
const STARTED_WITHIN: Duration = Duration::from_secs(20);

const TROUBLE: &str = "trying again until it works";
const BACK: &str = "back after";

fn exactly_one(program: &mut Program, what: &str) -> anyhow::Result<()> {
    let (begun, ended) = program.alerts(1);
    ensure!(
        (begun, ended) == (1, 1),
        "{what}: expected one alert that begins and one that ends, found {begun} and {ended}"
    );
    Ok(())
}

/// Everything that can happen to a USB camera, in one life of the program.
pub(crate) fn usb_camera(model: &CameraModel) -> anyhow::Result<()> {
    let mut camera = SimulatedCamera::new();
    let (width, height) = (model.width, model.height);
    let source = format!("v4l2:/dev/video0?width={width}&height={height}&format=MJPG");
    let settings = [
        ("GHOSTBALL_CAMERA__GAIN", "100"),
        ("GHOSTBALL_CAMERA__EXPOSURE", "0.005"),
        ("GHOSTBALL_CAMERA__WHITE_BALANCE", "auto"),
    ];
    let mut program = Program::start(&source, &settings)?;
    program.wait_for(TROUBLE, STARTED_WITHIN)?;
    camera.plug(model)?;
    wait_for_node()?;
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "a camera that is not there yet")?;

    let (mut files, mut kib) = (0, 0);
    for round in 0..20 {
        camera.unplug();
        program.wait_for(TROUBLE, NOTICED_WITHIN)?;
        camera.plug(model)?;
        wait_for_node()?;
        program.wait_for(BACK, RECOVERED_WITHIN)?;
        exactly_one(&mut program, "a camera that is unplugged")?;
        let set = ["auto_exposure", "exposure", "gain", "auto_white_balance"]
            .map(|name| camera.condition().controls.current(name));
        ensure!(
            set == [Some(1), Some(50), Some(100), Some(1)],
            "controls after it came back: {set:?}"
        );
        match round {
            // Buffers have found their size by now.
            4 => (files, kib) = (program.open_files()?, program.resident_kib()?),
            19 => {
                let (files_now, kib_now) = (program.open_files()?, program.resident_kib()?);
                ensure!(files_now == files, "open files went from {files} to {files_now}");
                ensure!(kib_now <= kib + 1024, "memory went from {kib} to {kib_now} KiB");
                println!("  20 times: {files_now} open files, memory {kib} to {kib_now} KiB");
            }
            _ => {}
        }
    }

    camera.condition().is_frozen = true;
    program.wait_for(TROUBLE, NOTICED_WITHIN)?;
    std::thread::sleep(Duration::from_secs(3));
    camera.condition().is_frozen = false;
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "a camera that freezes")?;

    // Whoever keeps the node open keeps its number: the camera comes back under another.
    let holder = File::open("/dev/video0")?;
    camera.unplug();
    program.wait_for(TROUBLE, NOTICED_WITHIN)?;
    camera.plug(model)?;
    let node = wait_for_node()?;
    ensure!(node != "/dev/video0", "the camera came back under its old number");
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "a camera with another number")?;
    drop(holder);

    camera.unplug();
    program.wait_for(TROUBLE, NOTICED_WITHIN)?;
    let other = CameraModel {
        width: width / 2,
        height: height / 2,
        ..model.clone()
    };
    camera.plug(&other)?;
    wait_for_node()?;
    std::thread::sleep(Duration::from_secs(3));
    camera.unplug();
    camera.plug(model)?;
    wait_for_node()?;
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "a camera that grants another format")?;
    program.stop()
}

/// What drivers can do to those who stream.
pub(crate) fn driver_faults() -> anyhow::Result<()> {
    let vivid = Vivid::load()?;
    let source = format!("v4l2:{}?width=320&height=180&format=YUYV", vivid.node);
    // Another program was first.
    let device = Device::with_path(&vivid.node)?;
    v4l::video::Capture::set_format(&device, &Format::new(640, 360, FourCC::new(b"YUYV")))?;
    let mut stream = Stream::with_buffers(&device, Type::VideoCapture, 2)?;
    stream.next()?;
    let mut program = Program::start(&source, &[])?;
    program.wait_for(TROUBLE, STARTED_WITHIN)?;
    ensure!(
        program
            .log
            .iter()
            .any(|line| line.contains("another program is using it")),
        "EBUSY is not told as such"
    );
    drop(stream);
    drop(device);
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "EBUSY")?;

    // EIO for all that stream.
    vivid.set("Inject Fatal Streaming Error", 1)?;
    program.wait_for(TROUBLE, NOTICED_WITHIN)?;
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "EIO")?;

    // The next buffer that is given back is refused.
    vivid.set("Inject VIDIOC_QBUF Error", 1)?;
    program.wait_for(TROUBLE, NOTICED_WITHIN)?;
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "an error of QBUF")?;

    // The stream breaks, and does not start again at once.
    vivid.set("Inject VIDIOC_STREAMON Error", 1)?;
    vivid.set("Inject Fatal Streaming Error", 1)?;
    program.wait_for(TROUBLE, NOTICED_WITHIN)?;
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "an error of STREAMON")?;

    // Frames that the driver drops are counted, and no outage.
    vivid.set("Percentage of Dropped Buffers", 20)?;
    program.wait_for("missed by the camera", NOTICED_WITHIN)?;
    std::thread::sleep(Duration::from_secs(3));
    let alerts = program.alerts(0);
    ensure!(alerts == (0, 0), "20 % of dropped buffers: {alerts:?} alerts");
    vivid.set("Percentage of Dropped Buffers", 0)?;

    // None comes at all: frozen.
    vivid.set("Percentage of Dropped Buffers", 100)?;
    program.wait_for(TROUBLE, NOTICED_WITHIN)?;
    vivid.set("Percentage of Dropped Buffers", 0)?;
    program.wait_for(BACK, RECOVERED_WITHIN)?;
    exactly_one(&mut program, "a driver that drops everything")?;
    program.stop()
}
