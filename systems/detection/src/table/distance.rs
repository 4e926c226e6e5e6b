//! How far each cell of a mask is from its nearest background.

/// Chamfer distances 3-4 (Borgefors 1986, "Distance transformations in digital images"), thirds of a cell. Holds its
/// buffer. The outermost cells are background.
#[derive(Clone, Debug, Default)]
pub(crate) struct DistanceMap {
    pub columns: usize,
    pub rows: usize,
    pub distances: Vec<u16>,
}

/// A cell of the mask before distances are measured.
pub(crate) const OBJECT: u16 = u16::MAX;

impl DistanceMap {
    /// A mask of background.
    pub fn reset(&mut self, columns: usize, rows: usize) {
        (self.columns, self.rows) = (columns, rows);
        self.distances.clear();
        self.distances.resize(columns * rows, 0);
    }

    /// A row of the mask.
    pub fn row_mut(&mut self, row: usize) -> &mut [u16] {
        &mut self.distances[row * self.columns..(row + 1) * self.columns]
    }

    /// Turns the mask into distances, in two passes.
    pub fn measure(&mut self) {
        let (columns, rows) = (self.columns, self.rows);
        if columns < 3 || rows < 3 {
            self.distances.fill(0);
            return;
        }
        for row in 0..rows {
            let cells = self.row_mut(row);
            (cells[0], cells[columns - 1]) = (0, 0);
        }
        self.row_mut(0).fill(0);
        self.row_mut(rows - 1).fill(0);
        for row in 1..rows {
            let (before, rest) = self.distances.split_at_mut(row * columns);
            let cells = &mut rest[..columns];
            reach_over(&before[(row - 1) * columns..], cells);
            for x in 1..columns {
                cells[x] = cells[x].min(cells[x - 1].saturating_add(3));
            }
        }
        for row in (0..rows - 1).rev() {
            let (rest, after) = self.distances.split_at_mut((row + 1) * columns);
            let cells = &mut rest[row * columns..];
            reach_over(&after[..columns], cells);
            for x in (0..columns - 1).rev() {
                cells[x] = cells[x].min(cells[x + 1].saturating_add(3));
            }
        }
    }
}

/// Takes distances over from the row above or below.
fn reach_over(other: &[u16], cells: &mut [u16]) {
    for (cell, near) in cells[1..].iter_mut().zip(other.windows(3)) {
        let diagonal = near[0].min(near[2]).saturating_add(4);
        *cell = (*cell).min(near[1].saturating_add(3)).min(diagonal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_disc_is_its_radius_from_the_background() {
        let mut map = DistanceMap::default();
        map.reset(41, 31);
        for y in 0..31 {
            for (x, cell) in map.row_mut(y).iter_mut().enumerate() {
                let (dx, dy) = (x as f64 - 20.0, y as f64 - 15.0);
                if dx * dx + dy * dy < 100.0 {
                    *cell = OBJECT;
                }
            }
        }
        map.measure();
        let middle = f64::from(map.distances[15 * 41 + 20]) / 3.0;
        assert!((middle - 10.0).abs() < 1.0, "{middle}");
        assert_eq!(map.distances.iter().max(), Some(&map.distances[15 * 41 + 20]));
        assert_eq!(map.distances[0], 0);
    }

    #[test]
    fn a_mask_of_nothing_but_object_ends_at_its_border() {
        let mut map = DistanceMap::default();
        map.reset(7, 5);
        map.distances.fill(OBJECT);
        map.measure();
        assert_eq!(map.distances[2 * 7 + 3], 6);
    }
}
