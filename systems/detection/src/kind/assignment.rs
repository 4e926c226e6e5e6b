//! Who gets which name, so that all together lose least.

/// Assigns columns to rows at the least total cost. Keeps its buffers.
///
/// Shortest augmenting paths with potentials (Jonker & Volgenant 1987; the form of e-maxx.ru/algo/assignment_hungary).
#[derive(Clone, Debug, Default)]
pub(super) struct Assignment {
    row_potential: Vec<f32>,
    column_potential: Vec<f32>,
    row_of: Vec<usize>,
    before: Vec<usize>,
    least: Vec<f32>,
    is_used: Vec<bool>,
}

impl Assignment {
    /// `cost(row, column)` has to be finite and at most 0; no column costs 0. Calls `give(row, column)` for every row that
    /// gets one. No column is given twice.
    pub fn solve(
        &mut self,
        rows: usize,
        columns: usize,
        cost: impl Fn(usize, usize) -> f32,
        mut give: impl FnMut(usize, usize),
    ) {
        // Counted from 1; after the true columns one for every row that stands for no column.
        let last = columns + rows;
        let cost = |row: usize, column: usize| {
            if column <= columns {
                cost(row - 1, column - 1).min(0.0)
            } else {
                0.0
            }
        };
        reset(&mut self.row_potential, rows + 1, 0.0);
        reset(&mut self.column_potential, last + 1, 0.0);
        reset(&mut self.row_of, last + 1, 0);
        reset(&mut self.before, last + 1, 0);
        for row in 1..=rows {
            self.row_of[0] = row;
            reset(&mut self.least, last + 1, f32::INFINITY);
            reset(&mut self.is_used, last + 1, false);
            let mut column = 0;
            // Each turn uses up a column, so this ends.
            while self.row_of[column] != 0 {
                self.is_used[column] = true;
                let from = self.row_of[column];
                let (mut delta, mut next) = (f32::INFINITY, 0);
                for to in 1..=last {
                    if self.is_used[to] {
                        continue;
                    }
                    let reduced = cost(from, to) - self.row_potential[from] - self.column_potential[to];
                    if reduced < self.least[to] {
                        self.least[to] = reduced;
                        self.before[to] = column;
                    }
                    if self.least[to] < delta {
                        delta = self.least[to];
                        next = to;
                    }
                }
                for to in 0..=last {
                    if self.is_used[to] {
                        self.row_potential[self.row_of[to]] += delta;
                        self.column_potential[to] -= delta;
                    } else {
                        self.least[to] -= delta;
                    }
                }
                column = next;
            }
            while column != 0 {
                let before = self.before[column];
                self.row_of[column] = self.row_of[before];
                column = before;
            }
        }
        for column in 1..=columns {
            let row = self.row_of[column];
            if row != 0 && cost(row, column) < 0.0 {
                give(row - 1, column - 1);
            }
        }
    }
}

fn reset<T: Copy>(buffer: &mut Vec<T>, len: usize, value: T) {
    buffer.clear();
    buffer.resize(len, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By trying everything.
    fn least(costs: &[Vec<f32>], row: usize, taken: &mut Vec<bool>) -> f32 {
        if row == costs.len() {
            return 0.0;
        }
        let mut best = least(costs, row + 1, taken);
        for column in 0..taken.len() {
            if !taken[column] {
                taken[column] = true;
                best = best.min(costs[row][column] + least(costs, row + 1, taken));
                taken[column] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn nothing_costs_less_than_what_is_found(
            costs in prop::collection::vec(prop::collection::vec(-9.0_f32..3.0, 4), 0..5)
        ) {
            let mut taken = [false; 4];
            let mut total = 0.0;
            Assignment::default().solve(costs.len(), 4, |i, j| costs[i][j], |i, j| {
                assert!(!std::mem::replace(&mut taken[j], true));
                total += costs[i][j];
            });
            let expected = least(&costs, 0, &mut vec![false; 4]);
            prop_assert!((total - expected).abs() < 1e-3, "{} {}", total, expected);
        }
    }
}
