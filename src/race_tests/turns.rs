//! A scheduler of calls: of several runs in one world, exactly one makes exactly one call at a time, in an order that is chosen.
//! It knows calls, not what they mean, but for which of them cannot see each other.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::cloud::{Cloud, CloudError};
use crate::model::account::AccountName;
use crate::model::read::{Fact, Read};
use crate::model::write::{Write, Written};
use crate::world::World;

/// What a call touches, and whether it changes it. A role's policies, tags and trust are the role; all pipelines are one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touch {
    object: String,
    writes: bool,
}

impl Touch {
    fn read(account: &AccountName, read: &Read) -> Self {
        let object = match (read, read.role()) {
            (Read::Pipeline { .. } | Read::PipelineVersion { .. }, _) => "pipeline".to_owned(),
            (_, Some(role)) => format!("{account}/role/{role}"),
            _ => String::new(),
        };
        let writes = false;
        Self { object, writes }
    }

    fn write(account: &AccountName, write: &Write) -> Self {
        let object = match (write, write.role()) {
            (Write::UpdatePipeline { .. }, _) => "pipeline".to_owned(),
            (Write::CreateRole(new), _) => format!("{account}/role/{}", new.name),
            (_, Some(role)) => format!("{account}/role/{role}"),
            (other, None) => panic!("{other} has no place here"),
        };
        let writes = true;
        Self { object, writes }
    }

    /// True where the order of the two cannot be seen by anybody.
    pub(super) fn commutes(&self, other: &Self) -> bool {
        self.object != other.object || !(self.writes || other.writes)
    }
}

/// A run's side of the world: each call waits for its turn.
pub(super) struct Turn<'w> {
    world: &'w World,
    waiting: RefCell<VecDeque<(usize, Touch, Option<Waker>)>>,
    granted: Cell<Option<usize>>,
    next: Cell<usize>,
    /// The version of the pipeline's document that was read last, and what was written over, if it was another one.
    seen: Cell<Option<u64>>,
    pub(super) buried: RefCell<Vec<u64>>,
}

impl<'w> Turn<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        Self {
            world,
            waiting: RefCell::default(),
            granted: Cell::default(),
            next: Cell::default(),
            seen: Cell::default(),
            buried: RefCell::default(),
        }
    }

    /// The call that it would make next.
    pub(super) fn upcoming(&self) -> Option<Touch> {
        let waiting = self.waiting.borrow();
        waiting.front().map(|(_, touch, _)| touch.clone())
    }

    fn grant(&self) {
        let front = self.waiting.borrow_mut().pop_front();
        let Some((ticket, _, waker)) = front else {
            return;
        };
        self.granted.set(Some(ticket));
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    async fn turn(&self, touch: Touch) {
        let ticket = self.next.get();
        self.next.set(ticket + 1);
        self.waiting.borrow_mut().push_back((ticket, touch, None));
        poll_fn(|context: &mut Context<'_>| {
            if self.granted.get() == Some(ticket) {
                self.granted.set(None);
                return Poll::Ready(());
            }
            let mut waiting = self.waiting.borrow_mut();
            if let Some(entry) = waiting.iter_mut().find(|(one, _, _)| *one == ticket) {
                entry.2 = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    fn version(&self) -> Option<u64> {
        self.world.document("MyPipeline")?.version()
    }
}

impl Cloud for Turn<'_> {
    async fn read(&self, account: &AccountName, read: &Read) -> Result<Fact, CloudError> {
        self.turn(Touch::read(account, read)).await;
        if let Read::Pipeline { .. } = read {
            self.seen.set(self.version());
        }
        self.world.read(account, read).await
    }

    async fn write(&self, account: &AccountName, write: &Write) -> Result<Written, CloudError> {
        self.turn(Touch::write(account, write)).await;
        if let (Write::UpdatePipeline { .. }, Some(now)) = (write, self.version())
            && self.seen.get() != Some(now)
        {
            self.buried.borrow_mut().push(now);
        }
        self.world.write(account, write).await
    }
}

/// Runs two to their ends. `choose` is told what each would do next and says who goes on: 0 or 1; none breaks both off.
/// Answers what came of them, if both ended.
pub(super) fn interleave<A, B>(
    turns: [&Turn<'_>; 2],
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
    mut choose: impl FnMut([Option<Touch>; 2]) -> Option<usize>,
) -> Option<(A, B)> {
    let mut context = Context::from_waker(Waker::noop());
    let mut one = pin!(one);
    let mut other = pin!(other);
    let (mut first, mut second) = (None, None);
    loop {
        if first.is_none()
            && let Poll::Ready(value) = one.as_mut().poll(&mut context)
        {
            first = Some(value);
        }
        if second.is_none()
            && let Poll::Ready(value) = other.as_mut().poll(&mut context)
        {
            second = Some(value);
        }
        let upcoming = turns.map(Turn::upcoming);
        if upcoming == [None, None] {
            return first.zip(second);
        }
        let who = choose(upcoming)?;
        turns[who].grant();
    }
}

/// Every order of the calls of two runs, one of each set of orders that nobody can tell apart: two calls that touch different
/// things, or both only read, may change places (Godefroid's sleep sets; of each such set exactly one order is run to its end).
#[derive(Default)]
pub(super) struct Orders {
    path: Vec<Step>,
    at: usize,
    asleep: Option<usize>,
    /// Orders that ran to their ends, and those broken off because they would have repeated another.
    pub(super) whole: usize,
    pub(super) broken: usize,
    /// The calls of the longest, of each run.
    pub(super) calls: [usize; 2],
    counted: [usize; 2],
}

struct Step {
    choice: usize,
    /// Whether the other run's call may be tried in this place later; then it has not been tried yet.
    alternative: bool,
    /// Whether the choice is the second here.
    second: bool,
}

impl Orders {
    /// Says who goes on.
    pub(super) fn choose(&mut self, upcoming: &[Option<Touch>; 2]) -> Option<usize> {
        let awake = |who: usize| upcoming[who].is_some() && self.asleep != Some(who);
        if self.at == self.path.len() {
            let choice = (0..2).find(|who| awake(*who))?;
            let alternative = choice == 0 && awake(1);
            self.path.push(Step {
                choice,
                alternative,
                second: false,
            });
        }
        let Step { choice, second, .. } = self.path[self.at];
        self.at += 1;
        self.counted[choice] += 1;
        let other = 1 - choice;
        let rests = self.asleep == Some(other) || second;
        let calls = (&upcoming[choice], &upcoming[other]);
        let independent = matches!(calls, (Some(one), Some(two)) if one.commutes(two));
        self.asleep = (rests && independent).then_some(other);
        Some(choice)
    }

    /// Turns to the next order; false where there is none. `ended`: the last one ran to its end.
    pub(super) fn next(&mut self, ended: bool) -> bool {
        if ended {
            self.whole += 1;
            for (most, now) in self.calls.iter_mut().zip(self.counted) {
                *most = (*most).max(now);
            }
        } else {
            self.broken += 1;
        }
        (self.at, self.asleep, self.counted) = (0, None, [0, 0]);
        while let Some(last) = self.path.last_mut() {
            if last.alternative {
                *last = Step {
                    choice: 1 - last.choice,
                    alternative: false,
                    second: true,
                };
                return true;
            }
            self.path.pop();
        }
        false
    }
}

/// How many orders two runs of so many calls have, equal or not.
pub(super) fn orders(calls: [usize; 2]) -> f64 {
    let [one, other] = calls.map(|n| u32::try_from(n).unwrap());
    (1..=one).fold(1.0, |all, n| all * f64::from(other + n) / f64::from(n))
}
