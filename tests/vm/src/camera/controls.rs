//! What can be set on the camera: exposure, focus, gain, white balance, power line.

const GET_CUR: u8 = 0x81;
const GET_MIN: u8 = 0x82;
const GET_MAX: u8 = 0x83;
const GET_RES: u8 = 0x84;
const GET_LEN: u8 = 0x85;
const GET_INFO: u8 = 0x86;
const GET_DEF: u8 = 0x87;

/// One control, as USB Video Class has it.
#[derive(Clone, Copy, Debug)]
struct Control {
    name: &'static str,
    unit: u8,
    selector: u8,
    bytes: usize,
    minimum: u32,
    maximum: u32,
    /// Of the automatic exposure: the modes that there are, one bit each.
    step: u32,
    default: u32,
    current: u32,
}

/// All of them. A camera that was unplugged has forgotten what it was set to.
#[derive(Clone, Debug)]
pub(crate) struct Controls([Control; 8]);

impl Default for Controls {
    fn default() -> Self {
        let control = |name, unit, selector, bytes, [minimum, maximum, step, default]: [u32; 4]| Control {
            name,
            unit,
            selector,
            bytes,
            minimum,
            maximum,
            step,
            default,
            current: default,
        };
        Self([
            // Bit 0: by hand, bit 3: aperture priority.
            control("auto_exposure", 1, 0x02, 1, [1, 8, 0b1001, 8]),
            control("exposure", 1, 0x04, 4, [1, 10_000, 1, 156]),
            control("focus", 1, 0x06, 2, [0, 250, 5, 0]),
            control("auto_focus", 1, 0x08, 1, [0, 1, 1, 1]),
            control("gain", 2, 0x04, 2, [0, 255, 1, 64]),
            control("power_line", 2, 0x05, 1, [0, 2, 1, 1]),
            control("white_balance", 2, 0x0a, 2, [2800, 6500, 10, 4600]),
            control("auto_white_balance", 2, 0x0b, 1, [0, 1, 1, 1]),
        ])
    }
}

impl Controls {
    /// What `name` is set to.
    pub(crate) fn current(&self, name: &str) -> Option<u32> {
        let control = self.0.iter().find(|control| control.name == name)?;
        Some(control.current)
    }

    /// The answer to a question about a control; `None` where there is no such control or question.
    pub(crate) fn get(&self, unit: u8, selector: u8, request: u8) -> Option<Vec<u8>> {
        let control = self
            .0
            .iter()
            .find(|one| (one.unit, one.selector) == (unit, selector))?;
        let value = match request {
            GET_CUR => control.current,
            GET_MIN => control.minimum,
            GET_MAX => control.maximum,
            GET_RES => control.step,
            GET_DEF => control.default,
            GET_LEN => return Some((control.bytes as u16).to_le_bytes().to_vec()),
            // It can be read and set.
            GET_INFO => return Some(vec![3]),
            _ => return None,
        };
        Some(value.to_le_bytes()[..control.bytes].to_vec())
    }

    /// Sets a control; `None` where there is no such control.
    pub(crate) fn set(&mut self, unit: u8, selector: u8, bytes: &[u8]) -> Option<()> {
        let control = self
            .0
            .iter_mut()
            .find(|one| (one.unit, one.selector) == (unit, selector))?;
        let mut value = [0; 4];
        value[..control.bytes].copy_from_slice(bytes.get(..control.bytes)?);
        control.current = u32::from_le_bytes(value);
        Some(())
    }
}
