//! Tables as data: the standard ones of `assets/tables.toml`, or one's own in the same form.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::{BallProperties, Physics, PhysicsError, PocketDimensions, TableShape};

const STANDARD_TABLES: &str = include_str!("../../../assets/tables.toml");

/// A table with the balls it is made for, as `assets/tables.toml` has it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableData {
    /// What it is, for people.
    pub description: String,
    /// Playing surface between the cushion noses along x, metres.
    pub length: f64,
    /// Playing surface between the cushion noses along y, metres.
    pub width: f64,
    /// Height of the cushion noses above the cloth, metres.
    pub cushion_height: f64,
    /// The balls, and how cloth and cushions act on them.
    pub ball: BallProperties,
    /// Its pockets; none on a carom table.
    pub pockets: Option<PocketDimensions>,
}

/// Why a file of tables is of no use.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableDataError {
    /// It is not TOML of the form of `assets/tables.toml`.
    #[error("the tables are not as expected: {0}")]
    Form(#[from] toml::de::Error),
    /// A number makes no sense.
    #[error("table {name:?}")]
    Table {
        /// The table.
        name: String,
        /// What is wrong with it.
        source: PhysicsError,
    },
}

impl TableData {
    /// The standard tables by name: `pool7`, `pool8`, `pool9`, `snooker`, `carom`.
    pub fn standard() -> Result<BTreeMap<String, Self>, TableDataError> {
        Self::parse(STANDARD_TABLES)
    }

    /// The tables of a text in the form of `assets/tables.toml`, by name.
    pub fn parse(text: &str) -> Result<BTreeMap<String, Self>, TableDataError> {
        let tables: BTreeMap<String, Self> = toml::from_str(text)?;
        for (name, table) in &tables {
            table.check().map_err(|source| TableDataError::Table {
                name: name.clone(),
                source,
            })?;
        }
        Ok(tables)
    }

    /// What the balls meet.
    pub fn shape(&self) -> TableShape {
        let radius = self.ball.radius;
        let shape = match &self.pockets {
            Some(pockets) => TableShape::with_pockets(self.length, self.width, radius, pockets),
            None => TableShape::without_pockets(self.length, self.width, radius),
        };
        TableShape {
            cushion_height: self.cushion_height,
            ..shape
        }
    }

    /// Its laws, with the default models of collision.
    pub fn physics(&self) -> Physics {
        Physics {
            ball: self.ball,
            ..Physics::default()
        }
    }

    fn check(&self) -> Result<(), PhysicsError> {
        for (name, found) in [
            ("length", self.length),
            ("width", self.width),
            ("cushion height", self.cushion_height),
        ] {
            if !(found > 0.0 && found.is_finite()) {
                return Err(PhysicsError::BadProperty {
                    name,
                    expected: "a positive number",
                    found,
                });
            }
        }
        crate::error::check(&self.shape(), &self.physics(), &[])
    }
}

/// Reads an angle in degrees as radians.
pub(crate) fn degrees<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    f64::deserialize(deserializer).map(f64::to_radians)
}

#[cfg(test)]
mod tests {
    use glam::DVec2;

    use super::*;
    use crate::{BallMotion, BallState, Limits, Simulator};

    #[test]
    fn every_standard_table_can_be_played_on_and_holds_its_balls() {
        let tables = TableData::standard().expect("sound");
        let names: Vec<&str> = tables.keys().map(String::as_str).collect();
        assert_eq!(names, ["carom", "pool7", "pool8", "pool9", "snooker"]);
        let mut simulator = Simulator::new();
        for (name, table) in &tables {
            let shape = table.shape();
            assert_eq!(shape.pockets.len(), if name == "carom" { 0 } else { 6 });
            for step in 0..360 {
                let (sin, cos) = libm::sincos(f64::from(step).to_radians());
                let velocity = 6.0 * DVec2::new(cos, sin);
                let ball = BallState::rolling(DVec2::new(0.3, -0.1), velocity, &table.ball);
                let shot = simulator
                    .run(&shape, &table.physics(), &[ball], &Limits::default())
                    .expect("sound");
                let end = shot.end[0];
                let stays = shape.holds(end.position, -table.ball.radius);
                assert!(end.motion.is_pocketed() || stays, "{name} {step}: {end:?}");
            }
        }
    }

    #[test]
    fn a_ball_rolled_along_the_axis_of_each_standard_pocket_is_potted() {
        let mut simulator = Simulator::new();
        for (name, table) in TableData::standard().expect("sound") {
            let shape = table.shape();
            for (index, pocket) in shape.pockets.iter().enumerate() {
                // Middle pockets open across the table, the others along the diagonals of their corners.
                let outward = match index {
                    1 | 4 => DVec2::new(0.0, pocket.center.y.signum()),
                    _ => pocket.center.signum().normalize(),
                };
                let start = pocket.center - 0.4 * outward;
                let ball = BallState::rolling(start, 1.5 * outward, &table.ball);
                let shot = simulator
                    .run(&shape, &table.physics(), &[ball], &Limits::default())
                    .expect("sound");
                assert_eq!(shot.end[0].motion, BallMotion::Pocketed(index), "{name}");
            }
        }
    }

    #[test]
    fn the_tables_of_the_data_are_those_that_are_made_for_their_balls() {
        let tables = TableData::standard().expect("sound");
        let made = |table: &TableData, pockets| {
            TableShape::with_pockets(table.length, table.width, table.ball.radius, &pockets)
        };
        let (pool, snooker) = (&tables["pool9"], &tables["snooker"]);
        for (table, made) in [
            (pool, made(pool, PocketDimensions::pool(pool.ball.radius))),
            (
                snooker,
                made(snooker, PocketDimensions::snooker(snooker.ball.radius)),
            ),
        ] {
            let shape = table.shape();
            assert_eq!(shape.cushions.len(), made.cushions.len());
            for (data, made) in shape.cushions.iter().zip(&made.cushions) {
                assert!(data.start.abs_diff_eq(made.start, 1e-12) && data.end.abs_diff_eq(made.end, 1e-12));
            }
            for (data, made) in shape.pockets.iter().zip(&made.pockets) {
                assert!(data.center.abs_diff_eq(made.center, 1e-12) && data.radius == made.radius);
            }
        }
        assert_eq!(pool.physics(), Physics::default());
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said_by_name() {
        let changed = |from: &str, to: &str| {
            let error = TableData::parse(&STANDARD_TABLES.replacen(from, to, 1)).expect_err("refused");
            let source = std::error::Error::source(&error).map(ToString::to_string);
            format!("{error}: {}", source.unwrap_or_default())
        };
        let error = changed("length = 1.9812", "length = 0");
        assert_eq!(
            error,
            "table \"pool7\": length: expected a positive number, found 0"
        );
        let error = changed("mass = 0.170097", "mass = -1.0");
        assert_eq!(
            error,
            "table \"pool7\": ball mass: expected a positive number, found -1"
        );
        assert!(changed("length = 1.9812", "lenght = 1.9812").contains("unknown field `lenght`"));
    }
}
