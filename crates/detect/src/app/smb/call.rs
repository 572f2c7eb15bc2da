//! A call of DCERPC that went through a named pipe.

use crate::app::dcerpc::interface::Interface;
use crate::app::dcerpc::pdu::kind;
use crate::app::dcerpc::stub::Stub;
use std::sync::Arc;

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) call_id: u32,
    pub(crate) context: u16,
    pub(crate) operation: u16,
    /// What was sent and what came back; of a call whose request was missed, a request of operation 0, as Suricata has it.
    pub(crate) kinds: [u8; 2],
    /// Whether each was seen.
    pub(crate) seen: [bool; 2],
    pub(crate) stubs: [Stub; 2],
    /// The interfaces of the flow's last bind when the call was touched last.
    pub(crate) interfaces: Arc<Vec<Interface>>,
}

impl Call {
    pub(super) fn new(call_id: u32, interfaces: &Arc<Vec<Interface>>) -> Self {
        Call {
            call_id,
            context: 0,
            operation: 0,
            kinds: [kind::REQUEST, 0],
            seen: [false; 2],
            stubs: [Stub::default(), Stub::default()],
            interfaces: Arc::clone(interfaces),
        }
    }

    /// What came back.
    pub(super) fn answered(&mut self, kind: u8) {
        self.kinds[1] = kind;
        self.seen[1] = true;
    }
}
