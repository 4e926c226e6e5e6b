//! Who gets which name, so that all together lose least.

/// Assigns columns to rows at the least total cost. Keeps its buffers.
///
/// Shortest augmenting paths with potentials (Jonker & Volgenant 1987; the form of e-maxx.ru/algo/assignment_hungary),
/// where a row may also stay without a column.
#[derive(Clone, Debug, Default)]
pub(super) struct Assignment {
    row_potential: Vec<f32>,
    column_potential: Vec<f32>,
    row_of: Vec<usize>,
    before: Vec<usize>,
    least: Vec<f32>,
    is_used: Vec<bool>,
    used: Vec<usize>,
}

impl Assignment {
    /// `cost(row, column)` has to be finite; no column costs 0. Calls `give(row, column)` for every row that gets one. No
    /// column is given twice.
    pub fn solve(
        &mut self,
        rows: usize,
        columns: usize,
        cost: impl Fn(usize, usize) -> f32,
        mut give: impl FnMut(usize, usize),
    ) {
        // Counted from 1; 0 is none.
        reset(&mut self.row_potential, rows + 1, 0.0);
        reset(&mut self.column_potential, columns + 1, 0.0);
        reset(&mut self.row_of, columns + 1, 0);
        reset(&mut self.before, columns + 1, 0);
        for row in 1..=rows {
            self.row_of[0] = row;
            let mut column = self.shortest_path(columns, &cost);
            while column != 0 {
                let before = self.before[column];
                self.row_of[column] = self.row_of[before];
                column = before;
            }
        }
        for column in 1..=columns {
            if self.row_of[column] != 0 {
                give(self.row_of[column] - 1, column - 1);
            }
        }
    }

    /// From the row of column 0 along columns and the rows that have them, to a column that is free, which is returned,
    /// or to a row that had better stay without: then the column it loses.
    fn shortest_path(&mut self, columns: usize, cost: &impl Fn(usize, usize) -> f32) -> usize {
        reset(&mut self.least, columns + 1, f32::INFINITY);
        reset(&mut self.is_used, columns + 1, false);
        self.used.clear();
        let mut column = 0;
        // Each turn uses up a column, so this ends.
        loop {
            self.is_used[column] = true;
            self.used.push(column);
            let from = self.row_of[column];
            let (mut delta, mut next) = (f32::INFINITY, None);
            for to in 1..=columns {
                if self.is_used[to] {
                    continue;
                }
                let reduced = cost(from - 1, to - 1) - self.row_potential[from] - self.column_potential[to];
                if reduced < self.least[to] {
                    self.least[to] = reduced;
                    self.before[to] = column;
                }
                if self.least[to] < delta {
                    delta = self.least[to];
                    next = Some(to);
                }
            }
            let mut loser = None;
            for used in &self.used {
                let without = -self.row_potential[self.row_of[*used]];
                if without <= delta {
                    delta = without;
                    loser = Some(*used);
                }
            }
            for used in &self.used {
                self.row_potential[self.row_of[*used]] += delta;
                self.column_potential[*used] -= delta;
            }
            for (least, is_used) in self.least.iter_mut().zip(&self.is_used) {
                if !is_used {
                    *least -= delta;
                }
            }
            if let Some(loser) = loser {
                return loser;
            }
            match next {
                Some(next) if self.row_of[next] != 0 => column = next,
                Some(next) => return next,
                None => return 0,
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
