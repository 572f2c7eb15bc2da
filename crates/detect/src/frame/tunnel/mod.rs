//! Packets inside packets, one small file for each kind.

pub(crate) mod erspan;
pub(crate) mod geneve;
pub(crate) mod gre;
pub(crate) mod teredo;
pub(crate) mod vxlan;

#[cfg(test)]
mod tests;
