//! How many may be in at a time.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections, all of them and those of each address.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    most: usize,
    /// 0: no limit.
    most_per_ip: usize,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug, Default)]
struct Inside {
    all: usize,
    of_address: BTreeMap<IpAddr, usize>,
}

/// Lets one connection be inside for as long as it lives.
#[derive(Debug)]
pub(crate) struct Pass {
    address: IpAddr,
    inside: Arc<Mutex<Inside>>,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// So many are inside already.
    Full(usize),
    /// So many of this address.
    AddressFull(usize),
}

impl Gate {
    pub(crate) fn new(most: usize, most_per_ip: usize) -> Self {
        Self {
            most,
            most_per_ip,
            inside: Arc::default(),
        }
    }

    pub(crate) fn enter(&self, address: IpAddr) -> Result<Pass, Refused> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.all >= self.most {
            return Err(Refused::Full(self.most));
        }
        let of_address = inside.of_address.entry(address).or_default();
        if self.most_per_ip > 0 && *of_address >= self.most_per_ip {
            return Err(Refused::AddressFull(self.most_per_ip));
        }
        *of_address += 1;
        inside.all += 1;
        Ok(Pass {
            address,
            inside: self.inside.clone(),
        })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.all -= 1;
        if let Some(of_address) = inside.of_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                inside.of_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_let_in_and_one_who_leaves_makes_room() {
        let [here, there] = [[127, 0, 0, 1], [127, 0, 0, 2]].map(IpAddr::from);
        let gate = Gate::new(3, 2);
        let first = gate.enter(here).unwrap();
        let _second = gate.enter(here).unwrap();
        assert_eq!(gate.enter(here).unwrap_err(), Refused::AddressFull(2));
        let _third = gate.enter(there).unwrap();
        assert_eq!(gate.enter(there).unwrap_err(), Refused::Full(3));
        drop(first);
        assert!(gate.enter(here).is_ok());
        assert!(gate.inside.lock().unwrap().of_address.contains_key(&there));
        let open = Gate::new(100, 0);
        let _many: Vec<_> = (0..100).map(|_| open.enter(here).unwrap()).collect();
    }
}
