//! Detection on one specimen, held against its truth.

use ghostball_detection::Detector;
use ghostball_simulation::{GroundTruth, Specimen, TrueBall};
use ghostball_world::{
    BallKind, BallSighting, CircleInImage, Lens, Picture, Sightings, TableGeometry, TableSighting,
    TableSpecification,
};
use glam::DVec2;

/// Less of a ball than this need not be found, and may be.
const LEAST_VISIBLE_SHARE: f64 = 0.5;

/// Where the table comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFrom {
    /// Found in the same picture.
    Picture,
    /// The truth.
    Truth,
}

/// A true ball and what was seen of it.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub truth: TrueBall,
    pub seen: BallSighting,
    /// Between their centres, pixels.
    pub error_px: f64,
}

/// All that there is to say of one picture.
pub struct Outcome {
    pub table: Option<TableSighting>,
    pub pairs: Vec<Pair>,
    pub missed: Vec<TrueBall>,
    pub invented: Vec<BallSighting>,
    /// Mean distance of the table's corners from the true ones, pixels.
    pub corner_error_px: Option<f64>,
    /// Size of a ball at the middle of the table by the true one, less 1.
    pub ball_size_error: Option<f64>,
    /// How far off the pockets' edges towards the middle of the table are, in apparent radii of a ball there.
    pub pocket_errors: Vec<f64>,
    /// Of the balls' places on the cloth, metres; in the order of `pairs`.
    pub place_errors: Vec<f64>,
}

/// A specimen's picture and its truth.
pub struct Rendered {
    pub picture: Picture,
    pub truth: GroundTruth,
    specification: TableSpecification,
    /// Apparent radius of a ball at the middle of the table, pixels.
    ball_radius_px: f64,
    lens: Lens,
}

/// Lets all balls roll that have room for it, so that each draws a streak this many of its radii long, in any direction.
pub fn set_rolling(specimen: &mut Specimen, streak_in_radii: f64) {
    let radius = specimen.hall.table.ball_radius;
    let streak = streak_in_radii * radius;
    let places: Vec<DVec2> = specimen
        .scene
        .balls
        .iter()
        .map(|ball| ball.position_in_table)
        .collect();
    for (i, ball) in specimen.scene.balls.iter_mut().enumerate() {
        let has_room = |other: &DVec2| {
            let distance = other.distance(ball.position_in_table);
            distance == 0.0 || distance > 3.0 * radius + streak
        };
        if places.iter().all(has_room) {
            // Turned by the golden angle from one to the next.
            let direction = DVec2::from_angle(2.399_963 * i as f64);
            ball.velocity_in_table = streak / specimen.hall.look.exposure_secs * direction;
            ball.is_moving = true;
        }
    }
}

impl Rendered {
    pub fn new(specimen: &Specimen) -> Self {
        let mut renderer = specimen.renderer().expect("a specimen can be rendered");
        let (mut picture, mut truth) = (Picture::default(), GroundTruth::default());
        renderer
            .render(&specimen.scene, specimen.format, &mut picture, &mut truth)
            .expect("a specimen can be rendered");
        let specification = renderer.table().specification();
        let radius = renderer.table().ball_radius;
        let camera = renderer.camera();
        let middle = camera.ellipse_through_lens(&camera.sphere_outline(DVec2::ZERO.extend(radius), radius));
        Self {
            picture,
            truth,
            specification,
            ball_radius_px: middle.circle().radius,
            lens: Lens {
                focal_px: camera.focal_px(),
                center_in_image: camera.principal_in_image(),
                radial: [camera.lens().k1, 0.0],
            },
        }
    }

    /// What detection makes of it.
    pub fn look(&self, table_from: TableFrom, detector: &mut Detector) -> Outcome {
        let (picture, truth) = (&self.picture, &self.truth);
        let table = match table_from {
            TableFrom::Picture => detector.find_table(picture).ok(),
            TableFrom::Truth => Some(TableSighting {
                corners_in_image: truth.table.corners_in_image,
                pockets_in_image: pockets(truth),
                ball_radius_px: self.ball_radius_px,
                lens: Some(self.lens),
                confidence: 1.0,
            }),
        };
        let mut sightings = Sightings::default();
        if let Some(table) = &table {
            detector
                .see_balls_and_cue(picture, table, &mut sightings)
                .expect("a picture that shows a table can be looked at");
        }
        let (pairs, missed, invented) = matched(truth, &sightings.balls);
        let geometry = table.and_then(|table| TableGeometry::from_sighting(&table, &self.specification).ok());
        let place_errors = geometry.map(|geometry| {
            let error = |pair: &Pair| {
                let place = geometry.table_from_image.apply(pair.seen.circle.center);
                place.distance(pair.truth.position_in_table)
            };
            pairs.iter().map(error).collect()
        });
        Outcome {
            corner_error_px: table.map(|table| {
                let pairs = table.corners_in_image.iter().zip(&truth.table.corners_in_image);
                pairs.map(|(found, truth)| found.distance(*truth)).sum::<f64>() / 4.0
            }),
            ball_size_error: table.map(|table| table.ball_radius_px / self.ball_radius_px - 1.0),
            pocket_errors: table.map_or(Vec::new(), |table| self.pocket_errors(&table)),
            place_errors: place_errors.unwrap_or_default(),
            table,
            pairs,
            missed,
            invented,
        }
    }

    fn pocket_errors(&self, table: &TableSighting) -> Vec<f64> {
        let corners = self.truth.table.corners_in_image;
        let middle = corners.iter().sum::<DVec2>() / 4.0;
        let edge = |pocket: &CircleInImage| pocket.center.distance(middle) - pocket.radius;
        let truth = self.truth.table.pockets_in_image.iter();
        let pairs = table.pockets_in_image.iter().zip(truth);
        pairs
            .map(|(found, truth)| (edge(found) - edge(truth)).abs() / self.ball_radius_px)
            .collect()
    }
}

/// On a table without pockets: nothing, at the middles of the rails and the corners.
fn pockets(truth: &GroundTruth) -> [CircleInImage; 6] {
    let [tl, tr, br, bl] = truth.table.corners_in_image;
    let at = |center: DVec2| CircleInImage { center, radius: 0.0 };
    let none = [tl, tl.midpoint(tr), tr, br, br.midpoint(bl), bl].map(at);
    truth.table.pockets_in_image.clone().try_into().unwrap_or(none)
}

/// Pairs within half a radius (moving: a radius), closest first; what has to be seen and was not; what is not there.
fn matched(truth: &GroundTruth, seen: &[BallSighting]) -> (Vec<Pair>, Vec<TrueBall>, Vec<BallSighting>) {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (i, ball) in truth.balls.iter().enumerate() {
        let limit = ball.circle_in_image.radius * if ball.is_moving { 1.0 } else { 0.5 };
        for (j, sighting) in seen.iter().enumerate() {
            let error = ball.circle_in_image.center.distance(sighting.circle.center);
            if error <= limit {
                pairs.push((error, i, j));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut taken, mut used) = (vec![false; truth.balls.len()], vec![false; seen.len()]);
    let mut out = Vec::new();
    for (error_px, i, j) in pairs {
        if !taken[i] && !used[j] {
            (taken[i], used[j]) = (true, true);
            let (truth, seen) = (truth.balls[i], seen[j]);
            if truth.visible_share >= LEAST_VISIBLE_SHARE {
                out.push(Pair {
                    truth,
                    seen,
                    error_px,
                });
            }
        }
    }
    let missed = truth.balls.iter().zip(&taken).filter(|(_, taken)| !**taken);
    let missed = missed
        .map(|(ball, _)| *ball)
        .filter(|ball| ball.visible_share >= LEAST_VISIBLE_SHARE);
    let invented = seen
        .iter()
        .zip(&used)
        .filter(|(_, used)| !**used)
        .map(|(ball, _)| *ball);
    (out, missed.collect(), invented.collect())
}

/// Sums over many pictures.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub pictures: usize,
    pub exact: usize,
    pub tables: usize,
    pub missed: usize,
    pub invented: usize,
    /// Of balls at rest, pixels.
    pub errors_px: Vec<f64>,
    /// Of balls that roll, from the middle of the streak, pixels.
    pub rolling_errors_px: Vec<f64>,
    /// Of their streaks' directions, degrees, where they were seen.
    pub streak_turns_deg: Vec<f64>,
    /// Balls at rest that were taken for streaks.
    pub imagined_streaks: usize,
    pub corner_errors_px: Vec<f64>,
    pub ball_size_errors: Vec<f64>,
    pub pocket_errors: Vec<f64>,
    pub radius_errors: Vec<f64>,
    pub place_errors: Vec<f64>,
    pub hits: usize,
    pub kinds: usize,
    pub numbered: usize,
    pub numbers: usize,
}

impl Totals {
    /// Adds one picture.
    pub fn add(&mut self, outcome: &Outcome) {
        self.pictures += 1;
        self.exact += usize::from(outcome.missed.is_empty() && outcome.invented.is_empty());
        self.tables += usize::from(outcome.table.is_some());
        self.missed += outcome.missed.len();
        self.invented += outcome.invented.len();
        self.hits += outcome.pairs.len();
        for pair in &outcome.pairs {
            if !pair.truth.is_moving {
                self.imagined_streaks += usize::from(pair.seen.streak_in_image.is_some());
                self.errors_px.push(pair.error_px);
                let ratio = pair.seen.circle.radius / pair.truth.circle_in_image.radius;
                self.radius_errors.push((ratio - 1.0).abs());
            } else {
                self.rolling_errors_px.push(pair.error_px);
                if let Some(streak) = pair.seen.streak_in_image {
                    let turn = streak.angle_to(pair.truth.streak_in_image).abs();
                    let either_way = turn.min(std::f64::consts::PI - turn);
                    self.streak_turns_deg.push(either_way.to_degrees());
                }
            }
            self.kinds +=
                usize::from(pair.seen.kind == pair.truth.kind && pair.seen.kind != BallKind::Unknown);
            if pair.truth.number.is_some() {
                self.numbered += 1;
                self.numbers += usize::from(pair.seen.number == pair.truth.number);
            }
        }
        self.corner_errors_px.extend(outcome.corner_error_px);
        self.ball_size_errors
            .extend(outcome.ball_size_error.map(f64::abs));
        self.pocket_errors.extend(&outcome.pocket_errors);
        self.place_errors.extend(&outcome.place_errors);
    }

    /// Adds what was found elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.pictures += other.pictures;
        self.exact += other.exact;
        self.tables += other.tables;
        self.missed += other.missed;
        self.invented += other.invented;
        self.hits += other.hits;
        self.kinds += other.kinds;
        self.numbered += other.numbered;
        self.numbers += other.numbers;
        self.errors_px.extend(&other.errors_px);
        self.rolling_errors_px.extend(&other.rolling_errors_px);
        self.streak_turns_deg.extend(&other.streak_turns_deg);
        self.imagined_streaks += other.imagined_streaks;
        self.corner_errors_px.extend(&other.corner_errors_px);
        self.ball_size_errors.extend(&other.ball_size_errors);
        self.pocket_errors.extend(&other.pocket_errors);
        self.radius_errors.extend(&other.radius_errors);
        self.place_errors.extend(&other.place_errors);
    }

    pub fn recall(&self) -> f64 {
        self.hits as f64 / (self.hits + self.missed).max(1) as f64
    }

    pub fn precision(&self) -> f64 {
        self.hits as f64 / (self.hits + self.invented).max(1) as f64
    }
}

impl core::fmt::Display for Totals {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
        write!(
            f,
            "pictures {}  exact {}  tables {}  recall {:.5} (missed {})  precision {:.5} (invented {})  centre {:.3} px \
             (95 % {:.3})  corners {:.2} px (95 % {:.2})  ball size {:.4}  pockets {:.2} (95 % {:.2})  \
             radius {:.4}  kind {:.4}  number {:.4}  place {:.2} mm (95 % {:.2})",
            self.pictures,
            self.exact,
            self.tables,
            self.recall(),
            self.missed,
            self.precision(),
            self.invented,
            mean(&self.errors_px),
            percentile(&self.errors_px, 95),
            mean(&self.corner_errors_px),
            percentile(&self.corner_errors_px, 95),
            mean(&self.ball_size_errors),
            mean(&self.pocket_errors),
            percentile(&self.pocket_errors, 95),
            mean(&self.radius_errors),
            share(self.kinds, self.hits),
            share(self.numbers, self.numbered),
            1e3 * mean(&self.place_errors),
            1e3 * percentile(&self.place_errors, 95),
        )?;
        if !self.rolling_errors_px.is_empty() {
            write!(
                f,
                "  rolling {:.3} px (95 % {:.3})  streaks {} of {}, off by {:.1} deg (95 % {:.1}), imagined {}",
                mean(&self.rolling_errors_px),
                percentile(&self.rolling_errors_px, 95),
                self.streak_turns_deg.len(),
                self.rolling_errors_px.len(),
                mean(&self.streak_turns_deg),
                percentile(&self.streak_turns_deg, 95),
                self.imagined_streaks,
            )?;
        }
        Ok(())
    }
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, value| sum + value) / values.len().max(1) as f64
}

pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get(sorted.len() * percent / 100)
        .copied()
        .unwrap_or_default()
}
