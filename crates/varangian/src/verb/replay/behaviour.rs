//! Parameters of behaviour detection, from a file.
//!
//! Promises that a file is taken in full or refused by the name of what is wrong. What is not set keeps its default.

use detect::behaviour::Parameters;
use std::fs;
use std::path::Path;
use toml::{Table, Value};

/// Bytes of the file at most.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What `--behaviour` asks for: nothing with `off`, the defaults with `on`, else what the file of this name says.
pub(super) fn parameters(asked: &str) -> Result<Option<Parameters>, String> {
    match asked {
        "off" => Ok(None),
        "on" => Ok(Some(Parameters::default())),
        path => read(Path::new(path)).map(Some),
    }
}

fn read(path: &Path) -> Result<Parameters, String> {
    let told = |words: String| format!("{}: {words}", path.display());
    let length = fs::metadata(path).map_err(|error| told(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(told(format!("longer than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| told(error.to_string()))?;
    written(&text).map_err(told)
}

/// The parameters that a text sets.
fn written(text: &str) -> Result<Parameters, String> {
    let table: Table =
        text.parse().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    let mut parameters = Parameters::default();
    for (name, value) in &table {
        match value {
            Value::Integer(number) => {
                let number = u64::try_from(*number).map_err(|_| format!("{name} = {number}: below zero"))?;
                parameters.set(name, number).map_err(|complaint| complaint.0)?;
            }
            Value::Array(list) if name == "exempt" => {
                for network in list {
                    let network = network
                        .as_str()
                        .ok_or_else(|| format!("exempt: a text is wanted, not {}", kind_of(network)))?;
                    parameters.exempt(network).map_err(|complaint| complaint.0)?;
                }
            }
            other => {
                return Err(format!(
                    "{name}: a number is wanted (a list of texts for exempt), not {}",
                    kind_of(other)
                ));
            }
        }
    }
    Ok(parameters)
}

/// What kind of value it is.
fn kind_of(value: &Value) -> String {
    format!("one of type {}", value.type_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_sets_is_set_and_the_rest_keeps_its_default() {
        let parameters =
            written("scan_ports = 50\nexempt = [\"192.0.2.0/24\", \"2001:db8::1\"]\n").expect("it is fine");
        assert_eq!((parameters.scan_ports, parameters.exempt.len()), (50, 2));
        assert_eq!(parameters.sweep_hosts, Parameters::default().sweep_hosts);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("scan_ports = 1", "from 3 to 1024"),
            ("scan_ports = -5", "below zero"),
            ("scan_ports = \"many\"", "a number is wanted"),
            ("scan_prots = 5", "there is no 'scan_prots'"),
            ("exempt = [5]", "a text is wanted"),
            ("exempt = [\"here\"]", "neither an address nor a network"),
            ("scan_ports =", "scan_ports"),
        ] {
            assert!(written(text).is_err_and(|error| error.contains(words)), "{text}");
        }
    }
}
