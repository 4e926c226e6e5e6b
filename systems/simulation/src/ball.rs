//! Balls as the camera sees them: shaded spheres.

use glam::{DMat3, DVec2, DVec3};

use crate::ball_paint::BallPaint;
use crate::camera::{Camera, EllipseInImage};
use crate::canvas::Canvas;
use crate::color::{Encoder, Linear, scaled, smooth_step, times};
use crate::look::Look;
use crate::scene::SceneBall;
use crate::stage::Stage;
use crate::tile::Tile;

/// Lamps that one ball can have; more give no light to balls.
const MOST_LAMPS: usize = 8;
/// A fast ball is drawn at this many moments at most while the shutter is open.
const MOST_MOMENTS: usize = 32;

/// The light one ball stands in, in axes of its own: x to the right and y down in the picture, z to the camera.
struct BallLight {
    lamps: [LampLight; MOST_LAMPS],
    lamp_count: usize,
    up: [f32; 3],
    ambient: f32,
    color: Linear,
    /// What the cloth throws back.
    bounce: Linear,
    /// Of all of it.
    share: f32,
}

#[derive(Clone, Copy, Default)]
struct LampLight {
    direction: [f32; 3],
    strength: f32,
    /// Cosines between which its reflection fades out.
    glint: [f32; 2],
}

/// Height of the centre of a potted ball, metres: it hangs in a net or lies on a rail below the slate.
const POTTED_HEIGHT: f64 = -0.07;
/// Light that falls into a pocket, share of that on the bed.
const POTTED_LIGHT: f32 = 0.35;

/// Draws a ball over the canvas; a potted one only where `holes` (share of pocket in each pixel, 0 to 255) lets it.
pub(crate) fn draw_ball(
    canvas: &mut Canvas,
    tile: &mut Tile,
    stage: &Stage,
    ball: &SceneBall,
    radius: f64,
    holes: Option<&[u8]>,
) {
    let paint = &BallPaint::new(ball.kind, ball.number, stage.look.has_spotted_cue_ball);
    let Stage {
        camera,
        look,
        encoder,
    } = *stage;
    let height = if holes.is_some() { POTTED_HEIGHT } else { radius };
    let center = ball.position_in_table.extend(height);
    let travel = half_travel(look, ball);
    let outline_at = |at| camera.ellipse_through_lens(&camera.sphere_outline(at, radius));
    let ends = [center - travel, center + travel].map(outline_at);
    let blur_px = ends[0].center.distance(ends[1].center);
    // A pixel and a half apart, the steps vanish in the soft edge.
    let moments = ((blur_px / 1.5).ceil() as usize).clamp(1, MOST_MOMENTS);

    let low = ends.map(|e| e.center - e.half_extent());
    let high = ends.map(|e| e.center + e.half_extent());
    let low = low[0].min(low[1]) - 1.0;
    let high = high[0].max(high[1]) + 1.0;
    if !tile.cover(canvas, low.to_array(), high.to_array()) {
        return;
    }

    let axes = axes_towards_camera(camera, center);
    let mut light = BallLight::new(look, center, &axes, outline_at(center).circle().radius);
    if holes.is_some() {
        light.share = POTTED_LIGHT;
    }
    let body_from_view = (DMat3::from_quat(ball.table_from_body).transpose() * axes).as_mat3();
    let to_body = body_from_view.to_cols_array_2d();
    let weight = 1.0 / moments as f32;
    for moment in 0..moments {
        let share = (2 * moment + 1) as f64 / moments as f64 - 1.0;
        let outline = camera.sphere_outline(center + share * travel, radius);
        draw_moment(tile, camera, &outline, &light, encoder, paint, &to_body, weight);
    }
    if let Some(holes) = holes {
        tile.mask(holes, canvas.width);
    }
    tile.blend(canvas);
}

/// Half of the way that a ball goes while the shutter is open, metres in table space.
pub(crate) fn half_travel(look: &Look, ball: &SceneBall) -> DVec3 {
    0.5 * look.exposure_secs * ball.velocity_in_table.extend(0.0)
}

/// Columns: right, down (in the picture) and towards the camera, orthonormal, as seen at a ball.
fn axes_towards_camera(camera: &Camera, center: DVec3) -> DMat3 {
    let toward = (camera.position() - center).normalize_or(DVec3::Z);
    let [right, ..] = camera.axes();
    let right = right.reject_from_normalized(toward).normalize_or(DVec3::X);
    // Right-handed with z towards the camera, y would point up in the picture: turned over.
    let down = right.cross(toward);
    DMat3::from_cols(right, down, toward)
}

/// `outline` is that in the pinhole's picture.
#[expect(
    clippy::too_many_arguments,
    reason = "all of one ball, taken apart once for its moments"
)]
fn draw_moment(
    tile: &mut Tile,
    camera: &Camera,
    outline: &EllipseInImage,
    light: &BallLight,
    encoder: &Encoder,
    paint: &BallPaint,
    to_body: &[[f32; 3]; 3],
    weight: f32,
) {
    let shape = outline.unit_from_offset.as_mat2().to_cols_array();
    // Steps in the picture, as steps in the pinhole's picture, on the unit disc: for the width of the soft edge.
    let derivative = camera.lens_derivative(outline.center).inverse();
    let slope = (derivative.transpose() * outline.unit_from_offset)
        .as_mat2()
        .to_cols_array();
    let shown = camera.ellipse_through_lens(outline);
    let half = shown.half_extent();
    let blur = (1.0 / shown.circle().radius) as f32;
    let (left, right) = (tile.left, tile.left + tile.width);
    let first = |low: f64, start: usize| (low.max(0.0) as usize).max(start);
    let last = |high: f64, end: usize| (high.max(0.0) as usize).min(end);
    let rows = first(shown.center.y - half.y - 1.0, tile.top)
        ..last(shown.center.y + half.y + 2.0, tile.top + tile.height);
    let columns = first(shown.center.x - half.x - 1.0, left)..last(shown.center.x + half.x + 2.0, right);
    for y in rows {
        let row = tile.row(y);
        for x in columns.clone() {
            let in_pinhole = camera.pinhole_from_image(DVec2::new(x as f64, y as f64));
            let [dx, dy] = (in_pinhole - outline.center).as_vec2().to_array();
            // On the unit disc; the root of the quadratic form grows by |slope · q| / |q| per pixel.
            let (qx, qy) = (shape[0] * dx + shape[2] * dy, shape[1] * dx + shape[3] * dy);
            let squared = qx * qx + qy * qy;
            let from_center = squared.sqrt();
            let (gx, gy) = (slope[0] * qx + slope[2] * qy, slope[1] * qx + slope[3] * qy);
            let gradient = (gx * gx + gy * gy).sqrt() / from_center.max(1e-6);
            let coverage = (0.5 + (1.0 - from_center) / gradient.max(1e-6)).clamp(0.0, 1.0);
            if coverage == 0.0 {
                continue;
            }
            // Pixels on the edge show the outermost surface.
            let scale = if squared > 0.98 {
                (0.98 / squared).sqrt()
            } else {
                1.0
            };
            let (nx, ny) = (qx * scale, qy * scale);
            let normal = [nx, ny, (1.0 - nx * nx - ny * ny).max(0.0).sqrt()];
            let body = [0, 1, 2]
                .map(|i| to_body[0][i] * normal[0] + to_body[1][i] * normal[1] + to_body[2][i] * normal[2]);
            let yuv = encoder.yuv(light.shade(paint.at(body, blur), normal));
            let weight = coverage * weight;
            let sample = &mut row[x - left];
            sample[0] += weight;
            sample[1] += weight * yuv[0];
            sample[2] += weight * yuv[1];
            sample[3] += weight * yuv[2];
        }
    }
}

impl BallLight {
    fn new(look: &Look, center: DVec3, axes: &DMat3, radius_px: f64) -> Self {
        let to_view = |direction: DVec3| (axes.transpose() * direction).as_vec3().to_array();
        let mut lamps = [LampLight::default(); MOST_LAMPS];
        for (light, lamp) in lamps.iter_mut().zip(&look.lamps) {
            let to_lamp = lamp.position - center;
            let distance = to_lamp.length();
            let direction = to_lamp / distance;
            // As on a horizontal surface, without the cosine there: the ball has its own.
            let strength = lamp.share * lamp.falloff(center) / direction.z.max(0.05);
            // The reflection of a small lamp is still as wide as the camera's own blur.
            let angle = (lamp.radius / distance).max(2.2 / radius_px).min(0.7);
            *light = LampLight {
                direction: to_view(direction),
                strength: strength as f32,
                glint: [1.5, 0.35].map(|wide| libm::cos(wide * angle) as f32),
            };
        }
        let ambient = look.ambient_share() as f32;
        let cloth = look.lit(look.cloth);
        Self {
            lamps,
            lamp_count: look.lamps.len().min(MOST_LAMPS),
            up: to_view(DVec3::Z),
            ambient,
            color: look.light,
            bounce: scaled(cloth, 0.8 * look.irradiance(center)),
            share: 1.0,
        }
    }

    /// Light from a point of the surface with this albedo: Lambert's law for lamps and surroundings, plus what the
    /// polished surface mirrors (Schlick's approximation of Fresnel's law, 4 % head on).
    fn shade(&self, albedo: Linear, normal: [f32; 3]) -> Linear {
        let dot = |a: [f32; 3], b: [f32; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let z = normal[2];
        let mirrored = [2.0 * z * normal[0], 2.0 * z * normal[1], 2.0 * z * z - 1.0];
        let sky = 0.5 + 0.5 * dot(normal, self.up);
        let mut diffuse = self.ambient * sky;
        let mut glints = 0.0;
        for lamp in &self.lamps[..self.lamp_count] {
            let cosine = dot(normal, lamp.direction);
            if cosine > 0.0 {
                diffuse += lamp.strength * cosine;
                glints += smooth_step(lamp.glint[0], lamp.glint[1], dot(mirrored, lamp.direction));
            }
        }
        let grazing = 1.0 - z;
        let squared = grazing * grazing;
        let fresnel = 0.04 + 0.96 * squared * squared * grazing;
        let surroundings = if mirrored[2] > 0.0 { 0.10 } else { 0.03 };
        let gloss = 0.85 * glints + fresnel * surroundings;
        let mut color = times(albedo, self.color);
        for i in 0..3 {
            let bounced = albedo[i] * self.bounce[i] * (1.0 - sky);
            color[i] = self.share * (color[i] * diffuse + bounced + gloss * self.color[i]);
        }
        color
    }
}
