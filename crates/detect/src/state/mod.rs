//! What rules remember: bits and numbers of a flow, of hosts and of pairs of hosts, thresholds.
//!
//! `flow` is what belongs to one flow and is decided where the flow is; `late` is what several flows share, and is decided in the order of
//! frames, so that it does not depend on how many workers there are.

mod flow;
mod late;

pub(crate) use flow::{
    BitTest, Change, FlowTest, FlowVariables, IntCompare, IntTest, IntValue, LayerOf, SizeOf,
};
pub(crate) use late::{Filter, Late, LateState, Shared, SharedAsk, Subject, Threshold, ThresholdKind, Track};
