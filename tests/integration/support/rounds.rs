//! How many calls had to wait for another: the longest chain of them, from when each began and ended.
//! Values only; `benches/fleet` counts with it too.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The longest chain of calls, each as its begin and end, of which each began after the one before it had ended. Meaningful
/// when every call takes much longer than the caller needs between two calls: give the service some latency.
pub(crate) fn rounds<T: Ord + Copy>(calls: impl IntoIterator<Item = (T, T)>) -> usize {
    let mut sorted: Vec<(T, T)> = calls.into_iter().collect();
    sorted.sort_unstable();
    // Those under way, the first to end on top, with the length of the longest chain up to each.
    let mut under_way: BinaryHeap<Reverse<(T, usize)>> = BinaryHeap::new();
    let (mut ended, mut longest) = (0, 0);
    for (began, end) in sorted {
        while let Some(Reverse((at, chain))) = under_way.peek().copied()
            && at <= began
        {
            ended = ended.max(chain);
            under_way.pop();
        }
        under_way.push(Reverse((end, ended + 1)));
        longest = longest.max(ended + 1);
    }
    longest
}
