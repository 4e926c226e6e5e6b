//! Image files as planes, for the developer's tools.

use std::error::Error;
use std::path::Path;

use ghostball_capture::decode_image;
use ghostball_world::Picture;

/// The picture in a file, as planes.
pub fn load(path: &Path) -> Result<Picture, Box<dyn Error>> {
    let mut picture = Picture::default();
    decode_image(&std::fs::read(path)?, &mut picture)?;
    if picture.planes().is_some() {
        return Ok(picture);
    }
    let mut converted = Picture::default();
    picture.convert_to_yuv420(&mut converted)?;
    Ok(converted)
}
