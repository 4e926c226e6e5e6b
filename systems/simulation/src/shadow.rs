//! Soft shadows on the bed.

use core::ops::Range;

use glam::{DMat2, DVec2, DVec3};

use crate::arm::ArmShadow;
use crate::camera::Camera;
use crate::canvas::{Canvas, to_byte};
use crate::look::{Lamp, Look};
use crate::scene::{SceneArm, SceneCue};
use crate::stage::Stage;
use crate::strip::Strip;
use crate::tile::span;

/// Darkens the bed. Shares of light become factors of gamma-encoded samples by table.
#[derive(Clone, Debug)]
pub(crate) struct Shadows {
    factors: Vec<f32>,
    /// Share of light lost in each pixel of the patch around one ball.
    lost: Vec<f32>,
}

/// The pixels around a ball, and what they are of the cloth: metres from the point the ball stands on.
struct Patch {
    columns: Range<usize>,
    rows: Range<usize>,
    center: DVec2,
    image_from_cloth: DMat2,
    cloth_from_image: [f32; 4],
}

const STEPS: f32 = 1024.0;

impl Shadows {
    pub fn new() -> Self {
        let factor = |step: u32| libm::pow(f64::from(step) / f64::from(STEPS), 1.0 / 2.2) as f32;
        Self {
            factors: (0..=STEPS as u32).map(factor).collect(),
            lost: Vec::new(),
        }
    }

    /// Darkens the bed under and beside a ball.
    pub fn cast_ball(
        &mut self,
        canvas: &mut Canvas,
        bed: &[u8],
        camera: &Camera,
        look: &Look,
        position_in_table: DVec2,
        radius: f64,
    ) {
        let contact = position_in_table.extend(0.0);
        let total = f64::from(look.irradiance(contact)).max(1e-6);
        let mut patch = Patch::around(camera, position_in_table);
        let near = 2.6 * radius;
        let mut reach = near;
        for lamp in &look.lamps {
            let (center, extent) = shadow_box(lamp, contact, radius);
            reach = reach.max((center.abs() + extent).max_element());
        }
        (patch.columns, patch.rows) = patch.pixels(DVec2::ZERO, DVec2::splat(reach), canvas);
        self.lost.clear();
        self.lost.resize(patch.columns.len() * patch.rows.len(), 0.0);

        let (r, r_squared) = (radius as f32, (radius * radius) as f32);
        let ambient = (look.ambient_share() / total) as f32;
        let edge = 1.0 / (near * near) as f32;
        patch.add(&mut self.lost, canvas, DVec2::ZERO, DVec2::splat(near), |x, y| {
            // Share of the hemisphere that a sphere hides from the plane it lies on: (r/d)² times the cosine (Quílez,
            // "sphere ambient occlusion", 2006); its tail is taken to zero at the edge of the region.
            let squared = x * x + y * y;
            let distance_squared = squared + r_squared;
            let hidden = r_squared * r / (distance_squared * distance_squared.sqrt());
            ambient * hidden * (1.0 - squared * edge).max(0.0)
        });
        for lamp in &look.lamps {
            let (center, extent) = shadow_box(lamp, contact, radius);
            let to_lamp = lamp.position - contact;
            let distance = to_lamp.length();
            let [lx, ly, lz] = (to_lamp / distance).as_vec3().to_array();
            let share = (lamp.share * lamp.falloff(contact) / total) as f32;
            let softness = (lamp.radius / distance) as f32;
            patch.add(&mut self.lost, canvas, center, extent, |x, y| {
                // How far the ray from this point to the lamp passes from the ball's centre.
                let along = r * lz - x * lx - y * ly;
                let off = (x * x + y * y + r_squared - along * along).max(0.0).sqrt();
                let penumbra = (softness * along).max(0.03 * r);
                let t = (0.5 + 0.5 * (r - off) / penumbra).clamp(0.0, 1.0);
                share * t * t * (3.0 - 2.0 * t)
            });
        }
        let width = patch.columns.len();
        let light =
            |x: usize, y: usize| 1.0 - self.lost[(y - patch.rows.start) * width + x - patch.columns.start];
        for y in patch.rows.clone().step_by(2) {
            self.darken(canvas, bed, patch.columns.clone(), y, light);
        }
    }

    /// Darkens the bed below the cue stick.
    pub fn cast_cue(&self, canvas: &mut Canvas, bed: &[u8], camera: &Camera, look: &Look, cue: &SceneCue) {
        let (tip, butt) = (cue.tip, cue.butt());
        for lamp in &look.lamps {
            // Where the lamp's rays through both ends meet the bed.
            let down = |point: DVec3| {
                let drop = point.z / (lamp.position.z - point.z).max(0.05);
                point + (point - lamp.position) * drop
            };
            let ends = [down(tip), down(butt)];
            // Soft by the lamp's size and the stick's height.
            let soft = |height: f64| 0.5 * lamp.radius * height / (lamp.position.z - height).max(0.05);
            let half_widths = [0.0065 + soft(tip.z), 0.0145 + soft(butt.z)];
            let strip = Strip::new(camera, ends, half_widths);
            let total = f64::from(look.irradiance(tip)).max(1e-6);
            let share = (lamp.share * lamp.falloff(tip) / total) as f32;
            let core = [0.0065 / half_widths[0], 0.0145 / half_widths[1]].map(|core| core as f32);
            let light = |x: usize, y: usize| {
                let at = strip.at(DVec2::new(x as f64, y as f64));
                if at.half_px <= 0.0 {
                    return 1.0;
                }
                let across = (at.off_px.abs() / (at.half_px + 0.5)).min(1.0) as f32;
                let profile = 1.0 - across * across;
                let along = at.along as f32;
                let depth = (core[0] * (1.0 - along) + core[1] * along).min(1.0);
                let ends = (0.5 + at.beyond_px).clamp(0.0, 1.0) as f32;
                1.0 - share * depth * profile * profile.sqrt() * ends
            };
            for y in strip.rows(canvas.height).step_by(2) {
                self.darken(canvas, bed, strip.columns(y, canvas.width), y, light);
            }
        }
    }

    /// Darkens the bed below an arm.
    pub fn cast_arm(&self, canvas: &mut Canvas, bed: &[u8], stage: &Stage, arm: &SceneArm) {
        if let Some(shadow) = ArmShadow::new(stage, arm, [canvas.width, canvas.height]) {
            let light = |x: usize, y: usize| shadow.light(x, y);
            for y in shadow.rows.clone().step_by(2) {
                self.darken(canvas, bed, shadow.columns.clone(), y, light);
            }
        }
    }

    /// Multiplies two rows from the even row `y` on by what `light` (share of light left, 0 to 1) says, on the bed only.
    fn darken(
        &self,
        canvas: &mut Canvas,
        bed: &[u8],
        columns: Range<usize>,
        y: usize,
        light: impl Fn(usize, usize) -> f32,
    ) {
        for x in columns.step_by(2) {
            let mut sum = 0.0;
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let at = (y + dy) * canvas.width + x + dx;
                let factor = match bed[at] {
                    0 => 1.0,
                    share => {
                        let left = 1.0 - (1.0 - light(x + dx, y + dy)) * f32::from(share) / 255.0;
                        self.factors[((left * STEPS) as usize).min(self.factors.len() - 1)]
                    }
                };
                canvas.luma[at] = to_byte(f32::from(canvas.luma[at]) * factor);
                sum += 0.25 * factor;
            }
            let at = y / 2 * (canvas.width / 2) + x / 2;
            let fade = |sample: u8| to_byte(128.0 + (f32::from(sample) - 128.0) * sum);
            canvas.u[at] = fade(canvas.u[at]);
            canvas.v[at] = fade(canvas.v[at]);
        }
    }
}

/// Where a lamp's shadow of a ball falls, metres from where the ball stands: middle of it, and half its width both ways.
fn shadow_box(lamp: &Lamp, contact: DVec3, radius: f64) -> (DVec2, DVec2) {
    let to_lamp = lamp.position - contact;
    let height = to_lamp.z.max(0.1);
    let slant = to_lamp.truncate() / height;
    let soft = lamp.radius * radius / height * (1.0 + slant.length_squared());
    let longer = (1.0 + slant.length_squared()).sqrt();
    (-slant * radius, DVec2::splat(radius * longer + soft))
}

impl Patch {
    fn around(camera: &Camera, position_in_table: DVec2) -> Self {
        let pinhole_from_bed = camera.pinhole_from_plane(0.0);
        let in_pinhole = pinhole_from_bed.apply(position_in_table);
        let image_from_cloth = camera.lens_derivative(in_pinhole)
            * DMat2::from_cols(
                pinhole_from_bed.apply_direction(position_in_table, DVec2::X),
                pinhole_from_bed.apply_direction(position_in_table, DVec2::Y),
            );
        Self {
            columns: 0..0,
            rows: 0..0,
            center: camera.image_from_pinhole(in_pinhole),
            image_from_cloth,
            cloth_from_image: image_from_cloth.inverse().as_mat2().to_cols_array(),
        }
    }

    /// Columns and rows of a rectangle on the cloth, even-aligned and within the canvas.
    fn pixels(&self, center: DVec2, extent: DVec2, canvas: &Canvas) -> (Range<usize>, Range<usize>) {
        let middle = self.center + self.image_from_cloth * center;
        let [x_axis, y_axis] = [0, 1].map(|i| self.image_from_cloth.row(i).abs().dot(extent));
        (
            span(middle.x - x_axis, middle.x + x_axis, canvas.width),
            span(middle.y - y_axis, middle.y + y_axis, canvas.height),
        )
    }

    /// Adds `value(x, y)` (metres on the cloth) in every pixel of a rectangle.
    fn add(
        &self,
        lost: &mut [f32],
        canvas: &Canvas,
        center: DVec2,
        extent: DVec2,
        value: impl Fn(f32, f32) -> f32,
    ) {
        let (columns, rows) = self.pixels(center, extent, canvas);
        let (start, end) = (
            columns.start.max(self.columns.start),
            columns.end.min(self.columns.end),
        );
        if start >= end {
            return;
        }
        let [a, b, c, d] = self.cloth_from_image;
        let left = (start as f64 - self.center.x) as f32;
        for y in rows.start.max(self.rows.start)..rows.end.min(self.rows.end) {
            let dy = (y as f64 - self.center.y) as f32;
            let first = (y - self.rows.start) * self.columns.len();
            let row = &mut lost[first + start - self.columns.start..first + end - self.columns.start];
            for (i, lost) in row.iter_mut().enumerate() {
                let dx = left + i as f32;
                *lost += value(a * dx + c * dy, b * dx + d * dy);
            }
        }
    }
}
