//! What detection remembers from frame to frame, without the buffers and tables that are made from it.

use ghostball_world::{BallSet, Lens, TableSighting};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::cloth::ClothModel;
use crate::kind::LearntNames;

/// What a [`Detector`](crate::Detector) remembers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DetectorMemory {
    pub ball_set: BallSet,
    pub lens: Option<Lens>,
    #[serde(deserialize_with = "whole_cloth")]
    pub cloth: ClothModel,
    pub known: Option<KnownTable>,
}

/// The table that balls are seen on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KnownTable {
    pub table: TableSighting,
    /// Of the pictures, pixels.
    pub size: [u32; 2],
    pub learnt: LearntNames,
}

/// A keyframe can be anybody's.
fn whole_cloth<'de, D: Deserializer<'de>>(from: D) -> Result<ClothModel, D::Error> {
    let cloth = ClothModel::deserialize(from)?;
    let torn = || D::Error::custom("a cell for every place of the cloth was expected");
    cloth.is_whole().then_some(cloth).ok_or_else(torn)
}
