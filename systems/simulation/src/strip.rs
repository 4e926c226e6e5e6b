//! A straight, tapering strip in the picture: the cue stick and its shadow.

use glam::{DVec2, DVec3};

use crate::camera::Camera;
use crate::tile::span;

/// The image of a straight body of round cross-section between two points of space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strip {
    camera: Camera,
    /// In the pinhole's picture, where it is straight; as all that follows.
    start: DVec2,
    direction: DVec2,
    length_px: f64,
    half_px: [f64; 2],
    depths: [f64; 2],
}

/// Where a pixel lies on a strip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnStrip {
    /// Share of the way from start to end in space (perspective undone), 0 to 1.
    pub along: f64,
    /// Distance from the axis, pixels; positive to the right of the way from start to end.
    pub off_px: f64,
    /// Half the strip's width here, pixels.
    pub half_px: f64,
    /// Distance to the nearer end, pixels; negative beyond it.
    pub beyond_px: f64,
}

impl Strip {
    pub fn new(camera: &Camera, ends: [DVec3; 2], half_widths: [f64; 2]) -> Self {
        let depths = ends.map(|end| camera.depth(end));
        let [start, end] = ends.map(|end| camera.project_by_pinhole(end));
        Self {
            camera: *camera,
            start,
            direction: (end - start).normalize_or(DVec2::X),
            length_px: (end - start).length(),
            half_px: [0, 1].map(|i| camera.focal_px() * half_widths[i] / depths[i]),
            depths,
        }
    }

    pub fn at(&self, point_in_image: DVec2) -> OnStrip {
        let offset = self.camera.pinhole_from_image(point_in_image) - self.start;
        let along_px = offset.dot(self.direction);
        let s = (along_px / self.length_px.max(1e-9)).clamp(0.0, 1.0);
        // Inverse depth is linear in the picture, not depth.
        let [near, far] = self.depths;
        OnStrip {
            along: s * near / ((1.0 - s) * far + s * near),
            off_px: self.direction.perp_dot(offset),
            half_px: self.half_px[0] + s * (self.half_px[1] - self.half_px[0]),
            beyond_px: along_px.min(self.length_px - along_px),
        }
    }

    /// How much of a pixel it covers, 0 to 1.
    pub fn coverage(&self, point_in_image: DVec2) -> f64 {
        let at = self.at(point_in_image);
        let across = (0.5 + at.half_px - at.off_px.abs()).clamp(0.0, 1.0);
        across.min(2.0 * at.half_px) * (0.5 + at.beyond_px).clamp(0.0, 1.0)
    }

    /// Even-aligned rows that it can touch.
    pub fn rows(&self, height: usize) -> core::ops::Range<usize> {
        let reach = self.reach();
        let [low, high] = self.bounds();
        span(low.y - reach, high.y + reach, height)
    }

    /// Even-aligned columns that it can touch in rows `y` and `y + 1`.
    pub fn columns(&self, y: usize, width: usize) -> core::ops::Range<usize> {
        let [low, high] = self.bounds().map(|corner| corner.x);
        // Crossing of the axis with the middle of both rows; far away for a level strip, then the ends bound it.
        let rise = self.direction.y;
        let slack = self.reach();
        if rise.abs() < 1e-3 || self.camera.lens().k1 != 0.0 {
            return span(low - slack, high + slack, width);
        }
        let run = self.direction.x / rise;
        let x = self.start.x + (y as f64 + 0.5 - self.start.y) * run;
        let spread = (slack + 1.0) * (1.0 + run * run).sqrt() + 0.5 * run.abs();
        span(
            (x - spread).max(low - slack),
            (x + spread).min(high + slack),
            width,
        )
    }

    /// Least and greatest coordinates of its axis in the picture.
    fn bounds(&self) -> [DVec2; 2] {
        let at = |share: f64| {
            let in_pinhole = self.start + self.direction * (share * self.length_px);
            self.camera.image_from_pinhole(in_pinhole)
        };
        // The lens bends it: a few points between the ends come within a pixel of the greatest bow.
        (0..=16).fold([at(0.0); 2], |[low, high], i| {
            let point = at(f64::from(i) / 16.0);
            [low.min(point), high.max(point)]
        })
    }

    fn reach(&self) -> f64 {
        self.half_px[0].max(self.half_px[1]) + 2.0
    }
}
