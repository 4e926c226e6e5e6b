//! Unevenness of surfaces: cloth, wood, floor.

use glam::DVec2;

/// Smooth random numbers over the plane: −1 to 1, one independent value per unit square, joined smoothly.
/// (Value noise, Perlin's predecessor; its lattice is a hash, so it has no size and no memory.)
pub(crate) fn value_noise(point: DVec2, seed: u64) -> f32 {
    // Rounded down by hand: a call of `floor` for every pixel would take longer than all the rest.
    let down = |value: f64| value as i64 - i64::from(value < value as i64 as f64);
    let (ix, iy) = (down(point.x), down(point.y));
    let cell = DVec2::new(ix as f64, iy as f64);
    let t = (point - cell) * (point - cell) * (DVec2::splat(3.0) - 2.0 * (point - cell));
    let corner = |dx: i64, dy: i64| {
        let key = (ix + dx) as u64 ^ ((iy + dy) as u64).rotate_left(32) ^ seed.rotate_left(17);
        let bits = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (bits ^ (bits >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        (bits >> 40) as f64 / f64::from(1 << 23) - 1.0
    };
    let lower = corner(0, 0) * (1.0 - t.x) + corner(1, 0) * t.x;
    let upper = corner(0, 1) * (1.0 - t.x) + corner(1, 1) * t.x;
    (lower * (1.0 - t.y) + upper * t.y) as f32
}

/// Brightness of the cloth at a point (metres), 1 on average, with a standard deviation of about `texture`:
/// [`cloth_grain`] and [`cloth_wear`].
pub(crate) fn cloth_brightness(point_in_table: DVec2, texture: f64, seed: u64) -> f32 {
    1.0 + texture as f32 * (cloth_grain(point_in_table, seed) + cloth_wear(point_in_table, seed))
}

/// Weave, and nap brushed along the table.
pub(crate) fn cloth_grain(point_in_table: DVec2, seed: u64) -> f32 {
    let weave = value_noise(point_in_table / 0.0022, seed);
    let nap = value_noise(point_in_table / DVec2::new(0.09, 0.012), seed ^ 1);
    1.3 * weave + 0.5 * nap
}

/// Worn patches.
pub(crate) fn cloth_wear(point_in_table: DVec2, seed: u64) -> f32 {
    let wear = value_noise(point_in_table / 0.16, seed ^ 2) + value_noise(point_in_table / 0.5, seed ^ 3);
    0.8 * wear
}

/// Brightness of wood whose grain runs along x (metres), 1 on average.
pub(crate) fn wood_brightness(along_grain: DVec2, seed: u64) -> f32 {
    let bend = 0.004 * f64::from(value_noise(along_grain / 0.3, seed ^ 4));
    let across = along_grain + DVec2::new(0.0, bend);
    let rings = value_noise(across / DVec2::new(0.5, 0.006), seed ^ 5);
    let fibres = value_noise(across / DVec2::new(0.06, 0.0025), seed ^ 6);
    1.0 + 0.14 * rings + 0.07 * fibres
}

/// Brightness of a carpet (metres), 1 on average.
pub(crate) fn floor_brightness(point: DVec2, seed: u64) -> f32 {
    1.0 + 0.05 * value_noise(point / 0.012, seed ^ 7) + 0.06 * value_noise(point / 0.35, seed ^ 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_centred_bounded_and_the_same_again() {
        let at = |i: u32| DVec2::new(f64::from(i) * 0.37 - 90.0, f64::from(i) * 0.11);
        let values: Vec<f32> = (0..4000).map(|i| value_noise(at(i), 9)).collect();
        assert!(values.iter().all(|v| v.abs() <= 1.0));
        assert!((values.iter().sum::<f32>() / values.len() as f32).abs() < 0.05);
        assert_eq!(values[17], value_noise(at(17), 9));
    }
}
