//! What names in rules stand for: `$HOME_NET` and its like for sets of addresses and of ports, classes for words and a priority, systems of references for
//! the beginning of an address.

use super::{Classes, References, Reputation};
use crate::Complaint;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The values that a fresh Suricata has, so that a rule set means the same here.
const ADDRESSES: &[(&str, &str)] = &[
    ("HOME_NET", "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]"),
    ("EXTERNAL_NET", "!$HOME_NET"),
    ("HTTP_SERVERS", "$HOME_NET"),
    ("SMTP_SERVERS", "$HOME_NET"),
    ("SQL_SERVERS", "$HOME_NET"),
    ("DNS_SERVERS", "$HOME_NET"),
    ("TELNET_SERVERS", "$HOME_NET"),
    ("AIM_SERVERS", "$EXTERNAL_NET"),
    ("DC_SERVERS", "$HOME_NET"),
    ("DNP3_SERVER", "$HOME_NET"),
    ("DNP3_CLIENT", "$HOME_NET"),
    ("MODBUS_CLIENT", "$HOME_NET"),
    ("MODBUS_SERVER", "$HOME_NET"),
    ("ENIP_CLIENT", "$HOME_NET"),
    ("ENIP_SERVER", "$HOME_NET"),
];

/// The same for ports.
const PORTS: &[(&str, &str)] = &[
    ("HTTP_PORTS", "80"),
    ("SHELLCODE_PORTS", "!80"),
    ("ORACLE_PORTS", "1521"),
    ("SSH_PORTS", "22"),
    ("DNP3_PORTS", "20000"),
    ("MODBUS_PORTS", "502"),
    ("FILE_DATA_PORTS", "[$HTTP_PORTS,110,143]"),
    ("FTP_PORTS", "21"),
    ("GENEVE_PORTS", "6081"),
    ("VXLAN_PORTS", "4789"),
    ("TEREDO_PORTS", "3544"),
    ("SIP_PORTS", "[5060, 5061]"),
];

/// Names and what they stand for.
#[derive(Clone, Debug)]
pub struct Variables {
    reputation: Arc<Reputation>,
    classes: Classes,
    references: References,
    addresses: BTreeMap<String, String>,
    ports: BTreeMap<String, String>,
}

impl Default for Variables {
    fn default() -> Self {
        let owned = |list: &[(&str, &str)]| {
            list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        Variables {
            reputation: Arc::default(),
            classes: Classes::default(),
            references: References::default(),
            addresses: owned(ADDRESSES),
            ports: owned(PORTS),
        }
    }
}

impl Variables {
    /// What is known of addresses, for `iprep`.
    pub fn set_reputation(&mut self, reputation: Reputation) {
        self.reputation = Arc::new(reputation);
    }

    /// What there is of classes, in the place of those that everybody knows.
    pub fn set_classes(&mut self, classes: Classes) {
        self.classes = classes;
    }

    pub(crate) fn classes(&self) -> &Classes {
        &self.classes
    }

    /// What there is of systems that references name, in the place of those that everybody knows.
    pub fn set_references(&mut self, references: References) {
        self.references = references;
    }

    pub(crate) fn references(&self) -> &References {
        &self.references
    }

    pub(crate) fn reputation(&self) -> &Arc<Reputation> {
        &self.reputation
    }

    /// Gives a name a value, which is read when a rule uses it.
    pub fn set_addresses(&mut self, name: &str, value: &str) {
        self.addresses.insert(name.to_owned(), value.to_owned());
    }

    /// Gives a name a value, which is read when a rule uses it.
    pub fn set_ports(&mut self, name: &str, value: &str) {
        self.ports.insert(name.to_owned(), value.to_owned());
    }

    /// What `$name` stands for among addresses.
    ///
    /// # Errors
    ///
    /// Nothing has this name.
    pub fn addresses(&self, name: &str) -> Result<&str, Complaint> {
        found(&self.addresses, name, "addresses")
    }

    /// What `$name` stands for among ports.
    ///
    /// # Errors
    ///
    /// Nothing has this name.
    pub fn ports(&self, name: &str) -> Result<&str, Complaint> {
        found(&self.ports, name, "ports")
    }
}

fn found<'a>(list: &'a BTreeMap<String, String>, name: &str, what: &str) -> Result<&'a str, Complaint> {
    list.get(name).map(String::as_str).ok_or_else(|| {
        let known: Vec<_> = list.keys().map(String::as_str).collect();
        Complaint::new(format!("no variable for {what} is called '${name}'; there are {}", known.join(", ")))
    })
}
