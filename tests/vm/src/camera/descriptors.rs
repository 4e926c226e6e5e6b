//! What the camera says of itself when it is plugged in: USB 2.0 and USB Video Class 1.0 descriptors
//! (<https://www.usb.org/document-library/video-class-v11-document-set>; names as there).

use crate::camera::{CameraModel, PAYLOAD};

/// Class-specific descriptors of an interface.
const CS_INTERFACE: u8 = 0x24;

pub(crate) fn device() -> Vec<u8> {
    // Vendor and product are what pid.codes sets aside for tests.
    vec![
        18, 1, 0x00, 0x02, 0xef, 2, 1, 64, 0x09, 0x12, 0x01, 0x00, 0x00, 0x01, 1, 2, 3, 1,
    ]
}

pub(crate) fn string(index: u8) -> Vec<u8> {
    let text = match index {
        // American English.
        0 => return vec![4, 3, 9, 4],
        1 => "ghostball",
        2 => "Simulated Camera",
        _ => "SIM0001",
    };
    let mut bytes = vec![0, 3];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes[0] = bytes.len() as u8;
    bytes
}

pub(crate) fn configuration(model: &CameraModel) -> Vec<u8> {
    let mut body = Vec::new();
    // Both interfaces belong together.
    body.extend([8, 11, 0, 2, 0x0e, 3, 0, 2]);
    body.extend([9, 4, 0, 0, 0, 0x0e, 1, 0, 2]);
    body.extend(video_control());
    body.extend([9, 4, 1, 0, 1, 0x0e, 2, 0, 0]);
    body.extend(video_streaming(model));
    // Bulk IN, 512 bytes.
    body.extend([7, 5, 0x81, 2, 0x00, 0x02, 0]);
    let mut bytes = vec![9, 2];
    bytes.extend((9 + body.len() as u16).to_le_bytes());
    bytes.extend([2, 1, 0, 0x80, 250]);
    bytes.extend(body);
    bytes
}

/// Camera terminal 1 → processing unit 2 → output terminal 3.
fn video_control() -> Vec<u8> {
    let mut units = Vec::new();
    // Automatic exposure, exposure time, focus, automatic focus.
    units.extend([
        18,
        CS_INTERFACE,
        2,
        1,
        0x01,
        0x02,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        3,
        0x2a,
        0x00,
        0x02,
    ]);
    // White balance, gain, power line, automatic white balance.
    units.extend([11, CS_INTERFACE, 5, 2, 1, 0, 0, 2, 0x40, 0x16, 0]);
    units.extend([9, CS_INTERFACE, 3, 3, 0x01, 0x01, 0, 2, 0]);
    let mut bytes = vec![13, CS_INTERFACE, 1, 0x00, 0x01];
    bytes.extend((13 + units.len() as u16).to_le_bytes());
    bytes.extend(48_000_000_u32.to_le_bytes());
    bytes.extend([1, 1]);
    bytes.extend(units);
    bytes
}

fn video_streaming(model: &CameraModel) -> Vec<u8> {
    let mut format = Vec::new();
    // One format, MJPEG, in one size.
    format.extend([11, CS_INTERFACE, 6, 1, 1, 1, 1, 0, 0, 0, 0]);
    let (size, interval) = (model.largest_frame(), model.interval());
    format.extend([30, CS_INTERFACE, 7, 1, 0]);
    format.extend(model.width.to_le_bytes());
    format.extend(model.height.to_le_bytes());
    let bit_rate = size.saturating_mul(8).saturating_mul(model.fps);
    for number in [bit_rate, bit_rate, size, interval] {
        format.extend(number.to_le_bytes());
    }
    format.push(1);
    format.extend(interval.to_le_bytes());
    // BT.709 primaries, sRGB curve, BT.601 matrix: as JPEG has it.
    format.extend([6, CS_INTERFACE, 0x0d, 1, 1, 4]);
    let mut bytes = vec![14, CS_INTERFACE, 1, 1];
    bytes.extend((14 + format.len() as u16).to_le_bytes());
    bytes.extend([0x81, 0, 3, 0, 0, 0, 1, 0]);
    bytes.extend(format);
    bytes
}

/// The answer to what would be streamed: the only mode there is.
pub(crate) fn probe(model: &CameraModel) -> Vec<u8> {
    let mut bytes = vec![1, 0, 1, 1];
    bytes.extend(model.interval().to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend(20_u16.to_le_bytes());
    bytes.extend(model.largest_frame().to_le_bytes());
    bytes.extend((PAYLOAD as u32).to_le_bytes());
    bytes
}
