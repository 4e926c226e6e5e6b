//! Pixels by place.

use ghostball_world::Planes;
use glam::DVec2;

/// Brightness between pixels (bilinear); not a number outside the picture.
#[inline]
pub(crate) fn luma_at(planes: &Planes, at: DVec2) -> f32 {
    let (width, height) = (planes.luma.width, planes.luma.height);
    let inside = at.x >= 0.0 && at.y >= 0.0 && at.x <= (width - 1) as f64 && at.y <= (height - 1) as f64;
    if !inside {
        return f32::NAN;
    }
    let (x, y) = (at.x as usize, at.y as usize);
    let (x1, y1) = ((x + 1).min(width - 1), (y + 1).min(height - 1));
    let (fx, fy) = ((at.x - x as f64) as f32, (at.y - y as f64) as f32);
    let luma = |x, y| f32::from(planes.luma.at(x, y));
    let top = luma(x, y) + (luma(x1, y) - luma(x, y)) * fx;
    let bottom = luma(x, y1) + (luma(x1, y1) - luma(x, y1)) * fx;
    top + (bottom - top) * fy
}

/// Y, U, V of a pixel; neutral chroma in a grey picture. The pixel has to be inside.
#[inline]
pub(crate) fn color_of(planes: &Planes, x: usize, y: usize) -> [u8; 3] {
    let luma = planes.luma.at(x, y);
    planes.chroma.map_or([luma, 128, 128], |c| {
        let (cx, cy) = (x >> c.shift_x, y >> c.shift_y);
        [luma, c.u.at(cx, cy), c.v.at(cx, cy)]
    })
}

/// Y between pixels, U and V of the nearest; `None` outside the picture.
#[inline]
pub(crate) fn color_near(planes: &Planes, at: DVec2) -> Option<[f32; 3]> {
    let luma = luma_at(planes, at);
    if luma.is_nan() {
        return None;
    }
    let [_, u, v] = color_of(planes, (at.x + 0.5) as usize, (at.y + 0.5) as usize);
    Some([luma, f32::from(u), f32::from(v)])
}
