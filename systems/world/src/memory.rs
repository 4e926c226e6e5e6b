//! What the systems remember from frame to frame, as bytes: from them a replay goes on as the recorded run did.
//!
//! Each plugin says what of its memory counts ([`Remember::remember`]); buffers, tables and whatever else can be made
//! again does not. The bytes are MessagePack (<https://msgpack.org>): every number bit for bit, infinities too, and every
//! field with its name, so that what another version remembers is refused and never misread.

use bevy_app::App;
use bevy_ecs::prelude::*;
use rmp_serde::decode::ReadRefReader;
use rmp_serde::{decode, encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Ball, Cue, Table};

/// Versions differ in what they remember.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a memory cannot be saved or taken over. Nothing of the world has changed then.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// Another version wrote it.
    #[error("a keyframe of version {VERSION} was expected, found one of version {found}")]
    OtherVersion {
        /// Which.
        found: String,
    },
    /// It holds the memory of other systems.
    #[error("the memory of {expected} was expected in the keyframe, found that of {found}")]
    OtherSystems {
        /// The system whose turn it is.
        expected: &'static str,
        /// What is there instead.
        found: String,
    },
    /// Its bytes are none.
    #[error("a keyframe as this program writes it was expected, found in {of}: {cause}")]
    Unreadable {
        /// In whose memory.
        of: &'static str,
        /// What is wrong.
        cause: decode::Error,
    },
    /// A value that cannot be written.
    #[error("the memory of {of} cannot be saved: {cause}")]
    Unsaved {
        /// Whose.
        of: &'static str,
        /// Why not.
        cause: encode::Error,
    },
}

type Bytes<'a> = rmp_serde::Deserializer<ReadRefReader<'a, [u8]>>;
type Save = dyn Fn(&mut World, &mut Vec<u8>) -> Result<(), encode::Error> + Send + Sync;
/// Reads a memory, and gives what puts it into force.
type Load = dyn Fn(&mut Bytes<'_>) -> Result<Box<dyn FnOnce(&mut World)>, decode::Error> + Send + Sync;

struct Kept {
    name: &'static str,
    save: Box<Save>,
    load: Box<Load>,
}

/// What is remembered, in the order in which plugins said so.
#[derive(Resource, Default)]
pub struct Memories {
    kept: Vec<Kept>,
}

/// What a plugin says of its memory.
pub trait Remember {
    /// This resource counts, also whether it is there.
    fn remember<R: Resource + Serialize + DeserializeOwned>(&mut self, name: &'static str) -> &mut Self;

    /// What `save` tells of the world counts; `load` makes it so again.
    fn remember_with<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        name: &'static str,
        save: fn(&mut World) -> T,
        load: fn(&mut World, T),
    ) -> &mut Self;
}

impl Remember for App {
    fn remember<R: Resource + Serialize + DeserializeOwned>(&mut self, name: &'static str) -> &mut Self {
        let put = |world: &mut World, resource: Option<R>| match resource {
            Some(resource) => world.insert_resource(resource),
            None => drop(world.remove_resource::<R>()),
        };
        keep(
            self,
            Kept {
                name,
                save: Box::new(|world, out| encode::write_named(out, &world.get_resource::<R>())),
                load: Box::new(move |bytes| {
                    let resource = Option::<R>::deserialize(bytes)?;
                    Ok(Box::new(move |world| put(world, resource)))
                }),
            },
        )
    }

    fn remember_with<T: Serialize + DeserializeOwned + 'static>(
        &mut self,
        name: &'static str,
        save: fn(&mut World) -> T,
        load: fn(&mut World, T),
    ) -> &mut Self {
        keep(
            self,
            Kept {
                name,
                save: Box::new(move |world, out| encode::write_named(out, &save(world))),
                load: Box::new(move |bytes| {
                    let memory = T::deserialize(bytes)?;
                    Ok(Box::new(move |world| load(world, memory)))
                }),
            },
        )
    }
}

fn keep(app: &mut App, kept: Kept) -> &mut App {
    app.world_mut().get_resource_or_init::<Memories>().kept.push(kept);
    app
}

/// Puts all that the systems remember into `out`, in place of what was there.
pub fn save_memory(world: &mut World, out: &mut Vec<u8>) -> Result<(), MemoryError> {
    out.clear();
    world.init_resource::<Memories>();
    let unsaved = |of| move |cause| MemoryError::Unsaved { of, cause };
    encode::write(out, VERSION).map_err(unsaved("the program"))?;
    world.resource_scope(|world, memories: Mut<Memories>| {
        for Kept { name, save, .. } in &memories.kept {
            encode::write(out, name).map_err(unsaved(name))?;
            save(world, out).map_err(unsaved(name))?;
        }
        Ok(())
    })
}

/// Makes the world remember what [`save_memory`] saved, and nothing else.
pub fn load_memory(world: &mut World, bytes: &[u8]) -> Result<(), MemoryError> {
    world.init_resource::<Memories>();
    let unreadable = |of| move |cause| MemoryError::Unreadable { of, cause };
    let mut bytes = rmp_serde::Deserializer::from_read_ref(bytes);
    let found = String::deserialize(&mut bytes).map_err(unreadable("its head"))?;
    if found != VERSION {
        return Err(MemoryError::OtherVersion { found });
    }
    world.resource_scope(|world, memories: Mut<Memories>| {
        let mut read = Vec::new();
        for Kept { name, load, .. } in &memories.kept {
            let found = String::deserialize(&mut bytes).map_err(unreadable(name))?;
            if found != *name {
                return Err(MemoryError::OtherSystems {
                    expected: name,
                    found,
                });
            }
            read.push(load(&mut bytes).map_err(unreadable(name))?);
        }
        // Whoever remembers the entities makes them anew.
        let mut things = world.query_filtered::<Entity, Or<(With<Ball>, With<Cue>, With<Table>)>>();
        let things: Vec<_> = things.iter(world).collect();
        for thing in things {
            world.despawn(thing);
        }
        for put in read {
            put(world);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Resource, Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Notes {
        numbers: Vec<f64>,
        name: Option<String>,
    }

    #[derive(Resource, Serialize, Deserialize)]
    struct OtherNotes {
        names: Vec<String>,
    }

    fn app(notes: Option<Notes>) -> App {
        let mut app = App::new();
        app.remember::<Notes>("notes").remember_with(
            "tables",
            |world| world.query::<&Table>().iter(world).count(),
            |world, tables| {
                for _ in 0..tables {
                    world.spawn(Table);
                }
            },
        );
        if let Some(notes) = notes {
            app.insert_resource(notes);
        }
        app
    }

    fn saved(app: &mut App) -> Vec<u8> {
        let mut bytes = b"before".to_vec();
        save_memory(app.world_mut(), &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_remembered_is_the_same_again_bit_for_bit_and_the_rest_is_gone() {
        let notes = Notes {
            numbers: vec![0.1, -0.0, f64::INFINITY, f64::MIN_POSITIVE / 3.0],
            name: None,
        };
        let mut before = app(Some(notes.clone()));
        before.world_mut().spawn(Table);
        let bytes = saved(&mut before);
        let mut after = app(None);
        after.world_mut().spawn_batch([Ball { radius: 1.0 }; 3]);
        load_memory(after.world_mut(), &bytes).unwrap();
        assert_eq!(after.world().resource::<Notes>(), &notes);
        let bits = |notes: &Notes| notes.numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(after.world().resource::<Notes>()), bits(&notes));
        assert_eq!(after.world_mut().query::<&Table>().iter(after.world()).count(), 1);
        assert_eq!(after.world_mut().query::<&Ball>().iter(after.world()).count(), 0);
        assert_eq!(saved(&mut after), bytes);
        // A resource that was not there is not there.
        let without = saved(&mut app(None));
        load_memory(after.world_mut(), &without).unwrap();
        assert!(after.world().get_resource::<Notes>().is_none());
    }

    #[test]
    fn what_another_program_remembers_is_refused_and_changes_nothing() {
        let notes = Notes {
            numbers: vec![1.0],
            name: Some("a".to_owned()),
        };
        let mut app = app(Some(notes.clone()));
        let bytes = saved(&mut app);
        let mut of_another_version = bytes.clone();
        of_another_version[1..4].copy_from_slice(b"9.9");
        let mut another = App::new();
        another
            .remember::<OtherNotes>("notes")
            .insert_resource(OtherNotes { names: Vec::new() });
        let of_other_fields = saved(&mut another);
        let refused = [
            (&of_another_version[..], "found one of version 9.9.0"),
            (&of_other_fields, "missing field"),
            (&bytes[..bytes.len() / 2], "was expected"),
            (b"", "its head"),
        ];
        for (bytes, why) in refused {
            app.world_mut().resource_mut::<Notes>().numbers = vec![2.0];
            let error = load_memory(app.world_mut(), bytes).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert_eq!(app.world().resource::<Notes>().numbers, [2.0]);
        }
        let mut another = App::new();
        another.remember::<Notes>("others");
        let error = load_memory(another.world_mut(), &bytes).unwrap_err().to_string();
        assert!(error.contains("the memory of others was expected"), "{error}");
    }
}
