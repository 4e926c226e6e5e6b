//! What the simulated camera sees: the simulated table, as JPEGs.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use ghostball_simulation::{SimulatedTable, SimulationOptions};
use ghostball_world::Picture;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Writes `count` frames as `0000.jpg` and so on.
pub(crate) fn render(folder: &Path, width: u16, height: u16, count: usize) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let mut table = SimulatedTable::new(SimulationOptions {
        width: width.into(),
        height: height.into(),
        ..SimulationOptions::default()
    })?;
    let mut picture = Picture::default();
    for number in 0..count {
        table.render_next(&mut picture)?;
        let pixels = (0..picture.height()).flat_map(|y| (0..picture.width()).map(move |x| (x, y)));
        let rgb: Vec<u8> = pixels.flat_map(|(x, y)| picture.rgb_at(x, y)).collect();
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 85);
        // As webcams have it.
        encoder.set_sampling_factor(SamplingFactor::F_2_1);
        encoder.encode(&rgb, width, height, ColorType::Rgb)?;
        fs::write(folder.join(format!("{number:04}.jpg")), jpeg)?;
    }
    Ok(())
}

/// The frames of such a folder.
pub(crate) fn read(folder: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).with_context(|| format!("cannot read {}", path.display())))
        .collect()
}
