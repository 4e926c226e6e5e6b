//! Who is who: the cheapest way to give every row its own column.
//!
//! Our own eighty lines instead of a crate: `pathfinding::kuhn_munkres` wants integer-like weights (`Ord`, so no
//! floats), takes its matrix by trait and allocates on every call; this one runs every frame on a kept buffer.

/// Costs at least this large mean "never": they are chosen only where nothing else is left.
pub const FORBIDDEN: f64 = 1e9;

/// A table of costs, row by row, whose memory is used again from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct CostMatrix {
    rows: usize,
    columns: usize,
    costs: Vec<f64>,
}

impl CostMatrix {
    /// Makes it `rows` by `columns`, every pair forbidden.
    pub fn reset(&mut self, rows: usize, columns: usize) {
        self.rows = rows;
        self.columns = columns;
        self.costs.clear();
        self.costs.resize(rows * columns, FORBIDDEN);
    }

    /// Sets the cost of giving `column` to `row`. What is not a number, or beyond [`FORBIDDEN`], is forbidden.
    pub fn set(&mut self, row: usize, column: usize, cost: f64) {
        let cost = if cost.is_nan() { FORBIDDEN } else { cost };
        self.costs[row * self.columns + column] = cost.clamp(-FORBIDDEN, FORBIDDEN);
    }

    /// The cost of giving `column` to `row`.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.costs[row * self.columns + column]
    }
}

/// Solves assignments; keeps its buffers.
#[derive(Clone, Debug, Default)]
pub struct Assigner {
    row_of_column: Vec<usize>,
    row_potential: Vec<f64>,
    column_potential: Vec<f64>,
    slack: Vec<f64>,
    came_from: Vec<usize>,
    visited: Vec<bool>,
    column_of_row: Vec<usize>,
}

impl Assigner {
    /// The column of each row such that no column is given twice and the sum of costs is least. Where there are
    /// fewer columns than rows the matrix must be padded first: such a call returns an empty slice.
    ///
    /// Shortest augmenting paths with potentials (Jonker & Volgenant, A shortest augmenting path algorithm for dense
    /// and sparse linear assignment problems, Computing 38, 1987), O(rows² · columns). Row and column 0 of the
    /// buffers stand for "none".
    pub fn solve(&mut self, matrix: &CostMatrix) -> &[usize] {
        let (rows, columns) = (matrix.rows, matrix.columns);
        self.column_of_row.clear();
        if rows > columns {
            return &self.column_of_row;
        }
        refill(&mut self.row_potential, rows + 1, 0.0);
        refill(&mut self.column_potential, columns + 1, 0.0);
        refill(&mut self.row_of_column, columns + 1, 0);
        refill(&mut self.came_from, columns + 1, 0);
        for row in 1..=rows {
            self.augment(matrix, row);
        }
        self.column_of_row.resize(rows, 0);
        for column in 1..=columns {
            if let Some(row) = self.row_of_column[column].checked_sub(1) {
                self.column_of_row[row] = column - 1;
            }
        }
        &self.column_of_row
    }

    /// Gives `row` a column along the cheapest chain of exchanges.
    fn augment(&mut self, matrix: &CostMatrix, row: usize) {
        let columns = matrix.columns;
        refill(&mut self.slack, columns + 1, f64::INFINITY);
        refill(&mut self.visited, columns + 1, false);
        self.row_of_column[0] = row;
        let mut column = 0;
        while self.row_of_column[column] != 0 {
            self.visited[column] = true;
            let row = self.row_of_column[column];
            let (mut step, mut nearest) = (f64::INFINITY, 0);
            for other in 1..=columns {
                if self.visited[other] {
                    continue;
                }
                let reduced =
                    matrix.get(row - 1, other - 1) - self.row_potential[row] - self.column_potential[other];
                if reduced < self.slack[other] {
                    self.slack[other] = reduced;
                    self.came_from[other] = column;
                }
                if self.slack[other] < step {
                    step = self.slack[other];
                    nearest = other;
                }
            }
            for other in 0..=columns {
                if self.visited[other] {
                    self.row_potential[self.row_of_column[other]] += step;
                    self.column_potential[other] -= step;
                } else {
                    self.slack[other] -= step;
                }
            }
            column = nearest;
        }
        while column != 0 {
            let before = self.came_from[column];
            self.row_of_column[column] = self.row_of_column[before];
            column = before;
        }
    }
}

fn refill<T: Clone>(buffer: &mut Vec<T>, len: usize, value: T) {
    buffer.clear();
    buffer.resize(len, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matrix(rows: usize, columns: usize, costs: &[f64]) -> CostMatrix {
        let mut matrix = CostMatrix::default();
        matrix.reset(rows, columns);
        for row in 0..rows {
            for column in 0..columns {
                matrix.set(row, column, costs[row * columns + column]);
            }
        }
        matrix
    }

    fn cheapest_by_trying_all(matrix: &CostMatrix, row: usize, used: &mut Vec<bool>) -> f64 {
        if row == matrix.rows {
            return 0.0;
        }
        let mut best = f64::INFINITY;
        for column in 0..matrix.columns {
            if !used[column] {
                used[column] = true;
                let cost = matrix.get(row, column) + cheapest_by_trying_all(matrix, row + 1, used);
                best = best.min(cost);
                used[column] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn no_other_assignment_is_cheaper(
            rows in 0..6usize, extra in 0..3usize, costs in prop::collection::vec(-10.0..10.0_f64, 48),
        ) {
            let columns = rows + extra;
            let matrix = matrix(rows, columns, &costs);
            let mut assigner = Assigner::default();
            let columns_of_rows = assigner.solve(&matrix).to_vec();
            let mut distinct = columns_of_rows.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), rows);
            let cost: f64 = columns_of_rows.iter().enumerate().map(|(r, c)| matrix.get(r, *c)).sum();
            let best = cheapest_by_trying_all(&matrix, 0, &mut vec![false; columns]);
            prop_assert!((cost - best).abs() < 1e-9, "{cost} instead of {best}");
        }
    }

    #[test]
    fn the_greedy_choice_is_given_up_where_it_costs_more_in_all() {
        // Row 0 would take column 0, leaving row 1 with 100.
        let matrix = matrix(2, 2, &[1.0, 2.0, 1.5, 100.0]);
        assert_eq!(Assigner::default().solve(&matrix), [1, 0]);
    }

    #[test]
    fn nan_is_never_chosen_and_too_few_columns_give_nothing() {
        let mut assigner = Assigner::default();
        assert_eq!(assigner.solve(&matrix(1, 2, &[f64::NAN, 5.0])), [1]);
        assert!(assigner.solve(&matrix(2, 1, &[1.0, 2.0])).is_empty());
        assert!(assigner.solve(&matrix(0, 0, &[])).is_empty());
    }
}
