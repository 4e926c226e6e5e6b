//! Components of the table's entity.

use bevy_ecs::component::Component;
use glam::DVec2;
use serde::{Deserialize, Serialize};

use crate::{
    CircleInImage, GeometryError, ImageFromTable, Lens, PlaneInView, TableFromImage, TableSighting,
    TableSpecification,
};

/// Marks the entity of the table; it exists from the first frame in which a table was found.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Table;

/// Where the table is and how picture and cloth map to each other.
#[derive(Component, Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableGeometry {
    /// Cushion-nose corners in the picture, clockwise TL TR BR BL.
    pub corners_in_image: [DVec2; 4],
    /// Holes of the pockets in the bed, in the picture, in the order of [`PocketName`](crate::PocketName).
    pub pockets_in_image: [CircleInImage; 6],
    /// Playing surface along the long axis, metres.
    pub length: f64,
    /// Playing surface along the short axis, metres.
    pub width: f64,
    /// Radius of a ball, metres.
    pub ball_radius: f64,
    /// Height of the cushion noses above the cloth, metres.
    pub nose_height: f64,
    /// From balls in the picture to the plane of their centres, metres.
    pub table_from_image: TableFromImage,
    /// The inverse.
    pub image_from_table: ImageFromTable,
    /// The plane of the noses in the picture.
    pub noses_in_view: PlaneInView,
    /// The plane of the balls' centres in the picture; that of the noses where the lens is not known.
    pub balls_in_view: PlaneInView,
    /// The lens, where it is known.
    pub lens: Option<Lens>,
}

impl TableGeometry {
    /// Lays table space over a sighting. The table's long axis becomes x, also where it stands upright in the
    /// picture: the picture is then turned back by 90 degrees clockwise, so that its upper end is the table's right.
    pub fn from_sighting(
        sighting: &TableSighting,
        specification: &TableSpecification,
    ) -> Result<Self, GeometryError> {
        let corners = sighting.corners_in_image;
        let half = 0.5 * DVec2::new(specification.length, specification.width);
        let corners_in_table =
            [(-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)].map(|at| half * DVec2::from(at));
        let lens = sighting.lens;
        let noses_in_view = PlaneInView::through(
            lens.unwrap_or(Lens::NONE),
            &turned_to_table(corners),
            &corners_in_table,
        )?;
        let measured = || match lens {
            Some(_) => {
                // Balls are seen a percent smaller than they would be in the plane of the noses; each round
                // knows better how far below it they are.
                let mut radius = 0.0;
                for _ in 0..3 {
                    let below = specification.nose_height_for(radius) - radius;
                    let balls = noses_in_view.lowered(below, 0.0).unwrap_or(noses_in_view);
                    let seen = balls.sphere_in_image(DVec2::ZERO, UNIT);
                    radius = UNIT * sighting.ball_radius_px / seen.radius;
                }
                radius
            }
            None => sighting.ball_radius_px / ImageFromTable::new(noses_in_view).scale_at(DVec2::ZERO),
        };
        let ball_radius = specification.ball_radius.unwrap_or_else(measured);
        let nose_height = specification.nose_height_for(ball_radius);
        let balls_in_view = match lens {
            Some(_) => noses_in_view.lowered(nose_height - ball_radius, ball_radius)?,
            None => noses_in_view,
        };
        Ok(Self {
            corners_in_image: corners,
            pockets_in_image: sighting.pockets_in_image,
            length: specification.length,
            width: specification.width,
            ball_radius,
            nose_height,
            table_from_image: TableFromImage::new(balls_in_view),
            image_from_table: ImageFromTable::new(balls_in_view),
            noses_in_view,
            balls_in_view,
            lens,
        })
    }

    /// A ball of this table's size at `position_in_table`, as it appears in the picture: the circle of its outline's
    /// centre and area.
    pub fn ball_in_image(&self, position_in_table: DVec2) -> CircleInImage {
        match self.lens {
            Some(_) => self
                .balls_in_view
                .sphere_in_image(position_in_table, self.ball_radius),
            None => CircleInImage {
                center: self.image_from_table.apply(position_in_table),
                radius: self.ball_radius * self.image_from_table.scale_at(position_in_table),
            },
        }
    }

    /// Corners of the playing surface in table space, in the picture's order TL TR BR BL.
    pub fn corners_in_table(&self) -> [DVec2; 4] {
        let table_from_image = TableFromImage::new(self.noses_in_view);
        self.corners_in_image.map(|corner| table_from_image.apply(corner))
    }

    /// Pocket centres in table space, metres, in the order of [`PocketName`](crate::PocketName).
    pub fn pockets_in_table(&self) -> [DVec2; 6] {
        // Without a lens nobody knows where the bed is.
        let below = self.lens.map_or(0.0, |_| self.nose_height);
        let bed = self.noses_in_view.lowered(below, 0.0);
        let table_from_image = TableFromImage::new(bed.unwrap_or(self.noses_in_view));
        self.pockets_in_image
            .map(|pocket| table_from_image.apply(pocket.center))
    }
}

/// A radius to measure apparent sizes with, metres: about a ball's.
const UNIT: f64 = 0.028;

/// Corners in the picture, clockwise TL TR BR BL, in table space's order: (−x, +y), (+x, +y), (+x, −y), (−x, −y).
///
/// A table that stands upright in the picture is turned clockwise, as if by turning the camera back: its upper end becomes
/// its right. Everything that tells left from right on a table goes by this.
pub fn turned_to_table(mut corners_in_image: [DVec2; 4]) -> [DVec2; 4] {
    let [tl, tr, br, bl] = corners_in_image;
    let across = tl.distance(tr) + bl.distance(br);
    let down = tl.distance(bl) + tr.distance(br);
    if down > across {
        corners_in_image.rotate_right(1);
    }
    corners_in_image
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(corners: [[f64; 2]; 4]) -> TableSighting {
        TableSighting {
            corners_in_image: corners.map(DVec2::from),
            pockets_in_image: [CircleInImage::default(); 6],
            ball_radius_px: 10.0,
            lens: None,
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

    #[test]
    fn pockets_are_holes_in_the_bed_and_lie_below_the_noses() {
        // From 1.5 m above the noses, 1 px per mm there; 36 mm lower, the bed is seen smaller.
        let lens = Lens {
            focal_px: 1500.0,
            ..Lens::usual([2541, 1271])
        };
        let place = DVec2::new(-1.29, 0.655);
        let specification = TableSpecification {
            nose_height: Some(0.0363),
            ..TableSpecification::default()
        };
        let seen = 1500.0 / 1.5363 * place * DVec2::new(1.0, -1.0) + DVec2::new(1270.0, 635.0);
        let wide = TableSighting {
            lens: Some(lens),
            pockets_in_image: [CircleInImage {
                center: seen,
                radius: 60.0,
            }; 6],
            ..sighting([[0.0, 0.0], [2540.0, 0.0], [2540.0, 1270.0], [0.0, 1270.0]])
        };
        let geometry = TableGeometry::from_sighting(&wide, &specification).unwrap();
        let found = geometry.pockets_in_table()[0];
        assert!(found.abs_diff_eq(place, 1e-4), "{found}");
    }

    #[test]
    fn with_a_lens_balls_lie_below_the_noses_and_are_measured_there() {
        // From 1.5 m above the noses, 1 px per mm there.
        let lens = Lens {
            focal_px: 1500.0,
            ..Lens::usual([2541, 1271])
        };
        let wide = TableSighting {
            lens: Some(lens),
            ball_radius_px: 1500.0 * 0.028_575 / (1500.0 + 7.7) * 1000.0,
            ..sighting([[0.0, 0.0], [2540.0, 0.0], [2540.0, 1270.0], [0.0, 1270.0]])
        };
        let geometry = TableGeometry::from_sighting(&wide, &TableSpecification::default()).unwrap();
        assert!(
            (geometry.ball_radius - 0.0286).abs() < 1e-4,
            "{}",
            geometry.ball_radius
        );
        assert!((geometry.nose_height - 0.0363).abs() < 1e-4);
        let corner = geometry.table_from_image.apply(DVec2::ZERO);
        // Half a percent farther out than the corner of the noses.
        assert!(corner.abs_diff_eq(DVec2::new(-1.2765, 0.6382), 1e-3), "{corner}");
        assert!(geometry.corners_in_table()[0].abs_diff_eq(DVec2::new(-1.27, 0.635), 1e-9));
        let ball = geometry.ball_in_image(DVec2::new(0.3, 0.2));
        assert!(
            geometry
                .table_from_image
                .apply(ball.center)
                .abs_diff_eq(DVec2::new(0.3, 0.2), 1e-9)
        );
    }
}
