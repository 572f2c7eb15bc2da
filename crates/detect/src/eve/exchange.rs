//! What was said in an exchange, under the names that EVE has for it.

use super::{Object, written};
use crate::app::{AnyTransaction, ProtocolId};

/// The objects about an exchange of this protocol, as one that holds them: `{"http":{…}}`; `{}` if there is nothing to tell.
pub(crate) fn said(protocol: ProtocolId, transaction: &dyn AnyTransaction) -> String {
    let mut all = Object::new();
    if let Some(written) = written(protocol) {
        let mut own = Object::new();
        transaction.record(&mut own);
        if !own.is_empty() {
            all.object(written.key, own);
        }
        transaction.record_beside(&mut all);
    }
    all.finish()
}
