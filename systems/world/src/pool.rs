//! Shared values whose buffers are used again.

use std::sync::Arc;

/// Hands out shared values and takes them again once nobody holds them, so that nothing is allocated after warm-up.
///
/// It grows by one whenever all its values are in use: its size is bounded by the queues that hold them.
#[derive(Debug)]
pub struct Pool<T> {
    values: Vec<Arc<T>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { values: Vec::new() }
    }
}

impl<T: Default + Clone> Pool<T> {
    /// Fills a free value with `fill` and hands it out. What it holds before is unspecified; on `Err` it goes back to
    /// the pool.
    pub fn fill<E>(&mut self, fill: impl FnOnce(&mut T) -> Result<(), E>) -> Result<Arc<T>, E> {
        let free = self
            .values
            .iter_mut()
            .position(|value| Arc::get_mut(value).is_some());
        let index = free.unwrap_or_else(|| {
            self.values.push(Arc::default());
            self.values.len() - 1
        });
        let value = &mut self.values[index];
        // Always unique here: either just found so or just made. `make_mut` would copy otherwise, never fail.
        fill(Arc::make_mut(value))?;
        Ok(Arc::clone(value))
    }

    /// Values the pool has made so far.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no value was ever asked for.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_value_is_used_again_once_nobody_holds_it() {
        let mut pool = Pool::default();
        let mut get = |n: u64| {
            pool.fill(|value| -> Result<(), Infallible> {
                *value = n;
                Ok(())
            })
            .unwrap()
        };
        let first = get(1);
        let second = get(2);
        assert_eq!((*first, *second), (1, 2));
        drop(first);
        let third = get(3);
        assert_eq!((*third, *second), (3, 2));
        assert_eq!(pool.len(), 2);
    }
}
