//! `ghostball simulate`: physics alone, on reference cases.
//!
//! A case file (format `pooltool-reference/1`, JSON, gzip or not) holds tables, ball parameters and shots; a case may name
//! a table of `assets/tables.toml` instead. Its space has the origin in the lower left corner of the playing surface, x
//! across and y along the table; nothing but this module speaks it.

mod cases;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use crate::physics::{Event, EventKind, Limits, PhysicsError, Shot, Simulator, TableData, TableDataError};
use cases::{Case, FORMAT, MAX_BYTES, PlayedTable, StateRow, physics_of, start_of};
pub use cases::{CaseFile, read};

/// Why cases cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The file cannot be opened.
    #[error("cannot open the case file {path} (a .json or .json.gz file)")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be read to its end.
    #[error("cannot read the case file {path} to its end (is it complete?)")]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong, also in unpacking.
        source: io::Error,
    },
    /// The file is longer than any that is meant.
    #[error("the case file {path} is too long: expected at most {MAX_BYTES} bytes unpacked, found more")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file is not JSON of the expected shape.
    #[error("the case file {path} is not as expected")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: serde_json::Error,
    },
    /// The file is of another format.
    #[error("the case file {path} has another format: expected \"{FORMAT}\", found \"{found}\"")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: String,
    },
    /// The standard tables cannot be had.
    #[error(transparent)]
    Tables(#[from] TableDataError),
    /// A case cannot be played.
    #[error("case {id}")]
    Case {
        /// The case.
        id: String,
        /// What is wrong with it.
        source: CaseError,
    },
    /// The results cannot be written.
    #[error("cannot write the results")]
    Write(#[from] io::Error),
}

/// What is wrong with a case.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// It names a table that neither the file nor `assets/tables.toml` has.
    #[error("expected the table \"{name}\" in the file or a standard one ({known}), found none of that name")]
    UnknownTable {
        /// Its name.
        name: String,
        /// The standard tables.
        known: String,
    },
    /// It names something the file does not have.
    #[error("expected the {kind} \"{name}\" in the file, found none of that name")]
    Unknown {
        /// Kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It asks for a collision model that is not built in.
    #[error("expected a {kind} model of {known}, found \"{found}\"")]
    UnknownModel {
        /// Kind of model.
        kind: &'static str,
        /// The models there are.
        known: &'static str,
        /// The model it asks for.
        found: String,
    },
    /// It does not say how the balls start.
    #[error("expected \"post_strike\", \"initial_motion\" or \"strike\", found none")]
    NoStart,
    /// A ball moves in a way that there is not.
    #[error(
        "expected the state of a ball at the start to be 0 (at rest), 1 (spinning), 2 (sliding) or 3 (rolling), found {0}"
    )]
    State(f64),
    /// A cushion has no length or direction.
    #[error("cushion \"{0}\": expected a line through two points and a direction of 0, 1 or 2, found none")]
    Cushion(String),
    /// The shot cannot be simulated.
    #[error(transparent)]
    Physics(#[from] PhysicsError),
}

/// What was simulated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Shots played.
    pub cases: usize,
    /// Events in all of them.
    pub events: usize,
    /// Wall time of each simulation, milliseconds, ascending.
    pub times_ms: Vec<f64>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean = self.times_ms.iter().sum::<f64>() / self.times_ms.len().max(1) as f64;
        let rank = (0.95 * self.times_ms.len() as f64) as usize;
        let p95 = self.times_ms.get(rank).copied().unwrap_or(0.0);
        write!(
            f,
            "{} cases, {} events, {mean:.3} ms a case, p95 {p95:.3} ms",
            self.cases, self.events
        )
    }
}

/// Plays every case of a file. With `lines`, writes one JSON object per case, in the file's order:
/// `{"id", "events": [[type, t, [ids], [state after, per ball]], …], "final": {ball: state}, "ms": wall time}`.
pub fn simulate(file: &CaseFile, mut lines: Option<&mut dyn Write>) -> Result<Summary, SimulateError> {
    let standard = TableData::standard()?;
    let mut simulator = Simulator::new();
    let mut summary = Summary::default();
    for case in &file.cases {
        let in_case = |source| SimulateError::Case {
            id: case.id.clone(),
            source,
        };
        let table = PlayedTable::of(file, &standard, case).map_err(in_case)?;
        let physics = physics_of(file, &standard, case).map_err(in_case)?;
        let (names, balls) = start_of(file, case, &table, &physics.ball).map_err(in_case)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the wall time of a simulation is measured, and decides nothing"
        )]
        let began = Instant::now();
        let shot = simulator
            .run(&table.shape, &physics, &balls, &Limits::default())
            .map_err(|error| in_case(error.into()))?;
        let elapsed_ms = began.elapsed().as_secs_f64() * 1e3;
        summary.cases += 1;
        summary.events += shot.events.len();
        summary.times_ms.push(elapsed_ms);
        if let Some(lines) = lines.as_mut() {
            writeln!(lines, "{}", result_line(case, &table, &names, shot, elapsed_ms))?;
        }
    }
    if let Some(lines) = lines.as_mut() {
        lines.flush()?;
    }
    summary.times_ms.sort_unstable_by(f64::total_cmp);
    Ok(summary)
}

fn result_line(case: &Case, table: &PlayedTable, names: &[&str], shot: &Shot, elapsed_ms: f64) -> Value {
    let events: Vec<Value> = shot
        .events
        .iter()
        .map(|event| event_row(event, table, names))
        .collect();
    let end: serde_json::Map<String, Value> = names
        .iter()
        .zip(&shot.end)
        .map(|(name, state)| ((*name).to_owned(), json!(table.space.case_from_state(state))))
        .collect();
    json!({"id": case.id, "events": events, "final": end, "ms": elapsed_ms})
}

fn event_row(event: &Event, table: &PlayedTable, names: &[&str]) -> Value {
    let (name, ids) = match event.kind {
        EventKind::BallBall { a, b } => ("bb", vec![names[a], names[b]]),
        EventKind::Cushion { ball, cushion } => ("lc", vec![names[ball], &table.cushions[cushion]]),
        EventKind::Jaw { ball, jaw } => ("cc", vec![names[ball], &table.jaws[jaw]]),
        EventKind::Pocket { ball, pocket } => ("pk", vec![names[ball], &table.pockets[pocket]]),
        EventKind::SlideToRoll { ball } => ("sl-ro", vec![names[ball]]),
        EventKind::RollToSpin { ball } => ("ro-sp", vec![names[ball]]),
        EventKind::RollToRest { ball } => ("ro-st", vec![names[ball]]),
        EventKind::SpinToRest { ball } => ("sp-st", vec![names[ball]]),
    };
    let states: Vec<StateRow> = event
        .changes()
        .map(|change| table.space.case_from_state(&change.after))
        .collect();
    json!([name, event.time, ids, states])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use std::io::{Read as _, Write as _};

    use flate2::Compression;
    use flate2::read::MultiGzDecoder;
    use flate2::write::GzEncoder;

    use glam::DVec2;

    use super::*;

    /// A carom table with one ball struck along it, and what is to be changed in it.
    fn case_file(change: impl Fn(&mut Value)) -> Vec<u8> {
        let mut file = json!({
            "format": FORMAT,
            "configs": {"A9": {"ball_ball": "frictionless_elastic", "ball_cushion": "han_2005 (linear and circular)"}},
            "tables": {"carom": {
                "dims": {"l": 2.84, "w": 1.42, "cushion_height": 0.037},
                "linear": [
                    {"id": "left", "p1": [0.0, 0.0, 0.037], "p2": [0.0, 2.84, 0.037], "direction": 1, "lx": 1.0, "ly": 0.0},
                    {"id": "far", "p1": [0.0, 2.84, 0.037], "p2": [1.42, 2.84, 0.037], "direction": 0, "lx": 0.0, "ly": 1.0},
                ],
                "circular": [],
                "pockets": [],
            }},
            "ball_params": {"carom": {
                "m": 0.21, "R": 0.03075, "u_s": 0.2, "u_r": 0.01, "u_sp": 0.0137,
                "e_b": 0.95, "e_c": 0.85, "f_c": 0.15, "g": 9.81,
            }},
            "cases": [{
                "id": "up the table/A9", "config": "A9", "table": "carom", "params": "carom", "cue_ball": "white",
                "balls": {"white": [0.4, 1.0], "red": [1.0, 1.0]},
                "strike": {"V0": 2.0, "phi": 90.0, "theta": 0.0, "a": 0.0, "b": 0.0},
            }],
        });
        change(&mut file);
        file.to_string().into_bytes()
    }

    fn on_disk(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(bytes).expect("written");
        file
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("packed");
        encoder.finish().expect("packed")
    }

    fn lines_of(bytes: &[u8]) -> Result<Vec<Value>, SimulateError> {
        let file = on_disk(bytes);
        let mut lines = Vec::new();
        let summary = simulate(&read(file.path())?, Some(&mut lines))?;
        let lines: Vec<Value> = lines
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("a line of JSON"))
            .collect();
        assert_eq!(summary.cases, lines.len());
        Ok(lines)
    }

    /// As the program prints it: with its causes.
    fn message(error: SimulateError) -> String {
        format!("{:#}", anyhow::Error::from(error))
    }

    fn error_of(bytes: &[u8]) -> String {
        message(lines_of(bytes).expect_err("refused"))
    }

    #[test]
    fn a_case_is_played_in_the_space_of_its_file() {
        let lines = lines_of(&case_file(|_| ())).expect("sound");
        let line = &lines[0];
        assert_eq!(line["id"], "up the table/A9");
        let events = line["events"].as_array().expect("events");
        let first = &events[0];
        assert_eq!((&first[0], &first[2]), (&json!("sl-ro"), &json!(["white"])));
        let state = first[3][0].as_array().expect("a state");
        assert_eq!(state.len(), 8);
        assert_eq!(state[0], 3.0);
        assert!(
            (state[1].as_f64().expect("x") - 0.4).abs() < 1e-12,
            "it keeps to its line"
        );
        assert!(state[2].as_f64().expect("y") > 1.0, "it runs along the table");
        assert!(state[4].as_f64().expect("vy") > 0.0);
        assert!(
            state[5].as_f64().expect("wx") < 0.0,
            "a ball rolling along y turns about -x"
        );
        let hit = events
            .iter()
            .find(|event| event[0] == "lc")
            .expect("it hits the far cushion");
        assert_eq!(hit[2], json!(["white", "far"]));
        assert!((hit[3][0][2].as_f64().expect("y") - (2.84 - 0.03075)).abs() < 1e-9);
        assert_eq!(
            line["final"]["red"],
            json!([0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
        );
        assert!(line["ms"].as_f64().is_some_and(|ms| ms >= 0.0));
    }

    #[test]
    fn a_packed_file_gives_the_same_as_a_plain_one() {
        let plain = lines_of(&case_file(|_| ())).expect("sound");
        let unpacked = lines_of(&packed(&case_file(|_| ()))).expect("sound");
        assert_eq!(plain[0]["events"], unpacked[0]["events"]);
    }

    #[test]
    fn the_state_after_the_strike_goes_before_the_strike() {
        let bytes = case_file(|file| {
            file["cases"][0]["post_strike"] = json!([2, 0.4, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0]);
        });
        let lines = lines_of(&bytes).expect("sound");
        let y = lines[0]["events"][0][3][0][2].as_f64().expect("y");
        assert!(y < 1.0, "it runs down the table");
    }

    #[test]
    fn a_case_can_name_a_standard_table() {
        let lines = lines_of(&case_file(|file| {
            let case = &mut file["cases"][0];
            case["table"] = json!("pool9");
            case["balls"] = json!({"white": [0.3, 0.3]});
            case["strike"]["phi"] = json!(225.0);
            case.as_object_mut().expect("a case").remove("params");
            for own in ["tables", "ball_params"] {
                file.as_object_mut().expect("a file").remove(own);
            }
        }))
        .expect("sound");
        let last = lines[0]["events"]
            .as_array()
            .expect("events")
            .last()
            .expect("one");
        assert_eq!((&last[0], &last[2]), (&json!("pk"), &json!(["white", "lb"])));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_by_name() {
        let missing = read(Path::new("/nowhere/cases.json"))
            .map(drop)
            .expect_err("refused");
        assert!(message(missing).starts_with("cannot open the case file /nowhere/cases.json"));

        let whole = packed(&case_file(|_| ()));
        assert!(error_of(&whole[..whole.len() / 2]).contains("is it complete?"));
        let whole = case_file(|_| ());
        assert!(error_of(&whole[..whole.len() / 2]).contains("is not as expected: EOF while parsing"));
        assert!(error_of(b"").contains("is not as expected"));
        assert!(error_of(b"\x1f\x8b").contains("is it complete?"));
        assert!(error_of(b"[1, 2]").contains("is not as expected"));

        let other = case_file(|file| file["format"] = json!("pooltool-unit/1"));
        assert!(error_of(&other).contains("expected \"pooltool-reference/1\", found \"pooltool-unit/1\""));
    }

    #[test]
    fn a_file_that_unpacks_to_more_than_any_case_needs_is_not_unpacked() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..=MAX_BYTES >> 20 {
            encoder.write_all(&zeros).expect("packed");
        }
        let bomb = encoder.finish().expect("packed");
        assert!(bomb.len() < 1 << 22, "{}", bomb.len());
        assert!(error_of(&bomb).contains("expected at most 268435456 bytes"));
    }

    #[test]
    fn what_is_wrong_with_a_case_is_said_by_name() {
        let error = error_of(&case_file(|file| file["cases"][0]["table"] = json!("pool12")));
        assert_eq!(
            error,
            "case up the table/A9: expected the table \"pool12\" in the file or a standard one \
             (carom, pool7, pool8, pool9, snooker), found none of that name"
        );
        let error = error_of(&case_file(|file| {
            file["configs"]["A9"]["ball_cushion"] = json!("mathavan_2010")
        }));
        assert!(
            error
                .contains("expected a cushion model of han_2005, stronge_compliant, found \"mathavan_2010\"")
        );
        let error = error_of(&case_file(|file| file["cases"][0]["cue_ball"] = json!("yellow")));
        assert!(error.contains("expected the ball \"yellow\""));
        let error = error_of(&case_file(|file| file["cases"][0]["strike"] = Value::Null));
        assert!(error.contains("found none"));
        let error = error_of(&case_file(|file| {
            file["ball_params"]["carom"]["u_r"] = json!(0.0)
        }));
        assert!(error.contains("rolling friction: expected a positive number, found 0"));
        let error = error_of(&case_file(|file| {
            file["tables"]["carom"]["linear"][0]["p2"] = json!([0.0, 0.0, 0.037]);
        }));
        assert!(error.contains("cushion \"left\""));
        for state in [4.0, -1.0, 1.5, 300.0] {
            let error = error_of(&case_file(|file| {
                file["cases"][0]["post_strike"] = json!([state, 0.4, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0]);
            }));
            assert!(
                error.contains("state of a ball") && error.contains(&format!("found {state}")),
                "{error}"
            );
        }
    }

    /// Rest positions of the reference shots whose end pooltool itself can repeat; needs the reference files.
    #[test]
    fn rest_positions_agree_with_the_reference_where_it_can_be_repeated() {
        let Some(shared) = std::env::var_os("GHOSTBALL_SHARED") else {
            println!("skipped: GHOSTBALL_SHARED does not name the folder of reference data");
            return;
        };
        let path = Path::new(&shared).join("physics/random_dev_spacer1e-9.json.gz");
        let mut packed = Vec::new();
        MultiGzDecoder::new(std::fs::File::open(&path).expect("the reference file"))
            .read_to_end(&mut packed)
            .expect("unpacked");
        let reference: Value = serde_json::from_slice(&packed).expect("JSON");
        let mut lines = Vec::new();
        simulate(&read(&path).expect("sound"), Some(&mut lines)).expect("sound");
        let (mut compared, mut agreed) = (0, 0);
        let numbers = |state: &Value| -> StateRow { serde_json::from_value(state.clone()).expect("a state") };
        for (line, case) in lines
            .split(|&byte| byte == b'\n')
            .zip(reference["cases"].as_array().expect("cases"))
        {
            let result: Value = serde_json::from_slice(line).expect("a line");
            let shift = case["sens"]["1e-09"]["final_max_dev_m"]
                .as_array()
                .expect("shifts");
            let explodes = case["events"].as_array().is_some_and(|events| events.len() > 400);
            if explodes
                || shift
                    .iter()
                    .any(|shift| shift.as_f64().is_none_or(|shift| shift >= 1e-4))
            {
                continue;
            }
            compared += 1;
            let close = case["final"]
                .as_object()
                .expect("states")
                .iter()
                .all(|(ball, state)| {
                    let (theirs, ours) = (numbers(state), numbers(&result["final"][ball]));
                    let apart = DVec2::new(theirs[1] - ours[1], theirs[2] - ours[2]).length();
                    (theirs[0] == 4.0) == (ours[0] == 4.0) && (theirs[0] == 4.0 || apart <= 1e-3)
                });
            agreed += usize::from(close);
        }
        assert!(compared > 100, "{compared} cases to compare");
        assert_eq!(agreed, compared);
    }
}
