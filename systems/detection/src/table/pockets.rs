//! The six pockets.

use ghostball_world::{CircleInImage, Homography, Planes};
use glam::DVec2;

use crate::quad::Quad;
use crate::sample::luma_at;

/// Where pockets are on most tables, by half the length: x along the long axis, y along the short one, and radius.
/// Corner pockets lie about on the corner of the noses, those in the middle behind the nose line.
const USUAL: [[f64; 3]; 6] = [
    [-1.0, -0.5, 0.06],
    [0.0, -0.525, 0.053],
    [1.0, -0.5, 0.06],
    [1.0, 0.5, 0.06],
    [0.0, 0.525, 0.053],
    [-1.0, 0.5, 0.06],
];

/// Pockets where most tables have them, and a place on the cloth before each; `None` for a degenerate quadrilateral.
pub(crate) fn usual(quad: &Quad) -> Option<([CircleInImage; 6], [DVec2; 6])> {
    let map = image_from_halves(quad)?;
    let pockets = USUAL.map(|[x, y, r]| {
        let place = DVec2::new(x, y);
        CircleInImage {
            center: map.apply(place),
            radius: r * map.scale_at(place),
        }
    });
    let before = USUAL.map(|[x, y, r]| {
        let place = DVec2::new(x, y);
        map.apply(place - 2.0 * r * place.normalize_or_zero())
    });
    Some((pockets, before))
}

/// To the picture from the table in units of half its length.
pub(crate) fn image_from_halves(quad: &Quad) -> Option<Homography> {
    let mut corners = quad.corners;
    let [a, b, c, d] = corners;
    if a.distance(d) + b.distance(c) > a.distance(b) + d.distance(c) {
        corners.rotate_left(1);
    }
    let table = [[-1.0, -0.5], [1.0, -0.5], [1.0, 0.5], [-1.0, 0.5]].map(DVec2::from);
    Homography::from_four_points(&table, &corners).ok()
}

/// The pockets as dark mouths, near where they usually are; those that are not seen as such stay there. `dark` is the
/// brightness below which a pixel is neither cloth nor, as a rule, rail.
pub(crate) fn fitted(planes: &Planes, usual: [CircleInImage; 6], dark: f32) -> [CircleInImage; 6] {
    usual.map(|pocket| mouth_near(planes, pocket, dark).unwrap_or(pocket))
}

/// Centre and radius of the dark area near a pocket's usual place: its centroid, and the disc of the same area.
fn mouth_near(planes: &Planes, usual: CircleInImage, dark: f32) -> Option<CircleInImage> {
    /// Samples along the usual radius, and the window's reach by that radius: mouths lie up to half a radius off.
    const SAMPLES: i32 = 8;
    const REACH: f64 = 1.5;
    /// Share of the window's rim that may be dark: more is a dark rail.
    const MOST_BEYOND: f64 = 0.3;
    /// Radii by the usual one that mouths have, and how far off they are.
    const RADII: std::ops::Range<f64> = 0.5..1.4;
    const FARTHEST: f64 = 0.7;
    let step = usual.radius / f64::from(SAMPLES);
    let reach = (REACH * f64::from(SAMPLES)) as i32;
    let mut center = usual.center;
    let mut found = None;
    for _ in 0..3 {
        let (mut sum, mut count, mut rim, mut rim_dark) = (DVec2::ZERO, 0.0, 0.0, 0.0);
        for y in -reach..=reach {
            for x in -reach..=reach {
                let offset = DVec2::new(f64::from(x), f64::from(y));
                let distance = offset.length() / f64::from(reach);
                let value = luma_at(planes, center + step * offset);
                if distance > 1.0 || value.is_nan() {
                    continue;
                }
                let is_dark = f64::from(u8::from(value < dark));
                if distance > 0.85 {
                    (rim, rim_dark) = (rim + 1.0, rim_dark + is_dark);
                }
                sum += is_dark * step * offset;
                count += is_dark;
            }
        }
        let radius = step * (count / std::f64::consts::PI).sqrt();
        if rim_dark > MOST_BEYOND * rim || !RADII.contains(&(radius / usual.radius)) {
            return None;
        }
        center += sum / count;
        found = Some(CircleInImage { center, radius });
    }
    found.filter(|mouth| mouth.center.distance(usual.center) < FARTHEST * usual.radius)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Drawn, draw};

    #[test]
    fn mouths_are_found_where_they_are_seen_and_stay_where_they_usually_are_otherwise() {
        let drawn = Drawn::default();
        let picture = draw(&drawn);
        let (usual_mouths, _) = usual(&Quad::new(drawn.corners_in_image)).unwrap();
        let map = image_from_halves(&Quad::new(drawn.corners_in_image)).unwrap();
        let found = fitted(&picture.planes().unwrap(), usual_mouths, 30.0);
        let [x, y, r] = [0.0, -0.53, 0.05];
        let truth = map.apply(DVec2::new(x, y));
        assert!(
            found[1].center.distance(truth) < 1.0,
            "{} {truth}",
            found[1].center
        );
        let ratio = found[1].radius / (r * map.scale_at(DVec2::new(x, y)));
        assert!((ratio - 1.0).abs() < 0.08, "{ratio}");
        assert_eq!(
            fitted(&picture.planes().unwrap(), usual_mouths, 0.0),
            usual_mouths
        );
    }
}
