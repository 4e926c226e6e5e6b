//! `state`: the table, its balls and the cue.

use ghostball_world::{BallKind, BallSnapshot, CueSnapshot, PocketName, Snapshot, TableGeometry};
use glam::DVec2;
use schemars::JsonSchema;
use serde::Serialize;

use super::Issue;
use super::color::color_of;
use crate::WallTime;
use crate::space::{Point, Projection, Space};

/// How much of a state a client wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StateQuality {
    /// Of the balls only track_id, id, type, position and is_moving.
    Low,
    /// Everything.
    #[default]
    Full,
}

/// The data of a `state` message. Lengths are in the unit of the space, except those of `table.dimensions`, which are
/// always metres. What is short comes first: who looks for nothing else need not read the rest, six kilobytes.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct StateData {
    sequence: u64,
    frame_number: u64,
    ball_count: usize,
    captured_at: WallTime,
    timestamp: WallTime,
    balls: Vec<BallData>,
    cue: Option<CueData>,
    table: Option<TableData>,
}

impl StateData {
    pub(crate) fn new(snapshot: &Snapshot, space: Space, quality: StateQuality, issue: Issue) -> Self {
        let projection = Projection::new(space, snapshot);
        let balls: Vec<_> = snapshot
            .balls
            .iter()
            .filter_map(|ball| BallData::new(ball, &projection, quality, issue.captured_at))
            .collect();
        Self {
            ball_count: balls.len(),
            balls,
            cue: snapshot
                .cue
                .as_ref()
                .and_then(|cue| CueData::new(cue, snapshot, &projection)),
            table: snapshot
                .table
                .as_ref()
                .and_then(|table| TableData::new(table, &projection)),
            frame_number: snapshot.frame_number,
            sequence: issue.sequence,
            captured_at: issue.captured_at,
            timestamp: issue.timestamp,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct BallData {
    track_id: u32,
    id: String,
    r#type: &'static str,
    position: Point,
    is_moving: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    details: Option<BallDetails>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BallDetails {
    /// 0 for the cue ball, 1 to 15 once known, else null.
    number: Option<u8>,
    color: &'static str,
    velocity: Point,
    radius: f64,
    is_cue_ball: bool,
    is_pocketed: bool,
    visible: bool,
    confidence: f64,
    last_update: f64,
}

impl BallData {
    fn new(
        ball: &BallSnapshot,
        projection: &Projection<'_>,
        quality: StateQuality,
        captured_at: WallTime,
    ) -> Option<Self> {
        let details = match quality {
            StateQuality::Low => None,
            StateQuality::Full => Some(BallDetails {
                number: match ball.kind {
                    BallKind::Cue => Some(0),
                    _ => ball.number,
                },
                color: color_of(ball.kind, ball.number),
                velocity: projection.velocity(ball.position_in_table, ball.velocity_in_table)?,
                radius: projection.length(ball.position_in_table, ball.radius)?,
                is_cue_ball: ball.kind == BallKind::Cue,
                // A potted ball has left the snapshot.
                is_pocketed: false,
                visible: ball.seen_in_image.is_some(),
                confidence: round_share(ball.confidence),
                last_update: (captured_at.as_secs() * 1e3).round() / 1e3,
            }),
        };
        Some(Self {
            track_id: ball.track_id.0,
            id: ball.name(),
            r#type: ball.kind.name(),
            position: projection.ball(ball)?,
            is_moving: ball.is_moving,
            details,
        })
    }
}

/// The cue. Elevation and force are 0: a single camera from above does not measure them.
#[derive(Debug, Serialize, JsonSchema)]
struct CueData {
    detected: bool,
    is_visible: bool,
    /// That of the tip.
    position: Point,
    tip_position: Point,
    butt_position: Point,
    /// Direction from butt to tip, degrees from the x axis towards the y axis of the space, above -180, to 180.
    angle: f64,
    elevation: f64,
    estimated_force: f64,
    /// What is seen of the stick.
    length: f64,
    /// `resting`, `aiming` or `striking`.
    state: &'static str,
    /// The stroke that goes on: `practice`, `strike`, or null.
    stroke: Option<&'static str>,
    /// The ball it points at.
    aimed_ball_id: Option<String>,
    confidence: f64,
}

impl CueData {
    fn new(cue: &CueSnapshot, snapshot: &Snapshot, projection: &Projection<'_>) -> Option<Self> {
        let [tip, butt] = projection.cue(cue)?;
        let (dx, dy) = (tip.x - butt.x, tip.y - butt.y);
        Some(Self {
            detected: true,
            is_visible: cue.in_image.is_some(),
            position: tip,
            tip_position: tip,
            butt_position: butt,
            angle: round_degrees(libm::atan2(dy, dx)),
            elevation: 0.0,
            estimated_force: 0.0,
            length: projection.round_length(libm::hypot(dx, dy)),
            state: cue.state.name(),
            stroke: cue.state.stroke(),
            aimed_ball_id: cue.aimed_ball.map(|ball| snapshot.name_of(ball)),
            confidence: round_share(cue.pose.confidence),
        })
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct TableData {
    calibrated: bool,
    corners: [Point; 4],
    playing_area_corners: [Point; 4],
    pockets: [Point; 6],
    pocket_positions: [Point; 6],
    pocket_radius: f64,
    dimensions: Dimensions,
    width: f64,
    height: f64,
    rails: [Point; 0],
}

/// Playing surface, metres: `width` along the long axis.
#[derive(Debug, Serialize, JsonSchema)]
struct Dimensions {
    width: f64,
    height: f64,
}

impl TableData {
    fn new(table: &TableGeometry, projection: &Projection<'_>) -> Option<Self> {
        let corners = projection.corners(table)?;
        let pockets = pockets_on_the_wire(table);
        let mut positions = [corners[0]; 6];
        let mut radius_sum = 0.0;
        for (position, index) in positions.iter_mut().zip(pockets) {
            let pocket = table.pockets_in_image[index];
            *position = projection.point_in_image(pocket.center)?;
            let center_in_table = table.table_from_image.apply(pocket.center);
            let radius_in_table = pocket.radius * table.table_from_image.scale_at(pocket.center);
            radius_sum += projection.length(center_in_table, radius_in_table)?;
        }
        Some(Self {
            calibrated: true,
            corners,
            playing_area_corners: corners,
            pockets: positions,
            pocket_positions: positions,
            pocket_radius: projection.round_length(radius_sum / 6.0),
            dimensions: Dimensions {
                width: table.length,
                height: table.width,
            },
            width: table.length,
            height: table.width,
            rails: [],
        })
    }
}

/// Which pocket of the table comes in which place: TL TM TR BL BM BR, rows as a client reads them, where the world goes
/// round the table. Told by where they lie, so that a table that stands upright in the picture is right as well.
fn pockets_on_the_wire(table: &TableGeometry) -> [usize; 6] {
    let pockets_in_table = table.pockets_in_table();
    let half = 0.5 * DVec2::new(table.length, table.width);
    let places = [
        (-1.0, 1.0),
        (0.0, 1.0),
        (1.0, 1.0),
        (-1.0, -1.0),
        (0.0, -1.0),
        (1.0, -1.0),
    ];
    places.map(|(x, y)| {
        let place = half * DVec2::new(x, y);
        (0..PocketName::ALL.len())
            .min_by(|a, b| {
                let distance = |i: &usize| pockets_in_table[*i].distance_squared(place);
                distance(a).total_cmp(&distance(b))
            })
            .unwrap_or(0)
    })
}

/// Three digits are more than any confidence is good for.
pub(super) fn round_share(share: f64) -> f64 {
    (share * 1e3).round() / 1e3
}

/// Degrees to a hundredth.
pub(super) fn round_degrees(radians: f64) -> f64 {
    (radians.to_degrees() * 1e2).round() / 1e2 + 0.0
}

#[cfg(test)]
mod tests {
    use ghostball_world::{TableSighting, TableSpecification};

    use super::*;
    use crate::fixture;

    #[test]
    fn pockets_come_in_rows_on_the_wire() {
        assert_eq!(pockets_on_the_wire(&fixture::table()), [0, 1, 2, 5, 4, 3]);
    }

    #[test]
    fn an_upright_table_is_turned_before_its_pockets_are_told() {
        // In the picture: TL TR / middle left and right / BL BR, going round clockwise as the world has it.
        let lying = fixture::table();
        let turned = |p: DVec2| DVec2::new(p.y, 1280.0 - p.x);
        let [tl, tr, br, bl] = lying.corners_in_image.map(turned);
        let mut pockets = lying.pockets_in_image;
        for pocket in &mut pockets {
            pocket.center = turned(pocket.center);
        }
        // Turned by 90 degrees counter-clockwise, the picture's top left corner is what was the top right one.
        let sighting = TableSighting {
            corners_in_image: [tr, br, bl, tl],
            pockets_in_image: pockets,
            ball_radius_px: 11.25,
            lens: None,
            confidence: 1.0,
        };
        let table = TableGeometry::from_sighting(&sighting, &TableSpecification::default()).unwrap();
        assert_eq!(pockets_on_the_wire(&table), [0, 1, 2, 5, 4, 3]);
        let snapshot = Snapshot {
            table: Some(table),
            ..fixture::snapshot()
        };
        let data = TableData::new(&table, &Projection::new(Space::Canvas4k, &snapshot)).unwrap();
        assert_eq!((data.corners[0].x, data.corners[0].y), (320.0, 280.0));
        assert_eq!((data.pockets[1].x, data.pockets[1].y), (1920.0, 280.0));
    }
}
