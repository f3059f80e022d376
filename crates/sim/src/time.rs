//! Virtual time: an executor that jumps to the next timer when nothing else can go on.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

/// The clock's face, in milliseconds, and who waits for when.
#[derive(Default)]
pub(crate) struct Timers {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    now: u64,
    next: u64,
    /// When, and in which order they were set; wakers are kept apart, since they have no order.
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    wakers: std::collections::HashMap<u64, Waker>,
}

impl Timers {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> u64 {
        self.lock().now
    }

    pub(crate) fn skip(&self, millis: u64) {
        self.lock().now += millis;
    }

    pub(crate) fn sleep(self: &Arc<Self>, millis: u64) -> Sleep {
        Sleep { timers: Arc::clone(self), until: self.now() + millis, ticket: None }
    }

    /// Jumps to the next timer; says whether there was one.
    fn jump(&self) -> bool {
        let mut inner = self.lock();
        while let Some(Reverse((at, ticket))) = inner.queue.pop() {
            // A timer that was dropped has left its place in the queue and no waker.
            let Some(waker) = inner.wakers.remove(&ticket) else { continue };
            inner.now = inner.now.max(at);
            drop(inner);
            waker.wake();
            return true;
        }
        false
    }

    /// Runs a future to its end; none where it waits for something that no timer ends.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        let mut future = std::pin::pin!(future);
        loop {
            while flag.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return Some(value);
                }
            }
            if !self.jump() {
                return None;
            }
        }
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) struct Sleep {
    timers: Arc<Timers>,
    until: u64,
    ticket: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let timers = Arc::clone(&self.timers);
        let mut inner = timers.lock();
        if inner.now >= self.until {
            return Poll::Ready(());
        }
        let ticket = self.ticket.unwrap_or_else(|| {
            let ticket = inner.next;
            inner.next += 1;
            inner.queue.push(Reverse((self.until, ticket)));
            ticket
        });
        self.ticket = Some(ticket);
        inner.wakers.insert(ticket, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.timers.lock().wakers.remove(&ticket);
        }
    }
}
