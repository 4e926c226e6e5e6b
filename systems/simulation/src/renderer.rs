//! From a scene to a camera's picture, with its truth.

use ghostball_world::{Picture, PixelFormat};
use glam::DVec2;

use crate::arm::{ArmInImage, draw_arm};
use crate::background::Background;
use crate::ball::{draw_ball, half_travel};
use crate::camera::{Camera, CameraPose, EllipseInImage};
use crate::canvas::{Canvas, SensorNoise};
use crate::color::Encoder;
use crate::cue_stick::{cue_strip, draw_cue};
use crate::look::Look;
use crate::scene::{Scene, SceneCue};
use crate::shadow::Shadows;
use crate::stage::Stage;
use crate::strip::Strip;
use crate::table_model::TableModel;
use crate::tile::Tile;
use crate::truth::{GroundTruth, TrueBall, TrueCue, TrueTable};
use crate::{Game, Random, SimulationError, SimulationOptions};

/// Renders scenes on one table under one camera. What stands still is rendered once, when it is made.
#[derive(Clone, Debug)]
pub struct Renderer {
    table: TableModel,
    look: Look,
    camera: Camera,
    encoder: Encoder,
    background: Background,
    shadows: Shadows,
    noise: SensorNoise,
    random: Random,
    /// The background with the shadows of the balls that rest, and where these rest: they are drawn anew only when
    /// a ball starts or stops.
    resting: Canvas,
    shadows_of: Vec<DVec2>,
    canvas: Canvas,
    scratch: Vec<u8>,
    tile: Tile,
    true_table: TrueTable,
    /// Outline and place in the scene of every ball, the farthest from the camera first.
    outlines: Vec<(f64, EllipseInImage, usize)>,
}

impl Renderer {
    /// Hangs the camera and renders the empty table. The size has to be one that [`SimulationOptions::check`] accepts;
    /// `seed` decides texture and noise.
    pub fn new(
        table: TableModel,
        look: Look,
        pose: &CameraPose,
        width: u32,
        height: u32,
        seed: u64,
    ) -> Result<Self, SimulationError> {
        SimulationOptions {
            width,
            height,
            ..Default::default()
        }
        .check()?;
        let camera = Camera::above(&table, pose, width, height);
        let encoder = Encoder::new();
        let (w, h) = (width as usize, height as usize);
        let mut random = Random::for_purpose(seed, 3);
        let background = Background::new(&table, &look, &camera, &encoder, random.next_u64(), w, h);
        Ok(Self {
            true_table: true_table(&table, &camera),
            noise: SensorNoise::new(look.noise, &mut random),
            canvas: Canvas::new(w, h),
            scratch: Vec::new(),
            resting: background.canvas.clone(),
            shadows_of: Vec::new(),
            shadows: Shadows::new(),
            tile: Tile::default(),
            outlines: Vec::new(),
            table,
            look,
            camera,
            encoder,
            background,
            random,
        })
    }

    /// The table.
    pub fn table(&self) -> &TableModel {
        &self.table
    }

    /// The camera.
    pub fn camera(&self) -> &Camera {
        &self.camera
    }

    /// Where the table is in every picture.
    pub fn true_table(&self) -> &TrueTable {
        &self.true_table
    }

    /// Renders a scene into `picture`, and fills in what `truth` says of balls, cue and table; buffers of both are
    /// used again.
    pub fn render(
        &mut self,
        scene: &Scene,
        format: PixelFormat,
        picture: &mut Picture,
        truth: &mut GroundTruth,
    ) -> Result<(), SimulationError> {
        self.cast_shadows(scene);
        let radius = self.table.ball_radius;
        let (camera, look) = (&self.camera, &self.look);
        let stage = Stage {
            camera,
            look,
            encoder: &self.encoder,
        };
        self.outlines.clear();
        self.outlines
            .extend(scene.balls.iter().enumerate().map(|(i, ball)| {
                let center = ball.position_in_table.extend(radius);
                let distance = camera.position().distance(center);
                let outline = camera.ellipse_through_lens(&camera.sphere_outline(center, radius));
                (distance, outline, i)
            }));
        self.outlines
            .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
        for ball in &scene.potted {
            let holes = Some(&self.background.holes[..]);
            draw_ball(&mut self.canvas, &mut self.tile, &stage, ball, radius, holes);
        }
        for (_, _, i) in &self.outlines {
            let ball = &scene.balls[*i];
            draw_ball(&mut self.canvas, &mut self.tile, &stage, ball, radius, None);
        }
        if let Some(cue) = &scene.cue {
            draw_cue(&mut self.canvas, &mut self.tile, &stage, cue);
        }
        if let Some(arm) = &scene.arm {
            draw_arm(&mut self.canvas, &mut self.tile, &stage, arm);
        }
        self.canvas.soften(look.softness, &mut self.scratch);
        self.canvas
            .deliver(&self.noise, &mut self.random, format, picture)?;
        self.tell(scene, truth);
        Ok(())
    }

    /// Starts the picture: background and all shadows.
    fn cast_shadows(&mut self, scene: &Scene) {
        let radius = self.table.ball_radius;
        let (camera, look, bed) = (&self.camera, &self.look, &self.background.bed);
        let resting = || {
            scene
                .balls
                .iter()
                .filter(|ball| !ball.is_moving)
                .map(|ball| ball.position_in_table)
        };
        if !resting().eq(self.shadows_of.iter().copied()) {
            self.resting.copy_from(&self.background.canvas);
            for position in resting() {
                self.shadows
                    .cast_ball(&mut self.resting, bed, camera, look, position, radius);
            }
            self.shadows_of.clear();
            self.shadows_of.extend(resting());
        }
        self.canvas.copy_from(&self.resting);
        for ball in scene.balls.iter().filter(|ball| ball.is_moving) {
            self.shadows.cast_ball(
                &mut self.canvas,
                bed,
                camera,
                look,
                ball.position_in_table,
                radius,
            );
        }
        if let Some(cue) = &scene.cue {
            self.shadows.cast_cue(&mut self.canvas, bed, camera, look, cue);
        }
        if let Some(arm) = &scene.arm {
            let stage = Stage {
                camera,
                look,
                encoder: &self.encoder,
            };
            self.shadows.cast_arm(&mut self.canvas, bed, &stage, arm);
        }
    }

    fn tell(&self, scene: &Scene, truth: &mut GroundTruth) {
        // It never changes; cloning it each time would allocate.
        if truth.table != self.true_table {
            truth.table.clone_from(&self.true_table);
        }
        let strip = scene.cue.as_ref().map(|cue| cue_strip(&self.camera, cue));
        let arm = scene.arm.as_ref().map(|arm| ArmInImage::new(&self.camera, arm));
        let is_under_arm = |at: DVec2| arm.as_ref().is_some_and(|arm| arm.covers(&self.camera, at));
        let size = DVec2::new(self.canvas.width as f64, self.canvas.height as f64);
        truth.balls.clear();
        for (place, (_, outline, i)) in self.outlines.iter().enumerate() {
            let ball = &scene.balls[*i];
            let nearer = &self.outlines[place + 1..];
            let center = ball.position_in_table.extend(self.table.ball_radius);
            let half = half_travel(&self.look, ball);
            let [from, to] = [center - half, center + half].map(|at| self.camera.project(at));
            truth.balls.push(TrueBall {
                id: ball.id,
                kind: ball.kind,
                number: ball.number,
                position_in_table: ball.position_in_table,
                velocity_in_table: ball.velocity_in_table,
                is_moving: ball.is_moving,
                circle_in_image: outline.circle(),
                streak_in_image: to - from,
                visible_share: visible_share(
                    outline,
                    nearer,
                    strip.as_ref(),
                    arm.is_some().then_some(&is_under_arm),
                    size,
                ),
            });
        }
        truth.balls.sort_unstable_by_key(|ball| ball.id);
        let half = self.table.half_size();
        let is_over_bed = |cue: &&SceneCue| cue.tip.truncate().abs().cmple(half).all();
        truth.cue = scene.cue.as_ref().filter(is_over_bed).map(|cue| TrueCue {
            tip_in_table: cue.tip.truncate(),
            butt_in_table: cue.butt().truncate(),
            tip_in_image: self.camera.project(cue.tip),
            butt_in_image: self.camera.project(cue.butt()),
        });
    }
}

/// Share of an outline that neither nearer balls, the cue nor an arm hide and that is inside the picture, from a grid of points.
fn visible_share(
    outline: &EllipseInImage,
    nearer: &[(f64, EllipseInImage, usize)],
    cue: Option<&Strip>,
    is_under_arm: Option<&impl Fn(DVec2) -> bool>,
    size: DVec2,
) -> f64 {
    const SIDE: usize = 16;
    let extent = outline.half_extent();
    let touches = |other: &EllipseInImage| {
        let reach = extent + other.half_extent();
        (outline.center - other.center).abs().cmplt(reach).all()
    };
    let is_inside = |at: DVec2| at.cmpge(DVec2::splat(-0.5)).all() && at.cmplt(size - 0.5).all();
    let is_free = is_under_arm.is_none()
        && is_inside(outline.center - extent)
        && is_inside(outline.center + extent)
        && !nearer.iter().any(|other| touches(&other.1))
        && cue.is_none_or(|strip| {
            let at = strip.at(outline.center);
            let reach = at.half_px + extent.max_element();
            at.off_px.abs() > reach || at.beyond_px < -reach
        });
    if is_free {
        return 1.0;
    }
    let offset_from_unit = outline.unit_from_offset.inverse();
    let (mut all, mut seen) = (0_u32, 0_u32);
    for i in 0..SIDE * SIDE {
        let step = |i: usize| (2 * i + 1) as f64 / SIDE as f64 - 1.0;
        let unit = DVec2::new(step(i % SIDE), step(i / SIDE));
        if unit.length_squared() > 1.0 {
            continue;
        }
        all += 1;
        let at = outline.center + offset_from_unit * unit;
        let is_hidden = !is_inside(at)
            || nearer.iter().any(|other| other.1.contains(at))
            || cue.is_some_and(|strip| strip.coverage(at) > 0.5)
            || is_under_arm.is_some_and(|is_under| is_under(at));
        seen += u32::from(!is_hidden);
    }
    f64::from(seen) / f64::from(all.max(1))
}

fn true_table(table: &TableModel, camera: &Camera) -> TrueTable {
    let corners_at = |height: f64| table.corners_in_table().map(|c| camera.project(c.extend(height)));
    TrueTable {
        corners_in_image: corners_at(table.shape.cushion_height),
        corners_at_ball_height_in_image: corners_at(table.ball_radius),
        pockets_in_image: table
            .shape
            .pockets
            .iter()
            .map(|pocket| {
                let center = pocket.center.extend(0.0);
                camera
                    .ellipse_through_lens(&camera.circle_outline(center, pocket.radius))
                    .circle()
            })
            .collect(),
    }
}

/// Renders one scene on a nine-foot pool table, 1280x720, planes of YUV 4:2:0: a fixture in one line.
/// For another table, size or many pictures make a [`Renderer`].
pub fn render_scene(
    scene: &Scene,
    look: &Look,
    pose: &CameraPose,
) -> Result<(Picture, GroundTruth), SimulationError> {
    let table = TableModel::for_game(Game::EightBall);
    let mut renderer = Renderer::new(table, look.clone(), pose, 1280, 720, 1)?;
    let (mut picture, mut truth) = (Picture::default(), GroundTruth::default());
    renderer.render(scene, PixelFormat::Yuv420, &mut picture, &mut truth)?;
    Ok((picture, truth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SceneBall;
    use ghostball_world::BallKind;

    /// One ball in even light: no glints, no cast shadows.
    fn evenly_lit() -> Look {
        Look {
            lamps: Vec::new(),
            vignetting: 0.0,
            cloth: [20, 60, 40],
            ..Look::plain()
        }
    }

    #[test]
    fn a_ball_is_drawn_where_the_truth_says() {
        for seed in 0..4 {
            let mut random = Random::from_seed(seed);
            let pose = CameraPose::random(&mut random);
            let position = DVec2::new(random.between(-1.2, 1.2), random.between(-0.55, 0.55));
            let ball = SceneBall::at_rest(7, BallKind::Cue, None, position);
            let scene = Scene {
                balls: vec![ball],
                ..Scene::default()
            };
            let (picture, truth) = render_scene(&scene, &evenly_lit(), &pose).unwrap();
            let circle = truth.balls[0].circle_in_image;
            let planes = picture.planes().unwrap();
            // Bright ball on dark cloth: a pixel belongs to it by the share of the way from one to the other.
            let (mut sum, mut total) = (DVec2::ZERO, 0.0);
            let reach = circle.radius + 4.0;
            let (low, high) = (circle.center - reach, circle.center + reach);
            for y in low.y as usize..=high.y as usize {
                for x in low.x as usize..=high.x as usize {
                    let share = ((f64::from(planes.luma.at(x, y)) - 55.0) / 80.0).clamp(0.0, 1.0);
                    sum += share * DVec2::new(x as f64, y as f64);
                    total += share;
                }
            }
            let found = sum / total;
            assert!(found.distance(circle.center) < 0.1, "{found} {circle:?}");
            let radius = (total / core::f64::consts::PI).sqrt();
            assert!((radius - circle.radius).abs() < 0.2, "{radius} {circle:?}");
        }
    }

    #[test]
    fn the_bed_in_the_picture_ends_at_the_true_corners() {
        let table = TableModel::for_game(Game::EightBall);
        let look = evenly_lit();
        let mut renderer = Renderer::new(table, look, &CameraPose::default(), 1280, 720, 1).unwrap();
        let (mut picture, mut truth) = (Picture::default(), GroundTruth::default());
        renderer
            .render(&Scene::default(), PixelFormat::Grey, &mut picture, &mut truth)
            .unwrap();
        // Halfway between two pockets the nose's edge is where the dark face below it begins.
        let [tl, tr, ..] = truth.table.corners_in_image;
        let nose = tl.lerp(tr, 0.25);
        let luma = |dy: f64| {
            let (x, y) = (nose.x.round() as usize, (nose.y + dy).round() as usize);
            i32::from(picture.bytes()[y * 1280 + x])
        };
        assert!(luma(-2.0) > luma(2.0) + 10, "{} {}", luma(-2.0), luma(2.0));
        assert_eq!(truth.table.pockets_in_image.len(), 6);
    }

    #[test]
    fn what_hides_a_ball_takes_from_its_visible_share() {
        let ball = |id, x| SceneBall::at_rest(id, BallKind::Cue, None, DVec2::new(x, 0.0));
        let cue = SceneCue {
            tip: DVec2::new(0.1, 0.0).extend(0.06),
            direction: DVec2::X,
            elevation: 0.05,
            length: SceneCue::USUAL_LENGTH,
        };
        let scene = Scene {
            balls: vec![ball(1, 0.0), ball(2, 0.5)],
            cue: Some(cue),
            ..Scene::default()
        };
        let (_, truth) = render_scene(&scene, &Look::plain(), &CameraPose::default()).unwrap();
        let shares = [truth.balls[0].visible_share, truth.balls[1].visible_share];
        assert!((0.4..0.95).contains(&shares[0]), "{shares:?}");
        assert_eq!(shares[1], 1.0);
    }
}
