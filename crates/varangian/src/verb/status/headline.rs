//! One line that says the truth about the whole.

use super::Findings;
use agree::survey::{Health, Lead, Role, listed};
use wire::NodeId;

/// The line.
pub(super) fn of(findings: &Findings<'_>) -> String {
    let name = &findings.cluster.name;
    match findings.only {
        Some(node) => format!("{name}: {}", one(findings, node)),
        None => format!("{name}: {}", all(findings)),
    }
}

fn one(findings: &Findings<'_>, node: NodeId) -> String {
    let role = findings.survey.places[&node].role;
    let of_itself = match (role, &findings.survey.lead, findings.answers.get(&node)) {
        (_, _, Some(Err(silence))) => return format!("node {} gives no account: {silence}", node.0),
        (_, Some(lead), _) => {
            format!("{} in {}, which node {} leads", role.name(), number(lead), lead.primary.0)
        }
        (_, None, _) => role.name().to_string(),
    };
    format!("node {} alone was asked, and says of itself: {of_itself}", node.0)
}

fn all(findings: &Findings<'_>) -> String {
    let survey = &findings.survey;
    let f = findings.cluster.settings.f;
    let members = findings.cluster.settings.members.len();
    match (&survey.lead, survey.health) {
        (Some(lead), Health::Healthy) => {
            format!("healthy, node {} leads {}, 0 of {f} faults used", lead.primary.0, number(lead))
        }
        (Some(lead), Health::Degraded) => format!(
            "degraded, node {} leads {}, {} of {f} faults used{}",
            lead.primary.0,
            number(lead),
            survey.faults,
            troubles(findings)
        ),
        (Some(lead), Health::NotServing) if survey.taking_part >= survey.needed => format!(
            "not serving: node {} leads {} by the word of {}, and {}{}",
            lead.primary.0,
            number(lead),
            listed(&lead.said_by),
            match survey.places.get(&lead.primary).map(|place| place.role) {
                Some(Role::Unmonitored) =>
                    "cannot order, since its monitor was started again (fail = \"open\")",
                _ => "does not take part",
            },
            troubles(findings)
        ),
        (Some(_), Health::NotServing) => format!(
            "not serving: {} of {members} takes part in the largest group, {} must{}",
            survey.taking_part,
            survey.needed,
            troubles(findings)
        ),
        (None, _) => {
            let unheard = survey.places.values().filter(|place| place.role == Role::Unheard).count();
            let nodes = survey.places.len();
            match unheard == nodes {
                true => format!(
                    "nobody answers: {unheard} of {nodes} nodes unreachable, {} must take part",
                    survey.needed
                ),
                false => {
                    format!("not serving: nobody takes part, {} must{}", survey.needed, troubles(findings))
                }
            }
        }
    }
}

/// `view 3`, in the word that the protocol has for it.
pub(super) fn number(lead: &Lead) -> String {
    format!("configuration {}", lead.view.0)
}

/// Who does not do his part, and why.
fn troubles(findings: &Findings<'_>) -> String {
    let of_one = |(node, place): (&NodeId, &agree::survey::Place)| {
        let why = match findings.answers.get(node) {
            Some(Err(silence)) => silence.name(),
            _ if place.role.takes_part() || place.role == Role::Spare => return None,
            _ => place.role.name(),
        };
        Some(format!("node {} {why}", node.0))
    };
    let troubles: Vec<String> = findings.survey.places.iter().filter_map(of_one).collect();
    if troubles.is_empty() { String::new() } else { format!(": {}", troubles.join(", ")) }
}
