//! A player's arm over the table, as the camera sees it: chest, sleeve, forearm, hand and fingers.

use core::ops::Range;

use glam::{DVec2, DVec3};

use crate::camera::Camera;
use crate::canvas::Canvas;
use crate::color::{linear, scaled, times};
use crate::look::Lamp;
use crate::scene::SceneArm;
use crate::stage::Stage;
use crate::tile::{Tile, span};

/// A rounded, tapering part: both ends in metres of table space, the radius at each, and whether it is skin.
#[derive(Clone, Copy, Debug)]
struct Part {
    ends: [DVec3; 2],
    radii: [f64; 2],
    is_skin: bool,
}

/// From the chest to the tips of the fingers; what is drawn later lies above.
fn parts(arm: &SceneArm) -> Vec<Part> {
    let forward = arm.direction.extend(0.0);
    let aside = arm.direction.perp().extend(0.0);
    let knuckles = arm.hand_in_table.extend(0.045);
    let wrist = knuckles - 0.085 * forward + 0.02 * DVec3::Z;
    let elbow = wrist - 0.26 * forward + 0.10 * DVec3::Z;
    let shoulder = elbow - 0.35 * forward - 0.12 * aside + 0.22 * DVec3::Z;
    let chest = shoulder - 0.25 * forward + 0.1 * aside;
    let cuff = wrist.lerp(elbow, arm.bare_share);
    let part = |start, end, radii, is_skin| Part {
        ends: [start, end],
        radii,
        is_skin,
    };
    let mut parts = vec![
        part(shoulder, chest, [0.11, 0.19], false),
        part(elbow, wrist, [0.042, 0.028], true),
        part(shoulder, elbow, [0.068, 0.055], false),
        part(elbow, cuff, [0.055, 0.042], false),
    ];
    for (i, length) in [0.062, 0.074, 0.07, 0.055].into_iter().enumerate() {
        let side = i as f64 - 1.5;
        let root = knuckles + 0.02 * side * aside;
        let way = (forward + arm.spread * side * aside).normalize_or(DVec3::X);
        let tip = root + length * way - 0.03 * DVec3::Z;
        parts.push(part(root, tip, [0.010, 0.0075], true));
    }
    let thumb = wrist + 0.03 * forward - 0.03 * aside;
    let thumb_tip = thumb + 0.055 * forward - 0.03 * aside - 0.03 * DVec3::Z;
    parts.push(part(thumb, thumb_tip, [0.014, 0.009], true));
    parts.push(part(wrist, knuckles, [0.03, 0.038], true));
    parts
}

/// The outline of one part in the pinhole's picture.
#[derive(Clone, Copy, Debug)]
struct Outline {
    ends: [DVec2; 2],
    radii_px: [f64; 2],
}

impl Outline {
    fn new(camera: &Camera, ends: [DVec3; 2], radii: [f64; 2]) -> Self {
        Self {
            ends: ends.map(|end| camera.project_by_pinhole(end)),
            radii_px: [0, 1].map(|i| camera.focal_px() * radii[i] / camera.depth(ends[i]).max(0.1)),
        }
    }

    /// Distance of a point from the axis, in radii there, and the radius, pixels.
    fn at(&self, point_in_pinhole: DVec2) -> (f64, f64) {
        let [start, end] = self.ends;
        let way = end - start;
        let share = ((point_in_pinhole - start).dot(way) / way.length_squared().max(1e-9)).clamp(0.0, 1.0);
        let radius = self.radii_px[0] + share * (self.radii_px[1] - self.radii_px[0]);
        let off = point_in_pinhole.distance(start + share * way);
        (off / radius.max(1e-3), radius)
    }
}

/// An arm in the picture.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArmInImage {
    outlines: Vec<(Outline, bool)>,
}

impl ArmInImage {
    pub fn new(camera: &Camera, arm: &SceneArm) -> Self {
        let outline = |part: &Part| (Outline::new(camera, part.ends, part.radii), part.is_skin);
        Self {
            outlines: parts(arm).iter().map(outline).collect(),
        }
    }

    /// Whether it hides what is at a point of the picture.
    pub fn covers(&self, camera: &Camera, point_in_image: DVec2) -> bool {
        let at = camera.pinhole_from_image(point_in_image);
        self.outlines.iter().any(|(outline, _)| outline.at(at).0 < 1.0)
    }

    /// Least and greatest coordinates in the picture.
    fn bounds(&self, camera: &Camera) -> [DVec2; 2] {
        let wide = [DVec2::INFINITY, DVec2::NEG_INFINITY];
        self.outlines.iter().fold(wide, |bounds, (outline, _)| {
            (0..=4).fold(bounds, |[low, high], i| {
                let share = f64::from(i) / 4.0;
                let at = camera.image_from_pinhole(outline.ends[0].lerp(outline.ends[1], share));
                let reach = DVec2::splat(outline.radii_px[0].max(outline.radii_px[1]) * 1.3 + 2.0);
                [low.min(at - reach), high.max(at + reach)]
            })
        })
    }
}

/// Draws the arm over the canvas.
pub(crate) fn draw_arm(canvas: &mut Canvas, tile: &mut Tile, stage: &Stage, arm: &SceneArm) {
    let Stage {
        camera,
        look,
        encoder,
    } = *stage;
    let seen = ArmInImage::new(camera, arm);
    let [low, high] = seen.bounds(camera);
    if !tile.cover(canvas, low.to_array(), high.to_array()) {
        return;
    }
    let light = look.irradiance(arm.hand_in_table.extend(0.0));
    let colors = [arm.sleeve, arm.skin].map(|color| scaled(times(linear(color), look.light), light));
    for y in tile.top..tile.top + tile.height {
        let left = tile.left;
        for (x, sample) in (left..).zip(tile.row(y)) {
            let at = camera.pinhole_from_image(DVec2::new(x as f64, y as f64));
            for (outline, is_skin) in &seen.outlines {
                let (off, radius) = outline.at(at);
                let coverage = (0.5 + (1.0 - off) * radius).clamp(0.0, 1.0) as f32;
                if coverage == 0.0 {
                    continue;
                }
                // Rounded: darker towards its sides.
                let round = 1.0 - 0.45 * (off * off).min(1.0) as f32;
                let yuv = encoder.yuv(scaled(colors[usize::from(*is_skin)], round));
                let over = [coverage, coverage * yuv[0], coverage * yuv[1], coverage * yuv[2]];
                for (below, over) in sample.iter_mut().zip(over) {
                    *below = *below * (1.0 - coverage) + over;
                }
            }
        }
    }
    tile.blend(canvas);
}

/// An arm's shadows on the bed, one for each lamp.
pub(crate) struct ArmShadow {
    /// Even-aligned pixels that they can touch.
    pub columns: Range<usize>,
    /// Likewise.
    pub rows: Range<usize>,
    camera: Camera,
    /// The lamp's share of the light, and where the arm keeps it off.
    shadows: Vec<(f32, ArmInImage)>,
}

impl ArmShadow {
    /// In a picture of this width and height; `None` without lamps.
    pub fn new(stage: &Stage, arm: &SceneArm, [width, height]: [usize; 2]) -> Option<Self> {
        let (camera, look) = (stage.camera, stage.look);
        let hand = arm.hand_in_table.extend(0.0);
        let total = f64::from(look.irradiance(hand)).max(1e-6);
        let shadow = |lamp: &Lamp| {
            // Where the lamp's rays through a point meet the bed.
            let down = |point: DVec3| {
                let drop = point.z / (lamp.position.z - point.z).max(0.3);
                (point + (point - lamp.position) * drop).with_z(0.0)
            };
            let outline = |part: &Part| {
                (
                    Outline::new(camera, part.ends.map(down), part.radii),
                    part.is_skin,
                )
            };
            let outlines = parts(arm).iter().map(outline).collect();
            let share = lamp.share * lamp.falloff(hand) / total;
            (share as f32, ArmInImage { outlines })
        };
        let shadows: Vec<_> = look.lamps.iter().map(shadow).collect();
        let bounds = shadows.iter().map(|(_, seen)| seen.bounds(camera));
        let [low, high] = bounds.reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])])?;
        Some(Self {
            columns: span(low.x, high.x, width),
            rows: span(low.y, high.y, height),
            camera: *camera,
            shadows,
        })
    }

    /// Share of the light that is left at a pixel.
    pub fn light(&self, x: usize, y: usize) -> f32 {
        let at = self.camera.pinhole_from_image(DVec2::new(x as f64, y as f64));
        self.shadows.iter().fold(1.0, |light, (share, seen)| {
            let deepest = seen.outlines.iter().fold(0.0_f32, |deepest, (outline, _)| {
                // Full in the middle, gone at 1.3 radii.
                deepest.max(((1.3 - outline.at(at).0) / 0.6).clamp(0.0, 1.0) as f32)
            });
            light - 0.8 * share * deepest
        })
    }
}

#[cfg(test)]
mod tests {
    use ghostball_world::BallKind;
    use glam::DVec2;

    use crate::{CameraPose, Look, Scene, SceneArm, SceneBall, render_scene};

    #[test]
    fn a_ball_under_the_hand_is_hidden_and_one_before_it_is_not() {
        let ball = |id, x| SceneBall::at_rest(id, BallKind::Cue, None, DVec2::new(x, 0.0));
        let arm = SceneArm {
            hand_in_table: DVec2::ZERO,
            direction: DVec2::X,
            spread: 0.1,
            bare_share: 0.5,
            skin: [198, 134, 96],
            sleeve: [40, 60, 90],
        };
        let scene = Scene {
            balls: vec![ball(1, -0.05), ball(2, 0.3)],
            arm: Some(arm),
            ..Scene::default()
        };
        let (picture, truth) = render_scene(&scene, &Look::plain(), &CameraPose::default()).unwrap();
        let shares = [truth.balls[0].visible_share, truth.balls[1].visible_share];
        assert!(shares[0] < 0.3 && shares[1] == 1.0, "{shares:?}");
        let hand = truth.balls[0].circle_in_image.center;
        let [red, _, blue] = picture.rgb_at(hand.x as u32, hand.y as u32);
        assert!(red > blue + 20, "skin: {red} {blue}");
    }

    #[test]
    fn a_potted_ball_is_seen_in_its_pocket_and_is_no_ball_of_the_table() {
        let table = crate::TableModel::for_game(crate::Game::EightBall);
        let pocket = table.shape.pockets[0].center;
        let potted = SceneBall::at_rest(1, BallKind::Cue, None, pocket);
        let with = Scene {
            potted: vec![potted],
            ..Scene::default()
        };
        let shown = |scene: &Scene| render_scene(scene, &Look::plain(), &CameraPose::default()).unwrap();
        let ((with, truth), (without, _)) = (shown(&with), shown(&Scene::default()));
        assert_eq!(truth.balls, []);
        let (mut inside, mut beyond) = (0, 0);
        let circle = truth.table.pockets_in_image[0];
        for y in 0..with.height() {
            for x in 0..with.width() {
                if with.rgb_at(x, y)[1] > without.rgb_at(x, y)[1].saturating_add(40) {
                    let from_center = circle.center.distance(DVec2::new(f64::from(x), f64::from(y)));
                    inside += u32::from(from_center < circle.radius);
                    // The rim lies higher than the hole, and so looks shifted.
                    beyond += u32::from(from_center > 1.5 * circle.radius);
                }
            }
        }
        assert!(inside > 100 && beyond == 0, "{inside} {beyond}");
    }
}
