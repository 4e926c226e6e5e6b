//! Why detection could not do its work.

use ghostball_world::{GeometryError, PictureError};

/// Why no table was found in a picture.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TableNotFound {
    /// The picture is too small for a table with balls on it.
    #[error("a picture of at least {expected}x{expected} pixels was expected, found {width}x{height}")]
    PictureTooSmall {
        /// Least size both ways, pixels.
        expected: usize,
        /// Width found.
        width: usize,
        /// Height found.
        height: usize,
    },
    /// No colour covers a connected area that could be cloth.
    #[error(
        "a connected area of one colour over at least {expected:.0} % of the picture was expected as cloth, the \
         largest covers {found:.0} %: point the camera at the whole table and light it evenly"
    )]
    NoCloth {
        /// Least share of the picture, percent.
        expected: f64,
        /// Largest share found, percent.
        found: f64,
    },
    /// The cloth's outline is no quadrilateral of a table's proportions.
    #[error(
        "cushions with a length of twice the width were expected round the cloth, the best outline has {found:.2}: \
         the whole playing surface has to be in the picture"
    )]
    NoCushions {
        /// Length by width of the best outline.
        found: f64,
    },
}

/// Why a frame could not be analysed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DetectionError {
    /// The picture holds no pixels.
    #[error("a picture with pixels was expected, found an empty one")]
    EmptyPicture,
    /// Corners were given that are none of a table.
    #[error("corners of a table clockwise from the top left were expected (TL TR BR BL), found {found:?}")]
    NoCorners {
        /// What was given, pixels.
        found: [[f64; 2]; 4],
    },
    /// Its pixels could not be converted.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// There is no table in it.
    #[error(transparent)]
    TableNotFound(#[from] TableNotFound),
    /// The table that was found or given is no quadrilateral.
    #[error(transparent)]
    Geometry(#[from] GeometryError),
}
