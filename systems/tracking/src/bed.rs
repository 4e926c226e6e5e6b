//! The playing surface, as far as the tracker needs it.

use ghostball_world::TableGeometry;
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
    pockets: [Pocket; 6],
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Pocket {
    center: DVec2,
    radius: f64,
}

impl Bed {
    /// The bed of the table that was found.
    pub fn of(geometry: &TableGeometry) -> Self {
        let centers = geometry.pockets_in_table();
        let mut pockets = [Pocket {
            center: DVec2::ZERO,
            radius: 0.0,
        }; 6];
        for (index, pocket) in pockets.iter_mut().enumerate() {
            pocket.center = centers[index];
            pocket.radius =
                geometry.pockets_in_image[index].radius / geometry.image_from_table.scale_at(centers[index]);
        }
        Self {
            half_reach: 0.5 * DVec2::new(geometry.length, geometry.width)
                - DVec2::splat(geometry.ball_radius),
            ball_radius: geometry.ball_radius,
            ball_radius_px: geometry.ball_radius * geometry.image_from_table.scale_at(DVec2::ZERO),
            pockets,
        }
    }

    /// Whether a ball at `position` is in or at the mouth of a pocket: where no cushion stops it.
    pub fn is_at_pocket(&self, position: DVec2) -> bool {
        self.pockets
            .iter()
            .any(|pocket| position.distance(pocket.center) < pocket.radius + self.ball_radius)
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

    /// Whether the straight way from `start` to `end` leads over a pocket.
    pub fn leads_into_pocket(&self, start: DVec2, end: DVec2) -> bool {
        self.pockets
            .iter()
            .any(|pocket| distance_to_segment(pocket.center, start, end) < pocket.radius)
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
    fn a_way_across_a_pocket_leads_into_it_and_one_beside_it_does_not() {
        let bed = Bed::of(&geometry());
        assert!(bed.leads_into_pocket(DVec2::new(1.0, 0.4), DVec2::new(1.4, 0.8)));
        assert!(!bed.leads_into_pocket(DVec2::new(1.0, 0.4), DVec2::new(1.1, 0.5)));
        let end = bed.way_into_pocket(DVec2::new(0.0, 0.4), DVec2::new(0.1, 2.0));
        assert!(end.unwrap().distance(bed.pockets[1].center) < bed.pockets[1].radius);
        assert!(bed.is_at_pocket(DVec2::new(0.0, 0.6)));
        assert!(!bed.is_at_pocket(DVec2::new(0.3, 0.6)));
    }
}
