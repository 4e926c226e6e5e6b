//! What a ray from the camera meets of what stands still, and in which colour.

use ghostball_physics::PocketShape;
use ghostball_world::BallSet;
use glam::{DVec2, DVec3};

use crate::camera::Camera;
use crate::cloth::{cloth_brightness, cloth_grain, cloth_wear, floor_brightness, wood_brightness};
use crate::color::{Linear, linear, mixed, plus, scaled, smooth_step};
use crate::look::{ClothMark, Look, Sights};
use crate::table_model::TableModel;

/// What a ray from the camera meets first. Points are metres in table space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Surface {
    Floor(DVec2),
    /// By its place in the look's list.
    FloorThing(usize, DVec2),
    Wood(DVec2),
    Sight,
    Casting(DVec2),
    Rim(f64),
    Hole(f64),
    CushionTop(DVec2, f64),
    CushionFace(f64),
    Bed(DVec2),
    /// Within a pixel of a line, which may be thinner than a pixel.
    BedByLine(DVec2),
    Line(DVec2),
}

impl Surface {
    /// Equal for points between which nothing has an edge.
    pub fn class(self) -> u8 {
        match self {
            Self::Floor(_) => 0,
            Self::Wood(_) => 1,
            Self::Sight => 2,
            Self::Casting(_) => 3,
            Self::Rim(_) => 4,
            Self::Hole(_) => 5,
            Self::CushionTop(..) => 6,
            Self::CushionFace(_) => 7,
            Self::Bed(_) => BED,
            Self::BedByLine(_) | Self::Line(_) => FINE,
            Self::FloorThing(i, _) => FINE
                .saturating_add(1)
                .saturating_add(u8::try_from(i).unwrap_or(u8::MAX)),
        }
    }

    pub fn is_hole(self) -> bool {
        matches!(self, Self::Hole(_))
    }

    pub fn is_bed(self) -> bool {
        matches!(self, Self::Bed(_) | Self::BedByLine(_) | Self::Line(_))
    }
}

/// The class of bare cloth.
pub(crate) const BED: u8 = 8;
/// The class of what one ray per pixel never shows right.
pub(crate) const FINE: u8 = 9;

/// Floor below the bed, metres: a table stands 0.8 m high.
const FLOOR_HEIGHT: f64 = -0.8;
const OUTER_CORNER_RADIUS: f64 = 0.05;
const RIM_WIDTH: f64 = 0.016;

/// What the painter needs for every ray.
pub(crate) struct Painter<'a> {
    table: &'a TableModel,
    look: &'a Look,
    camera: &'a Camera,
    seed: u64,
    center_in_image: DVec2,
    /// Half a rectangle of the bed into which no pocket reaches.
    quiet_half: DVec2,
    /// Size of a pixel on the bed, metres.
    pixel: f64,
    cloth: Linear,
    wood: Linear,
    rim: Linear,
    casting: Linear,
    floor: Linear,
    sight: Linear,
    liner: Linear,
    depths: Linear,
}

impl<'a> Painter<'a> {
    pub fn new(
        table: &'a TableModel,
        look: &'a Look,
        camera: &'a Camera,
        seed: u64,
        width: usize,
        height: usize,
    ) -> Self {
        let reaches = table
            .shape
            .pockets
            .iter()
            .map(|pocket| pocket.center.abs() - pocket.radius);
        // A pocket leaves the quiet rectangle alone that ends before it in one direction: corner pockets, in both.
        let quiet = reaches.fold(table.half_size(), |quiet, reach| {
            if reach.x > 0.0 {
                quiet.min(reach)
            } else {
                quiet.with_y(quiet.y.min(reach.y))
            }
        });
        Self {
            quiet_half: quiet,
            table,
            look,
            camera,
            seed,
            center_in_image: 0.5 * DVec2::new(width as f64 - 1.0, height as f64 - 1.0),
            pixel: camera.position().z / camera.focal_px(),
            cloth: look.lit(look.cloth),
            wood: look.lit(look.wood),
            rim: look.lit(look.rim),
            casting: look.lit(look.casting.unwrap_or(look.wood)),
            floor: look.lit(look.floor),
            sight: look.lit([226, 222, 208]),
            liner: linear([34, 32, 31]),
            depths: linear([9, 9, 10]),
        }
    }

    /// What is seen at a point of the picture.
    pub fn surface(&self, at: DVec2) -> Surface {
        self.surface_along(self.ray(at))
    }

    /// Direction of what is seen at a point of the picture.
    pub fn ray(&self, at: DVec2) -> DVec3 {
        self.camera.ray(at)
    }

    /// What is seen in a direction.
    pub fn surface_along(&self, ray: DVec3) -> Surface {
        let origin = self.camera.position();
        let hit = |height: f64| (origin + ray * ((height - origin.z) / ray.z)).truncate();
        let table = self.table;
        let half = table.half_size();
        // Nothing but cloth reaches here: most rays need no further question.
        let bed = hit(0.0);
        if is_within(bed, self.quiet_half) && is_within(hit(table.shape.cushion_height), half) {
            return self.on_the_bed(bed);
        }

        let top = hit(table.rail_height);
        if !within_rounded(top, table.half_outer_size(), OUTER_CORNER_RADIUS) {
            let floor = hit(FLOOR_HEIGHT);
            let thing = self
                .look
                .floor_things
                .iter()
                .rposition(|thing| thing.contains(floor));
            return thing.map_or(Surface::Floor(floor), |i| Surface::FloorThing(i, floor));
        }
        let nose = hit(table.shape.cushion_height);
        let nearest = |point: DVec2| {
            table
                .shape
                .pockets
                .iter()
                .map(|pocket| (pocket.center.distance(point) - pocket.radius, pocket))
                .min_by(|a, b| a.0.total_cmp(&b.0))
        };
        if is_within(nose, half) {
            return self.below_noses(bed, nearest(bed));
        }
        if let Some(cushion) = table.cushions.iter().find(|cushion| cushion.contains(nose)) {
            let across = cushion.depth_at(nose) / table.cushion_width;
            return Surface::CushionTop(nose, across);
        }
        if let Some((beyond, pocket)) = nearest(top) {
            let is_behind_cushions = !is_within(top, half + DVec2::splat(table.cushion_width));
            if beyond < 0.0 {
                return match nearest(bed) {
                    Some((depth, _)) if depth < 0.0 => Surface::Hole(-depth / pocket.radius),
                    _ => self.beyond_the_shelf(top, bed, pocket),
                };
            }
            if beyond < RIM_WIDTH && is_outside_of(top, half, pocket) {
                return Surface::Rim(beyond / RIM_WIDTH);
            }
            if !is_behind_cushions {
                return self.below_noses(bed, nearest(bed));
            }
            if self.look.casting.is_some() && is_in_casting(top, table, pocket) {
                return Surface::Casting(top - pocket.center);
            }
        }
        if self.is_sight(top) {
            Surface::Sight
        } else {
            Surface::Wood(top)
        }
    }

    /// What a ray that passes between the noses meets.
    fn below_noses(&self, bed: DVec2, nearest: Option<(f64, &PocketShape)>) -> Surface {
        if let Some((beyond, pocket)) = nearest
            && beyond < 0.0
        {
            return Surface::Hole(-beyond / pocket.radius);
        }
        if self.table.cushions.iter().any(|cushion| cushion.contains(bed)) {
            let outside = (bed.abs() - self.table.half_size()).max_element();
            return Surface::CushionFace(outside);
        }
        self.on_the_bed(bed)
    }

    fn on_the_bed(&self, bed: DVec2) -> Surface {
        let is_marked = |mark: &ClothMark| {
            let reach = mark.radius + self.pixel;
            mark.center_in_table.distance_squared(bed) < reach * reach
        };
        if self.look.marks.iter().any(is_marked) {
            return Surface::BedByLine(bed);
        }
        if self.look.has_markings {
            let distance = self.distance_from_marking(bed);
            if distance < 0.0 {
                return Surface::Line(bed);
            }
            if distance < self.pixel {
                return Surface::BedByLine(bed);
            }
        }
        Surface::Bed(bed)
    }

    /// Inside the rim but not over the hole at bed level: the liner on the far side, or the shelf of cloth before it.
    fn beyond_the_shelf(&self, top: DVec2, bed: DVec2, pocket: &PocketShape) -> Surface {
        if is_outside_of(bed, self.table.half_size(), pocket) {
            let depth = (pocket.radius - top.distance(pocket.center)) / pocket.radius;
            Surface::Hole(0.2 * depth)
        } else {
            self.below_noses(bed, None)
        }
    }

    fn is_sight(&self, top: DVec2) -> bool {
        let table = self.table;
        let half = table.half_size();
        let (along_reach, across_reach) = match self.look.sights {
            Sights::None => return false,
            Sights::Dots => (0.0065, 0.0065),
            Sights::Diamonds => (0.0065, 0.0135),
        };
        // Centre line of the sights, from the nose: 93 mm (WPA: 3 11/16 inches).
        let line = half + DVec2::splat(0.093);
        let is_marked = |along: f64, off_line: f64, spacing: f64, last: f64| {
            let step = (along / spacing).round();
            let has_sight =
                step.abs() <= last && (table.shape.pockets.is_empty() || spacing * step != 0.0 || last < 2.0);
            let (a, b) = (
                (along - step * spacing).abs() / along_reach,
                off_line.abs() / across_reach,
            );
            has_sight
                && match self.look.sights {
                    Sights::Diamonds => a + b <= 1.0,
                    _ => a * a + b * b <= 1.0,
                }
        };
        is_marked(top.x, top.y.abs() - line.y, table.shape.length / 8.0, 3.0)
            || is_marked(top.y, top.x.abs() - line.x, table.shape.width / 4.0, 1.0)
    }

    /// Distance from what is printed on the cloth, metres; negative on it. Snooker: baulk line, D and spots; pool: head
    /// string and foot spot; carom: spots.
    fn distance_from_marking(&self, bed: DVec2) -> f64 {
        let table = self.table;
        let half = table.half_size();
        let spot = |x: f64, radius: f64| bed.distance(DVec2::new(x, 0.0)) - radius;
        let line = |x: f64, half_width: f64| (bed.x - x).abs() - half_width;
        match table.ball_set {
            BallSet::Snooker => {
                // WPBSA: baulk line 737 mm from the face of the bottom cushion, D of 292 mm, black spot 324 mm from
                // the top cushion.
                let baulk = 0.737 - half.x;
                let from_baulk = bed - DVec2::new(baulk, 0.0);
                let d = if from_baulk.x < 0.0 {
                    (from_baulk.length() - 0.292).abs() - 0.002
                } else {
                    1.0
                };
                line(baulk, 0.002)
                    .min(d)
                    .min(spot(0.0, 0.005))
                    .min(spot(0.5 * half.x, 0.005))
                    .min(spot(half.x - 0.324, 0.005))
            }
            BallSet::Carom => spot(-0.5 * half.x, 0.005)
                .min(spot(0.5 * half.x, 0.005))
                .min(spot(0.0, 0.005)),
            _ => line(-0.5 * half.x, 0.0012).min(spot(0.5 * half.x, 0.008)),
        }
    }

    /// Its colour at this point of the picture.
    pub fn color(&self, surface: Surface, x: f64, y: f64) -> Linear {
        let table = self.table;
        let light = |point: DVec2, height: f64| self.look.irradiance(point.extend(height));
        let color = match surface {
            Surface::Floor(at) | Surface::FloorThing(_, at) => {
                // The table keeps the lamps off the floor beside it.
                let beside = (at.abs() - table.half_outer_size()).max_element() as f32;
                let shade = 0.25 + 0.45 * smooth_step(-0.1, 0.5, beside);
                let color = match surface {
                    Surface::FloorThing(i, _) => self.look.lit(self.look.floor_things[i].color),
                    _ => self.floor,
                };
                scaled(
                    color,
                    shade * light(at, FLOOR_HEIGHT) * floor_brightness(at, self.seed),
                )
            }
            Surface::Wood(at) => {
                let half = table.half_size();
                let out = at.abs() - half;
                let is_long_rail = out.y > out.x;
                let grain = if is_long_rail {
                    at
                } else {
                    at.perp() + DVec2::new(0.0, 7.0)
                };
                // Rounded towards its edges: a little lighter inside, darker at the outer edge.
                let across =
                    ((out.max_element() - table.cushion_width) / table.rail_width).clamp(0.0, 1.0) as f32;
                let round =
                    0.78 + 0.3 * smooth_step(0.0, 0.18, across) - 0.5 * smooth_step(0.82, 1.0, across);
                // Lacquer throws back some of the lamps' light.
                let gloss = scaled(self.look.light, 0.012);
                let wood = scaled(self.wood, wood_brightness(grain, self.seed) * round);
                scaled(plus(wood, gloss), light(at, table.rail_height))
            }
            Surface::Sight => self.sight,
            Surface::Casting(from_pocket) => {
                let bevel = 0.85 + 0.25 * smooth_step(-0.1, 0.1, (from_pocket.y - from_pocket.x) as f32);
                scaled(
                    self.casting,
                    bevel * light(from_pocket, table.rail_height).clamp(0.3, 1.0),
                )
            }
            Surface::Rim(across) => {
                let round = 0.5 + 1.6 * (across * (1.0 - across)) as f32 * 2.0;
                scaled(self.rim, round)
            }
            Surface::Hole(depth) => mixed(self.liner, self.depths, smooth_step(0.0, 0.35, depth as f32)),
            Surface::CushionTop(at, across) => {
                // The top slopes: bright along the nose's edge, in the rail's shade at the back.
                let across = across as f32;
                let slope =
                    0.86 + 0.2 * smooth_step(0.06, 0.0, across) - 0.22 * smooth_step(0.85, 1.0, across);
                let cloth = cloth_brightness(at, self.look.cloth_texture, self.seed ^ 99);
                scaled(self.cloth, slope * cloth * light(at, table.shape.cushion_height))
            }
            Surface::CushionFace(outside) => {
                let shade = 0.34 - 0.12 * smooth_step(0.0, 0.02, outside as f32);
                scaled(self.cloth, shade)
            }
            Surface::Bed(at) => scaled(self.cloth, self.bed_light(at)),
            Surface::BedByLine(at) => {
                let marked = self.look.marks.iter().fold(self.cloth, |cloth, mark| {
                    let strength = mark.strength_at(at, self.seed);
                    if strength > 0.0 {
                        mixed(cloth, self.look.lit(mark.color), strength)
                    } else {
                        cloth
                    }
                });
                scaled(marked, self.bed_light(at))
            }
            Surface::Line(at) => {
                let ink = match table.ball_set {
                    BallSet::Snooker => scaled(self.cloth, 0.3),
                    _ if at.x < 0.0 => scaled(self.cloth, 0.62),
                    _ => scaled(self.cloth, 0.35),
                };
                scaled(ink, self.bed_light(at))
            }
        };
        scaled(color, self.vignette(x, y))
    }

    /// Brightness of the bed: lamps, cloth, and the cushions' soft shade beside them.
    fn bed_light(&self, at: DVec2) -> f32 {
        self.bed_grain(
            at,
            self.look.irradiance(at.extend(0.0)),
            cloth_wear(at, self.seed),
        )
    }

    fn bed_grain(&self, at: DVec2, light: f32, wear: f32) -> f32 {
        let inside = (self.table.half_size() - at.abs()).min_element().max(0.0);
        let shade = 1.0 - 0.22 * smooth_step(0.05, -0.012, inside as f32);
        let cloth = 1.0 + self.look.cloth_texture as f32 * (cloth_grain(at, self.seed) + wear);
        shade * cloth * light
    }

    /// The light, the cloth's wear and the point of the bed in a direction, if there is nothing but bare cloth within
    /// `reach` pixels of it.
    pub fn bare_bed(&self, ray: DVec3, reach: f64) -> Option<BareBed> {
        let origin = self.camera.position();
        let hit = |height: f64| (origin + ray * ((height - origin.z) / ray.z)).truncate();
        let bed = hit(0.0);
        // Twice the size of a pixel at the middle: rays meet the bed aslant near the corners.
        let room = DVec2::splat(2.0 * reach * self.pixel);
        let is_bare = is_within(bed, self.quiet_half - room)
            && is_within(
                hit(self.table.shape.cushion_height),
                self.table.half_size() - room,
            )
            && !(self.look.has_markings && self.distance_from_marking(bed) < self.pixel + room.x)
            && self
                .look
                .marks
                .iter()
                .all(|mark| mark.center_in_table.distance(bed) > mark.radius + self.pixel + room.x);
        is_bare.then(|| BareBed {
            point: bed,
            light: self.look.irradiance(bed.extend(0.0)),
            wear: cloth_wear(bed, self.seed),
        })
    }

    /// Colour of bare cloth at a pixel of a block.
    pub fn bare_bed_color(&self, bed: &BareBed, x: f64, y: f64) -> Linear {
        let light = self.bed_grain(bed.point, bed.light, bed.wear);
        scaled(self.cloth, light * self.vignette(x, y))
    }

    fn vignette(&self, x: f64, y: f64) -> f32 {
        let from_center = (DVec2::new(x, y) - self.center_in_image) / self.center_in_image.x.max(1.0);
        1.0 - (self.look.vignetting * from_center.length_squared()) as f32
    }

    /// Mean colour of a pixel and the shares of the bed and of pockets in it.
    pub fn supersampled(&self, x: usize, y: usize) -> (Linear, [f32; 2]) {
        const SIDE: usize = 4;
        let mut sum = [0.0; 3];
        let (mut bed, mut hole) = (0.0, 0.0);
        for i in 0..SIDE * SIDE {
            let step = |i: usize| (i as f64 + 0.5) / SIDE as f64 - 0.5;
            let at = DVec2::new(x as f64 + step(i % SIDE), y as f64 + step(i / SIDE));
            let surface = self.surface(at);
            bed += f32::from(u8::from(surface.is_bed()));
            hole += f32::from(u8::from(surface.is_hole()));
            sum = plus(sum, self.color(surface, at.x, at.y));
        }
        let share = 1.0 / (SIDE * SIDE) as f32;
        (scaled(sum, share), [bed * share, hole * share])
    }
}

/// What varies slowly over the bed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BareBed {
    /// Metres in table space.
    point: DVec2,
    light: f32,
    wear: f32,
}

impl BareBed {
    /// `self` at 0, `other` at 1.
    pub fn lerp(&self, other: &Self, share: f32) -> Self {
        Self {
            point: self.point.lerp(other.point, f64::from(share)),
            light: self.light + share * (other.light - self.light),
            wear: self.wear + share * (other.wear - self.wear),
        }
    }
}

fn is_within(point: DVec2, half: DVec2) -> bool {
    point.x.abs() <= half.x && point.y.abs() <= half.y
}

fn within_rounded(point: DVec2, half: DVec2, radius: f64) -> bool {
    let beyond = (point.abs() - (half - DVec2::splat(radius))).max(DVec2::ZERO);
    beyond.length_squared() <= radius * radius
}

/// Whether a point lies on the far side of a pocket, as seen from the bed.
fn is_outside_of(point: DVec2, half: DVec2, pocket: &PocketShape) -> bool {
    let center = pocket.center;
    let is_side_pocket = center.x.abs() < 0.5 * half.x;
    let point = point * center.signum();
    let center = center.abs();
    if is_side_pocket {
        point.y > half.y + 0.5 * (center.y - half.y)
    } else {
        point.x > half.x || point.y > half.y
    }
}

fn is_in_casting(top: DVec2, table: &TableModel, pocket: &PocketShape) -> bool {
    let from = (top - pocket.center).abs();
    let reach = pocket.radius + 0.035;
    let is_side_pocket = pocket.center.x.abs() < 0.25 * table.shape.length;
    if is_side_pocket {
        from.x < reach
    } else {
        from.x.max(from.y) < 1.5 * reach
    }
}
