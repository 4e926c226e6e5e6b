//! Plane projective geometry.

use glam::{DMat3, DVec2, DVec3};
use serde::{Deserialize, Serialize};

/// A circle in image space, pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CircleInImage {
    /// Its centre.
    pub center: DVec2,
    /// Its radius.
    pub radius: f64,
}

/// Why a transform could not be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum GeometryError {
    /// Three of the points lie on a line, or two coincide.
    #[error("four corners in general position were expected, but three of {corners:?} lie on a line")]
    DegenerateCorners {
        /// The offending points, in the space they came from.
        corners: [DVec2; 4],
    },
    /// The matrix has no inverse.
    #[error("a homography that can be inverted was expected, found determinant {determinant:e}")]
    Singular {
        /// Its determinant.
        determinant: f64,
    },
}

/// A projective map of the plane: straight lines stay straight. Name it after its spaces: `table_from_image`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Homography {
    matrix: DMat3,
}

impl Homography {
    /// Maps every point onto itself.
    pub const IDENTITY: Self = Self {
        matrix: DMat3::IDENTITY,
    };

    /// The map that takes `from[i]` to `to[i]` exactly.
    ///
    /// Both quadrilaterals are mapped from the projective basis (Hartley & Zisserman, Multiple View Geometry, 2nd
    /// ed., §2.3: four points in general position fix a projectivity); the result is `B_to · B_from⁻¹`.
    pub fn from_four_points(from: &[DVec2; 4], to: &[DVec2; 4]) -> Result<Self, GeometryError> {
        let from_basis = basis_to(from)?;
        let to_basis = basis_to(to)?;
        Ok(Self {
            matrix: to_basis * from_basis.inverse(),
        })
    }

    /// The map with this matrix, which acts on column vectors (x, y, 1).
    pub fn from_matrix(matrix: DMat3) -> Self {
        Self { matrix }
    }

    /// Its matrix.
    pub fn matrix(&self) -> DMat3 {
        self.matrix
    }

    /// The map the other way.
    pub fn inverse(&self) -> Result<Self, GeometryError> {
        let determinant = self.matrix.determinant();
        if determinant == 0.0 || !determinant.is_finite() {
            return Err(GeometryError::Singular { determinant });
        }
        Ok(Self {
            matrix: self.matrix.inverse(),
        })
    }

    /// Where `point` goes.
    pub fn apply(&self, point: DVec2) -> DVec2 {
        let p = self.matrix * point.extend(1.0);
        p.truncate() / p.z
    }

    /// How much lengths grow around `point`, mean over all directions: the root of the Jacobian's determinant.
    pub fn scale_at(&self, point: DVec2) -> f64 {
        let p = self.matrix * point.extend(1.0);
        (self.matrix.determinant() / (p.z * p.z * p.z)).abs().sqrt()
    }

    /// What a small displacement `direction` at `point` becomes (the Jacobian applied to it).
    pub fn apply_direction(&self, point: DVec2, direction: DVec2) -> DVec2 {
        let p = self.matrix * point.extend(1.0);
        let d = self.matrix * direction.extend(0.0);
        (d.truncate() * p.z - p.truncate() * d.z) / (p.z * p.z)
    }
}

/// The matrix that takes the projective basis (1,0,0), (0,1,0), (0,0,1), (1,1,1) to the four points.
fn basis_to(points: &[DVec2; 4]) -> Result<DMat3, GeometryError> {
    let [a, b, c, d] = points.map(|p| p.extend(1.0));
    let columns = DMat3::from_cols(a, b, c);
    let degenerate = || GeometryError::DegenerateCorners { corners: *points };
    // Area of the triangle relative to its extent: independent of the unit.
    let extent = points
        .iter()
        .map(|p| p.distance_squared(points[0]))
        .fold(0.0, f64::max);
    let tiny = 1e-9 * extent;
    let triangle = |p: DVec3, q: DVec3, r: DVec3| DMat3::from_cols(p, q, r).determinant().abs();
    let areas = [
        triangle(a, b, c),
        triangle(a, b, d),
        triangle(a, c, d),
        triangle(b, c, d),
    ];
    if areas.iter().any(|area| area.is_nan() || *area <= tiny) {
        return Err(degenerate());
    }
    let weights = columns.inverse() * d;
    Ok(DMat3::from_cols(a * weights.x, b * weights.y, c * weights.z))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quad() -> impl Strategy<Value = [DVec2; 4]> {
        let jitter = || (-0.2..0.2, -0.2..0.2).prop_map(|(x, y)| DVec2::new(x, y));
        (jitter(), jitter(), jitter(), jitter(), 1.0..1000.0_f64).prop_map(|(a, b, c, d, size)| {
            [
                (DVec2::new(0.0, 0.0) + a) * size,
                (DVec2::new(1.0, 0.0) + b) * size,
                (DVec2::new(1.0, 1.0) + c) * size,
                (DVec2::new(0.0, 1.0) + d) * size,
            ]
        })
    }

    proptest! {
        #[test]
        fn corners_map_onto_corners_and_back(from in quad(), to in quad()) {
            let map = Homography::from_four_points(&from, &to).unwrap();
            let back = map.inverse().unwrap();
            for (f, t) in from.iter().zip(&to) {
                prop_assert!(map.apply(*f).abs_diff_eq(*t, 1e-6 * (1.0 + t.length())));
                prop_assert!(back.apply(*t).abs_diff_eq(*f, 1e-6 * (1.0 + f.length())));
            }
        }

        #[test]
        fn scale_and_direction_agree_with_finite_differences(from in quad(), to in quad()) {
            let map = Homography::from_four_points(&from, &to).unwrap();
            let p = 0.25 * (from[0] + from[1] + from[2] + from[3]);
            let h = 1e-4 * from[0].distance(from[2]);
            let dx = (map.apply(p + DVec2::X * h) - map.apply(p - DVec2::X * h)) / (2.0 * h);
            let dy = (map.apply(p + DVec2::Y * h) - map.apply(p - DVec2::Y * h)) / (2.0 * h);
            prop_assert!((map.scale_at(p) - dx.perp_dot(dy).abs().sqrt()).abs() < 1e-3 * map.scale_at(p));
            prop_assert!(map.apply_direction(p, DVec2::X).abs_diff_eq(dx, 1e-3 * dx.length()));
        }
    }

    #[test]
    fn corners_on_a_line_are_refused() {
        let line = [0.0, 1.0, 2.0, 3.0].map(|x| DVec2::new(x, 2.0 * x));
        let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(DVec2::from);
        assert!(matches!(
            Homography::from_four_points(&line, &square),
            Err(GeometryError::DegenerateCorners { .. })
        ));
    }
}
