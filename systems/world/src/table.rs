//! Components of the table's entity.

use bevy_ecs::component::Component;
use glam::DVec2;

use crate::{CircleInImage, GeometryError, Homography, TableSighting, TableSpecification};

/// Marks the entity of the table; it exists from the first frame in which a table was found.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Table;

/// Where the table is and how picture and cloth map to each other.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
pub struct TableGeometry {
    /// Cushion-nose corners in the picture, clockwise TL TR BR BL.
    pub corners_in_image: [DVec2; 4],
    /// Pockets in the picture, in the order of [`PocketName`](crate::PocketName).
    pub pockets_in_image: [CircleInImage; 6],
    /// Playing surface along the long axis, metres.
    pub length: f64,
    /// Playing surface along the short axis, metres.
    pub width: f64,
    /// Radius of a ball, metres.
    pub ball_radius: f64,
    /// From the picture to the plane of the balls' centres, metres.
    pub table_from_image: Homography,
    /// The inverse.
    pub image_from_table: Homography,
}

impl TableGeometry {
    /// Lays table space over a sighting. The table's long axis becomes x, also where it stands upright in the
    /// picture: the picture is then turned back by 90 degrees clockwise, so that its upper end is the table's right.
    pub fn from_sighting(
        sighting: &TableSighting,
        specification: &TableSpecification,
    ) -> Result<Self, GeometryError> {
        let corners = sighting.corners_in_image;
        let (half_length, half_width) = (0.5 * specification.length, 0.5 * specification.width);
        let [tl, tr, br, bl] = corners;
        let across = tl.distance(tr) + bl.distance(br);
        let down = tl.distance(bl) + tr.distance(br);
        let mut corners_in_table = [
            DVec2::new(-half_length, half_width),
            DVec2::new(half_length, half_width),
            DVec2::new(half_length, -half_width),
            DVec2::new(-half_length, -half_width),
        ];
        if down > across {
            corners_in_table.rotate_left(1);
        }
        let table_from_image = Homography::from_four_points(&corners, &corners_in_table)?;
        let image_from_table = table_from_image.inverse()?;
        let ball_radius = specification.ball_radius.unwrap_or_else(|| {
            let center_in_table = DVec2::ZERO;
            sighting.ball_radius_px / image_from_table.scale_at(center_in_table)
        });
        Ok(Self {
            corners_in_image: corners,
            pockets_in_image: sighting.pockets_in_image,
            length: specification.length,
            width: specification.width,
            ball_radius,
            table_from_image,
            image_from_table,
        })
    }

    /// A ball of this table's size at `position_in_table`, as it appears in the picture (its mean radius).
    pub fn ball_in_image(&self, position_in_table: DVec2) -> CircleInImage {
        CircleInImage {
            center: self.image_from_table.apply(position_in_table),
            radius: self.ball_radius * self.image_from_table.scale_at(position_in_table),
        }
    }

    /// Corners of the playing surface in table space, in the picture's order TL TR BR BL.
    pub fn corners_in_table(&self) -> [DVec2; 4] {
        self.corners_in_image
            .map(|corner| self.table_from_image.apply(corner))
    }

    /// Pocket centres in table space, metres, in the order of [`PocketName`](crate::PocketName).
    pub fn pockets_in_table(&self) -> [DVec2; 6] {
        self.pockets_in_image
            .map(|pocket| self.table_from_image.apply(pocket.center))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(corners: [[f64; 2]; 4]) -> TableSighting {
        TableSighting {
            corners_in_image: corners.map(DVec2::from),
            pockets_in_image: [CircleInImage::default(); 6],
            ball_radius_px: 10.0,
            confidence: 1.0,
        }
    }

    #[test]
    fn table_space_has_x_right_and_y_up_in_the_picture() {
        let wide = sighting([[100.0, 50.0], [1100.0, 50.0], [1100.0, 550.0], [100.0, 550.0]]);
        let geometry = TableGeometry::from_sighting(&wide, &TableSpecification::default()).unwrap();
        let p = geometry.table_from_image.apply(DVec2::new(1100.0, 50.0));
        assert!(p.abs_diff_eq(DVec2::new(1.27, 0.635), 1e-9), "{p}");
        assert!((geometry.ball_radius - 0.0254).abs() < 1e-6);
    }

    #[test]
    fn an_upright_table_is_turned_so_that_its_long_axis_is_x() {
        let tall = sighting([[100.0, 50.0], [600.0, 50.0], [600.0, 1050.0], [100.0, 1050.0]]);
        let geometry = TableGeometry::from_sighting(&tall, &TableSpecification::default()).unwrap();
        let up = geometry.table_from_image.apply(DVec2::new(350.0, 50.0));
        assert!(up.abs_diff_eq(DVec2::new(1.27, 0.0), 1e-9), "{up}");
        let left = geometry.table_from_image.apply(DVec2::new(100.0, 550.0));
        assert!(left.abs_diff_eq(DVec2::new(0.0, 0.635), 1e-9), "{left}");
    }
}
