//! The playing surface, as far as the tracker needs it.

use std::f64::consts::FRAC_1_SQRT_2;

use ghostball_physics::{PocketDimensions, TableShape};
use ghostball_world::{PocketName, TableGeometry, TableSpecification};
use glam::DVec2;

/// Playing surface and pockets in table space, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bed {
    /// What the centre of a ball can reach: half of the length and width, less a ball's radius.
    pub half_reach: DVec2,
    /// Radius of a ball.
    pub ball_radius: f64,
    /// Apparent radius of a ball at the middle of the table, pixels.
    pub ball_radius_px: f64,
    /// What physics has to know of the table.
    pub form: TableForm,
    pockets: [Pocket; 6],
}

/// What decides the form of a table, metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableForm {
    /// Of the playing surface.
    pub length: f64,
    /// Of the playing surface.
    pub width: f64,
    /// Radius of a ball.
    pub ball_radius: f64,
    /// Of the cushion noses above the cloth.
    pub nose_height: f64,
    /// A carom table has none.
    pub has_pockets: bool,
}

impl TableForm {
    /// The cushions, jaws and pockets of the usual table of this form.
    pub fn shape(&self) -> TableShape {
        let (length, width, radius) = (self.length, self.width, self.ball_radius);
        let shape = if !self.has_pockets {
            TableShape::without_pockets(length, width, radius)
        } else if length < TableSpecification::LEAST_SNOOKER_LENGTH {
            TableShape::pool(length, width, radius)
        } else {
            TableShape::with_pockets(length, width, radius, &PocketDimensions::snooker(radius))
        };
        TableShape {
            cushion_height: self.nose_height,
            ..shape
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Pocket {
    /// The mouth as it is seen, at the height of the noses.
    center: DVec2,
    radius: f64,
    /// Where a ball's centre falls, in the physics of the usual pocket.
    hole_center: DVec2,
    hole_radius: f64,
}

impl Bed {
    /// The bed of the table that was found.
    pub fn of(geometry: &TableGeometry) -> Self {
        let centers = geometry.pockets_in_table();
        let mut pockets = [Pocket::default(); 6];
        for (index, pocket) in pockets.iter_mut().enumerate() {
            pocket.center = centers[index];
            pocket.radius =
                geometry.pockets_in_image[index].radius / geometry.image_from_table.scale_at(centers[index]);
            (pocket.hole_center, pocket.hole_radius) = hole_at(centers[index], geometry);
        }
        Self {
            half_reach: 0.5 * DVec2::new(geometry.length, geometry.width)
                - DVec2::splat(geometry.ball_radius),
            ball_radius: geometry.ball_radius,
            ball_radius_px: geometry.ball_radius * geometry.image_from_table.scale_at(DVec2::ZERO),
            form: TableForm {
                length: geometry.length,
                width: geometry.width,
                ball_radius: geometry.ball_radius,
                nose_height: geometry.nose_height,
                has_pockets: geometry.pockets_in_image.iter().any(|pocket| pocket.radius > 0.0),
            },
            pockets,
        }
    }

    /// Whether a ball at `position` is in or at the mouth of a pocket: where no cushion stops it.
    pub fn is_at_pocket(&self, position: DVec2) -> bool {
        self.pockets
            .iter()
            .any(|pocket| position.distance(pocket.center) < pocket.radius + self.ball_radius)
    }

    /// Whether a cushion or a jaw may turn a ball that goes from `start` to `end`, if the table is off by `margin` metres.
    pub fn turns_at(&self, start: DVec2, end: DVec2, margin: f64) -> bool {
        let free = self.half_reach - DVec2::splat(margin);
        let is_free = |place: DVec2| place.abs().cmple(free).all() && !self.is_at_pocket(place);
        !is_free(start) || !is_free(end)
    }

    /// The cushions that a ball comes to in less than `secs`: the direction of each, and after how many seconds. None of the
    /// ends of cushions at the pockets.
    pub fn cushions_ahead(
        &self,
        position: DVec2,
        velocity: DVec2,
        secs: f64,
    ) -> impl Iterator<Item = (DVec2, f64)> {
        let ahead = move |axis: DVec2, reach: f64| {
            let outward = axis * velocity.dot(axis).signum();
            let speed = velocity.dot(outward);
            let after = (reach - position.dot(outward)) / speed.max(1e-9);
            (speed > 0.0 && after < secs).then_some((outward, after))
        };
        let both = [
            ahead(DVec2::X, self.half_reach.x),
            ahead(DVec2::Y, self.half_reach.y),
        ];
        both.into_iter().flatten()
    }

    /// Whether `position` is between the cushion noses.
    pub fn holds(&self, position: DVec2) -> bool {
        let noses = self.half_reach + DVec2::splat(self.ball_radius);
        position.abs().cmple(noses).all()
    }

    /// Where the straight way from `start` to `end` comes nearest to the middle of the pocket it leads over, if any.
    pub fn way_into_pocket(&self, start: DVec2, end: DVec2) -> Option<DVec2> {
        let distance = |pocket: &&Pocket| distance_to_segment(pocket.center, start, end);
        let pocket = self
            .pockets
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        let nearest = nearest_on_segment(pocket.center, start, end);
        (nearest.distance(pocket.center) < pocket.radius).then_some(nearest)
    }

    /// The pocket that the straight way from `start` to `end` leads over, if any; of several the one whose middle it
    /// comes nearest to.
    pub fn pocket_on_way(&self, start: DVec2, end: DVec2) -> Option<PocketName> {
        let distance = |index: usize| distance_to_segment(self.pockets[index].center, start, end);
        let nearest = (0..self.pockets.len()).min_by(|a, b| distance(*a).total_cmp(&distance(*b)))?;
        (distance(nearest) < self.pockets[nearest].radius).then_some(PocketName::ALL[nearest])
    }

    /// How far a ball at `position` that goes in `direction` (a unit vector) is from falling into this pocket, metres along
    /// its way. One that would pass beside the hole, but fell, turned on a jaw: it counts to where it comes nearest.
    pub fn way_to_fall(&self, pocket: PocketName, position: DVec2, direction: DVec2) -> f64 {
        let pocket = self.pockets[pocket as usize];
        let to_center = pocket.hole_center - position;
        let nearest = to_center.dot(direction);
        let beside = to_center.perp_dot(direction);
        let half_chord = (pocket.hole_radius * pocket.hole_radius - beside * beside)
            .max(0.0)
            .sqrt();
        (nearest - half_chord).max(0.0)
    }
}

/// Centre and radius, metres, of the hole behind the mouth at `center`: that of a common pool table.
fn hole_at(center: DVec2, geometry: &TableGeometry) -> (DVec2, f64) {
    let half_size = 0.5 * DVec2::new(geometry.length, geometry.width);
    let usual = PocketDimensions::pool(geometry.ball_radius);
    let side = center.signum();
    // Nearer to the middle of the cushion than to its end.
    if center.x.abs() < 0.5 * half_size.x {
        let mouth = DVec2::new(0.0, side.y * half_size.y);
        (
            mouth + usual.middle.depth * DVec2::new(0.0, side.y),
            usual.middle.radius,
        )
    } else {
        (
            side * (half_size + usual.corner.depth * FRAC_1_SQRT_2),
            usual.corner.radius,
        )
    }
}

/// Distance of `point` from the stretch between `start` and `end`.
pub fn distance_to_segment(point: DVec2, start: DVec2, end: DVec2) -> f64 {
    point.distance(nearest_on_segment(point, start, end))
}

/// The place nearest to `point` on the stretch between `start` and `end`.
fn nearest_on_segment(point: DVec2, start: DVec2, end: DVec2) -> DVec2 {
    let way = end - start;
    let length_squared = way.length_squared();
    let along = if length_squared > 0.0 {
        ((point - start).dot(way) / length_squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    start + along * way
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ghostball_physics::TableShape;
    use ghostball_world::{TableSighting, TableSpecification};

    /// A nine-foot table seen straight from above, 500 pixels per metre, its top left nose corner at (100, 100).
    pub(crate) fn geometry() -> TableGeometry {
        let sighting = TableSighting::from_above(DVec2::new(2.54, 1.27), 0.028575, 500.0);
        TableGeometry::from_sighting(&sighting, &TableSpecification::default()).unwrap()
    }

    #[test]
    fn a_bed_is_in_metres_whatever_the_picture() {
        let bed = Bed::of(&geometry());
        assert!((bed.ball_radius - 0.028575).abs() < 1e-9);
        assert!((bed.ball_radius_px - 14.2875).abs() < 1e-6);
        assert!(bed.half_reach.abs_diff_eq(DVec2::new(1.241425, 0.606425), 1e-9));
        assert!((bed.pockets[0].radius - 0.06).abs() < 1e-9);
    }

    #[test]
    fn holes_are_where_the_physics_has_them() {
        let (geometry, bed) = (geometry(), Bed::of(&geometry()));
        let shape = TableShape::pool(geometry.length, geometry.width, geometry.ball_radius);
        for (pocket, hole) in bed.pockets.iter().zip(&shape.pockets) {
            assert!(pocket.hole_center.abs_diff_eq(hole.center, 1e-9));
            assert!((pocket.hole_radius - hole.radius).abs() < 1e-9);
        }
    }

    #[test]
    fn a_way_across_a_pocket_leads_into_it_and_one_beside_it_does_not() {
        let bed = Bed::of(&geometry());
        let pocket = bed.pocket_on_way(DVec2::new(1.0, 0.4), DVec2::new(1.4, 0.8));
        assert_eq!(pocket, Some(PocketName::TopRight));
        assert_eq!(
            bed.pocket_on_way(DVec2::new(1.0, 0.4), DVec2::new(1.1, 0.5)),
            None
        );
        let hole = bed.pockets[2].hole_center;
        let diagonal = DVec2::splat(FRAC_1_SQRT_2);
        let way = bed.way_to_fall(PocketName::TopRight, hole - 0.3 * diagonal, diagonal);
        assert!((way - 0.3 + bed.pockets[2].hole_radius).abs() < 1e-9);
        let beside = bed.way_to_fall(PocketName::TopRight, hole - DVec2::new(0.1, -0.3 * 0.3), DVec2::X);
        assert!((beside - 0.1).abs() < 1e-9, "{beside}");
        let end = bed.way_into_pocket(DVec2::new(0.0, 0.4), DVec2::new(0.1, 2.0));
        assert!(end.unwrap().distance(bed.pockets[1].center) < bed.pockets[1].radius);
        assert!(bed.is_at_pocket(DVec2::new(0.0, 0.6)));
        assert!(!bed.is_at_pocket(DVec2::new(0.3, 0.6)));
    }
}
