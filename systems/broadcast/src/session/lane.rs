//! One subscribed stream of one client: newest wins, at the rate the client asked for.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::subscription::Filters;
use crate::pacer::Pacer;
use crate::publication::Publication;
use crate::publisher::Newest;

#[derive(Debug)]
pub(super) struct Lane {
    newest: Newest,
    subscription: Option<Subscription>,
}

#[derive(Debug)]
struct Subscription {
    filters: Filters,
    pacer: Pacer,
    /// Something is there that was not sent.
    is_pending: bool,
}

impl Lane {
    pub(super) fn new(newest: Newest) -> Self {
        Self {
            newest,
            subscription: None,
        }
    }

    pub(super) fn is_subscribed(&self) -> bool {
        self.subscription.is_some()
    }

    /// Starts the stream anew: what is there now comes at once.
    pub(super) fn subscribe(&mut self, filters: Filters) {
        self.subscription = Some(Subscription {
            filters,
            pacer: Pacer::new(filters.max_fps, Instant::now()),
            is_pending: true,
        });
    }

    pub(super) fn unsubscribe(&mut self) {
        self.subscription = None;
    }

    /// The next publication that is due, and how the client wants it. Never returns while there is no subscription. Loses
    /// nothing when it is cancelled.
    pub(super) async fn next(&mut self) -> (Arc<Publication>, Filters) {
        let Some(subscription) = &mut self.subscription else {
            return std::future::pending().await;
        };
        loop {
            if !subscription.is_pending {
                if self.newest.changed().await.is_err() {
                    return std::future::pending().await;
                }
                subscription.is_pending = true;
            }
            sleep_until(subscription.pacer.due()).await;
            subscription.is_pending = false;
            let newest = self.newest.borrow_and_update().clone();
            if let Some(publication) = newest {
                subscription.pacer.sent(Instant::now());
                return (publication, subscription.filters);
            }
        }
    }
}
