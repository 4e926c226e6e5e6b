//! The files that `ghostball simulate` plays, and the way from their space into table space and back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use glam::{DVec2, DVec3};
use serde::Deserialize;

use super::{CaseError, SimulateError};
use crate::physics::{
    BallBallModel, BallMotion, BallProperties, BallState, CushionModel, CushionSegment, Jaw, Physics,
    PocketShape, Strike, TableData, TableShape, strike,
};

pub(super) const FORMAT: &str = "pooltool-reference/1";

/// The longest file, unpacked: a hundred times the reference's. A few kilobytes of gzip can hold all zeros of the world.
pub(super) const MAX_BYTES: u64 = 1 << 28;

/// A file of shots to play, with the tables, balls and laws that they name.
#[derive(Deserialize)]
pub struct CaseFile {
    #[serde(default)]
    cue: CueSpecification,
    configs: BTreeMap<String, Configuration>,
    #[serde(default)]
    tables: BTreeMap<String, CaseTable>,
    #[serde(default)]
    ball_params: BTreeMap<String, CaseBall>,
    pub(super) cases: Vec<Case>,
}

#[derive(Deserialize)]
struct CueSpecification {
    #[serde(rename = "M")]
    mass: f64,
    end_mass: f64,
}

impl Default for CueSpecification {
    fn default() -> Self {
        let strike = Strike::default();
        Self {
            mass: strike.stick_mass,
            end_mass: strike.end_mass,
        }
    }
}

#[derive(Deserialize)]
struct Configuration {
    ball_ball: String,
    ball_cushion: String,
}

#[derive(Deserialize)]
pub(super) struct CaseTable {
    dims: CaseDimensions,
    linear: Vec<LinearCushion>,
    circular: Vec<CircularCushion>,
    pockets: Vec<CasePocket>,
}

#[derive(Deserialize)]
struct CaseDimensions {
    l: f64,
    w: f64,
    cushion_height: f64,
}

#[derive(Deserialize)]
struct LinearCushion {
    id: String,
    p1: [f64; 3],
    p2: [f64; 3],
    /// Side of the line lx x + ly y + l0 = 0 that balls touch: 0 the negative, 1 the positive, 2 both.
    direction: u8,
    lx: f64,
    ly: f64,
}

#[derive(Deserialize)]
struct CircularCushion {
    id: String,
    center: [f64; 3],
    radius: f64,
}

#[derive(Deserialize)]
struct CasePocket {
    id: String,
    center: [f64; 3],
    radius: f64,
}

#[derive(Deserialize)]
struct CaseBall {
    m: f64,
    #[serde(rename = "R")]
    radius: f64,
    u_s: f64,
    u_r: f64,
    u_sp: f64,
    e_b: f64,
    e_c: f64,
    f_c: f64,
    g: f64,
}

/// [s, x, y, vx, vy, wx, wy, wz]
pub(super) type StateRow = [f64; 8];

#[derive(Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    config: String,
    table: String,
    /// The balls; left out, those that a standard table is made for.
    params: Option<String>,
    #[serde(default)]
    cue_ball: String,
    balls: BTreeMap<String, [f64; 2]>,
    strike: Option<CaseStrike>,
    post_strike: Option<StateRow>,
    initial_motion: Option<BTreeMap<String, InitialMotion>>,
}

/// How a ball moves at the start of a case without a strike.
#[derive(Deserialize)]
struct InitialMotion {
    state: u8,
    vx: f64,
    vy: f64,
    wx: f64,
    wy: f64,
    wz: f64,
}

#[derive(Deserialize)]
struct CaseStrike {
    #[serde(rename = "V0")]
    speed: f64,
    phi: f64,
    theta: f64,
    a: f64,
    b: f64,
}

/// The space of the case files over a playing surface of this length and width.
#[derive(Clone, Copy)]
pub(super) struct CaseSpace {
    length: f64,
    width: f64,
}

impl CaseSpace {
    fn table_from_case(self, [x, y]: [f64; 2]) -> DVec2 {
        DVec2::new(y - 0.5 * self.length, 0.5 * self.width - x)
    }

    fn state_from_case(self, [s, x, y, vx, vy, wx, wy, wz]: StateRow) -> Result<BallState, CaseError> {
        let position = self.table_from_case([x, y]);
        let state = BallState::moving(position, DVec2::new(vy, -vx), DVec3::new(wy, -wx, wz));
        let motion = match s {
            // As its velocity and spin say.
            0.0 => state.motion,
            1.0 => BallMotion::Spinning,
            2.0 => BallMotion::Sliding,
            3.0 => BallMotion::Rolling,
            found => return Err(CaseError::State(found)),
        };
        Ok(BallState { motion, ..state })
    }

    pub(super) fn case_from_state(self, state: &BallState) -> StateRow {
        let motion = match state.motion {
            BallMotion::Stationary => 0.0,
            BallMotion::Spinning => 1.0,
            BallMotion::Sliding => 2.0,
            BallMotion::Rolling => 3.0,
            BallMotion::Pocketed(_) => 4.0,
        };
        let (position, velocity, spin) = (state.position, state.velocity, state.spin);
        [
            motion,
            0.5 * self.width - position.y,
            position.x + 0.5 * self.length,
            -velocity.y,
            velocity.x,
            -spin.y,
            spin.x,
            spin.z,
        ]
    }
}

/// A table in table space, and the names of its parts in the order of their indices.
pub(super) struct PlayedTable {
    pub(super) space: CaseSpace,
    pub(super) shape: TableShape,
    pub(super) cushions: Vec<String>,
    pub(super) jaws: Vec<String>,
    pub(super) pockets: Vec<String>,
}

impl PlayedTable {
    /// The table of a case: the file's, or the standard one of that name.
    pub(super) fn of(
        file: &CaseFile,
        standard: &BTreeMap<String, TableData>,
        case: &Case,
    ) -> Result<Self, CaseError> {
        if let Some(table) = file.tables.get(&case.table) {
            return Self::from_case(table);
        }
        standard
            .get(&case.table)
            .map(Self::from_data)
            .ok_or_else(|| CaseError::UnknownTable {
                name: case.table.clone(),
                known: standard.keys().cloned().collect::<Vec<_>>().join(", "),
            })
    }

    /// A standard table; its cushions and jaws are numbered, its pockets named as in the case files: left or right, then
    /// bottom, centre or top.
    fn from_data(table: &TableData) -> Self {
        let shape = table.shape();
        let numbered = |count: usize| (0..count).map(|i| i.to_string()).collect();
        Self {
            space: CaseSpace {
                length: table.length,
                width: table.width,
            },
            cushions: numbered(shape.cushions.len()),
            jaws: numbered(shape.jaws.len()),
            pockets: ["lb", "lc", "lt", "rt", "rc", "rb"].map(str::to_owned).to_vec(),
            shape,
        }
    }

    fn from_case(table: &CaseTable) -> Result<Self, CaseError> {
        let space = CaseSpace {
            length: table.dims.l,
            width: table.dims.w,
        };
        let place = |[x, y, _]: [f64; 3]| space.table_from_case([x, y]);
        let mut played = Self {
            space,
            shape: TableShape {
                length: table.dims.l,
                width: table.dims.w,
                cushion_height: table.dims.cushion_height,
                ..TableShape::default()
            },
            cushions: Vec::new(),
            jaws: table.circular.iter().map(|jaw| jaw.id.clone()).collect(),
            pockets: table.pockets.iter().map(|pocket| pocket.id.clone()).collect(),
        };
        for cushion in &table.linear {
            let positive = DVec2::new(cushion.ly, -cushion.lx).normalize_or_zero();
            let sides: &[f64] = match cushion.direction {
                0 => &[-1.0],
                1 => &[1.0],
                2 => &[-1.0, 1.0],
                _ => &[],
            };
            if sides.is_empty() || positive == DVec2::ZERO || cushion.p1 == cushion.p2 {
                return Err(CaseError::Cushion(cushion.id.clone()));
            }
            for side in sides {
                let (start, end) = (place(cushion.p1), place(cushion.p2));
                played
                    .shape
                    .cushions
                    .push(CushionSegment::facing(start, end, start + *side * positive));
                played.cushions.push(cushion.id.clone());
            }
        }
        played.shape.jaws.extend(table.circular.iter().map(|jaw| Jaw {
            center: place(jaw.center),
            radius: jaw.radius,
        }));
        played
            .shape
            .pockets
            .extend(table.pockets.iter().map(|pocket| PocketShape {
                center: place(pocket.center),
                radius: pocket.radius,
            }));
        Ok(played)
    }
}

/// Reads a file of cases, packed with gzip or plain.
pub fn read(path: &Path) -> Result<CaseFile, SimulateError> {
    let in_reading = |source| SimulateError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(|source| SimulateError::Open {
        path: path.to_owned(),
        source,
    })?;
    let read = |from: &mut dyn Read| {
        let mut bytes = Vec::new();
        from.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(in_reading)?;
        match bytes.len() as u64 {
            0..=MAX_BYTES => Ok(bytes),
            _ => Err(SimulateError::TooLong {
                path: path.to_owned(),
            }),
        }
    };
    let mut bytes = read(&mut &file)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bytes = read(&mut MultiGzDecoder::new(bytes.as_slice()))?;
    }
    let in_parsing = |source| SimulateError::Parse {
        path: path.to_owned(),
        source,
    };
    // The format first: a file of another one would be refused for a detail otherwise.
    #[derive(Deserialize)]
    struct Format {
        format: String,
    }
    let Format { format } = serde_json::from_slice(&bytes).map_err(in_parsing)?;
    if format != FORMAT {
        return Err(SimulateError::Format {
            path: path.to_owned(),
            found: format,
        });
    }
    serde_json::from_slice(&bytes).map_err(in_parsing)
}

fn find<'a, T>(of: &'a BTreeMap<String, T>, kind: &'static str, name: &str) -> Result<&'a T, CaseError> {
    of.get(name).ok_or_else(|| CaseError::Unknown {
        kind,
        name: name.to_owned(),
    })
}

/// The balls of a case: the file's, or those of a standard table.
fn balls_of(
    file: &CaseFile,
    standard: &BTreeMap<String, TableData>,
    case: &Case,
) -> Result<BallProperties, CaseError> {
    let Some(params) = &case.params else {
        return find(standard, "ball parameters", &case.table).map(|table| table.ball);
    };
    let ball = find(&file.ball_params, "ball parameters", params)?;
    Ok(BallProperties {
        radius: ball.radius,
        mass: ball.m,
        sliding_friction: ball.u_s,
        rolling_friction: ball.u_r,
        spin_deceleration: 2.5 * ball.u_sp * ball.g / ball.radius,
        ball_restitution: ball.e_b,
        cushion_restitution: ball.e_c,
        cushion_friction: ball.f_c,
        gravity: ball.g,
    })
}

pub(super) fn physics_of(
    file: &CaseFile,
    standard: &BTreeMap<String, TableData>,
    case: &Case,
) -> Result<Physics, CaseError> {
    let configuration = find(&file.configs, "configuration", &case.config)?;
    let ball_ball = match configuration.ball_ball.as_str() {
        name if name.starts_with("frictionless_elastic") => BallBallModel::FrictionlessElastic,
        name if name.starts_with("frictional_inelastic") => BallBallModel::Frictional,
        name => {
            return Err(CaseError::UnknownModel {
                kind: "ball-ball",
                known: "frictionless_elastic, frictional_inelastic",
                found: name.to_owned(),
            });
        }
    };
    let cushion = match configuration.ball_cushion.as_str() {
        name if name.starts_with("han_2005") => CushionModel::Han,
        name if name.starts_with("stronge_compliant") => CushionModel::StrongeCompliant,
        name => {
            return Err(CaseError::UnknownModel {
                kind: "cushion",
                known: "han_2005, stronge_compliant",
                found: name.to_owned(),
            });
        }
    };
    Ok(Physics {
        ball: balls_of(file, standard, case)?,
        ball_ball,
        cushion,
    })
}

/// Names and states of a case's balls at the start, in order of name.
pub(super) fn start_of<'a>(
    file: &CaseFile,
    case: &'a Case,
    table: &PlayedTable,
    properties: &BallProperties,
) -> Result<(Vec<&'a str>, Vec<BallState>), CaseError> {
    let space = table.space;
    let names: Vec<&str> = case.balls.keys().map(String::as_str).collect();
    let mut balls: Vec<BallState> = case
        .balls
        .values()
        .map(|&position| BallState::at_rest(space.table_from_case(position)))
        .collect();
    let index_of = |name: &str| {
        names
            .iter()
            .position(|&ball| ball == name)
            .ok_or_else(|| CaseError::Unknown {
                kind: "ball",
                name: name.to_owned(),
            })
    };
    if let Some(motions) = &case.initial_motion {
        for (name, motion) in motions {
            let [x, y] = *find(&case.balls, "ball", name)?;
            balls[index_of(name)?] = space.state_from_case([
                motion.state.into(),
                x,
                y,
                motion.vx,
                motion.vy,
                motion.wx,
                motion.wy,
                motion.wz,
            ])?;
        }
    } else if let Some(row) = case.post_strike {
        balls[index_of(&case.cue_ball)?] = space.state_from_case(row)?;
    } else if let Some(shot) = &case.strike {
        let ball = &mut balls[index_of(&case.cue_ball)?];
        let (velocity, spin) = strike(
            properties,
            &Strike {
                stick_speed: shot.speed,
                direction: (shot.phi - 90.0).to_radians(),
                offset_left: shot.a,
                offset_up: shot.b,
                elevation: shot.theta.to_radians(),
                stick_mass: file.cue.mass,
                end_mass: file.cue.end_mass,
            },
        );
        *ball = BallState::moving(ball.position, velocity, spin);
    } else {
        return Err(CaseError::NoStart);
    }
    Ok((names, balls))
}
