//! The last lines of the program's log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines that are kept; the oldest goes when one more comes.
const LINES: usize = 1000;
/// What is kept of a line, bytes: a line is a sentence, not a document.
const LINE_BYTES: usize = 1024;

/// The last lines of the log, at most a megabyte of them. Clones see the same lines.
#[derive(Clone, Debug, Default)]
pub struct LogTail {
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl LogTail {
    /// Adds a line, without its end.
    pub fn push(&self, line: &str) {
        let end = (0..=LINE_BYTES.min(line.len()))
            .rev()
            .find(|end| line.is_char_boundary(*end));
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line[..end.unwrap_or(0)].to_owned());
    }

    /// The last `count` lines, the newest last.
    pub fn last(&self, count: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .skip(lines.len().saturating_sub(count))
            .cloned()
            .collect()
    }
}

impl PartialEq for LogTail {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.lines, &other.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_kept_and_none_is_long() {
        let tail = LogTail::default();
        for n in 0..LINES + 5 {
            tail.push(&format!("line {n}"));
        }
        assert_eq!(tail.last(2), ["line 1003", "line 1004"]);
        assert_eq!(tail.last(usize::MAX).len(), LINES);
        tail.push(&"é".repeat(LINE_BYTES));
        assert_eq!(tail.last(1)[0].len(), LINE_BYTES);
    }
}
