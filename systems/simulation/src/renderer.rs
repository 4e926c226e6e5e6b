//! From a scene to a camera's picture, with its truth.

use ghostball_world::{Picture, PixelFormat};
use glam::DVec2;

use crate::background::Background;
use crate::ball::draw_ball;
use crate::ball_paint::BallPaint;
use crate::camera::{Camera, CameraPose, EllipseInImage};
use crate::canvas::{Canvas, SensorNoise};
use crate::color::Encoder;
use crate::cue_stick::{cue_strip, draw_cue};
use crate::look::Look;
use crate::scene::Scene;
use crate::shadow::Shadows;
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
    canvas: Canvas,
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
        self.canvas.copy_from(&self.background.canvas);
        let radius = self.table.ball_radius;
        let (camera, look) = (&self.camera, &self.look);
        for ball in &scene.balls {
            self.shadows.cast_ball(
                &mut self.canvas,
                &self.background.bed,
                camera,
                look,
                ball.position_in_table,
                radius,
            );
        }
        if let Some(cue) = &scene.cue {
            self.shadows
                .cast_cue(&mut self.canvas, &self.background.bed, camera, look, cue);
        }
        self.outlines.clear();
        self.outlines
            .extend(scene.balls.iter().enumerate().map(|(i, ball)| {
                let center = ball.position_in_table.extend(radius);
                let distance = camera.position().distance(center);
                (distance, camera.sphere_outline(center, radius), i)
            }));
        self.outlines
            .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
        for (_, _, i) in &self.outlines {
            let ball = &scene.balls[*i];
            let paint = BallPaint::new(ball.kind, ball.number, look.has_spotted_cue_ball);
            draw_ball(
                &mut self.canvas,
                &mut self.tile,
                camera,
                look,
                &self.encoder,
                ball,
                &paint,
                radius,
            );
        }
        if let Some(cue) = &scene.cue {
            draw_cue(&mut self.canvas, &mut self.tile, camera, look, &self.encoder, cue);
        }
        self.canvas
            .deliver(&self.noise, &mut self.random, format, picture)?;
        self.tell(scene, truth);
        Ok(())
    }

    fn tell(&self, scene: &Scene, truth: &mut GroundTruth) {
        truth.table.clone_from(&self.true_table);
        let strip = scene.cue.as_ref().map(|cue| cue_strip(&self.camera, cue));
        let size = DVec2::new(self.canvas.width as f64, self.canvas.height as f64);
        truth.balls.clear();
        for (place, (_, outline, i)) in self.outlines.iter().enumerate() {
            let ball = &scene.balls[*i];
            let nearer = &self.outlines[place + 1..];
            truth.balls.push(TrueBall {
                id: ball.id,
                kind: ball.kind,
                number: ball.number,
                position_in_table: ball.position_in_table,
                velocity_in_table: ball.velocity_in_table,
                is_moving: ball.is_moving,
                circle_in_image: outline.circle(),
                visible_share: visible_share(outline, nearer, strip.as_ref(), size),
            });
        }
        truth.balls.sort_unstable_by_key(|ball| ball.id);
        truth.cue = scene.cue.as_ref().map(|cue| TrueCue {
            tip_in_table: cue.tip.truncate(),
            butt_in_table: cue.butt().truncate(),
            tip_in_image: self.camera.project(cue.tip),
            butt_in_image: self.camera.project(cue.butt()),
        });
    }
}

/// Share of an outline that neither nearer balls nor the cue hide and that is inside the picture, from a grid of points.
fn visible_share(
    outline: &EllipseInImage,
    nearer: &[(f64, EllipseInImage, usize)],
    cue: Option<&Strip>,
    size: DVec2,
) -> f64 {
    const SIDE: usize = 16;
    let extent = outline.half_extent();
    let touches = |other: &EllipseInImage| {
        let reach = extent + other.half_extent();
        (outline.center - other.center).abs().cmplt(reach).all()
    };
    let is_inside = |at: DVec2| at.cmpge(DVec2::splat(-0.5)).all() && at.cmplt(size - 0.5).all();
    let is_free = is_inside(outline.center - extent)
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
            || cue.is_some_and(|strip| strip.coverage(at) > 0.5);
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
                let center = pocket.center.extend(table.shape.cushion_height);
                camera.circle_outline(center, pocket.radius).circle()
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
