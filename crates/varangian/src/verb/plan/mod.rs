//! `varangian plan`: how many nodes a wish needs, and what they then really tolerate.
//!
//! Upon a wish for one protocol: that plan, or the reason why there is none.
//! Upon a wish that names no protocol: all of them side by side; refused only if none can.
//!
//! What can be is decided in [`wish`]; here it is only asked for and printed.

pub(crate) mod wish;

use crate::Outcome;
use crate::say::{self, complain, say};
use agree::Protocol;
use clap::Args;
use serde_json::{Value, json};
use wish::{Answer, Plan, Wish};

/// Say how many nodes a wish needs and what they tolerate; refuse impossible wishes.
#[derive(Args)]
#[command(after_help = "\
Examples:
  varangian plan --protocol byzid --f 1     how many nodes mask one traitor?
  varangian plan --f 2                      the same question to every protocol
  varangian plan --nodes 4                  what can four nodes tolerate?
  varangian plan --nodes 3 --protocol pbft --f 1
                                            refused, with what would be right

Exit codes: 0 the wish can be had, 2 it cannot.")]
pub(crate) struct Arguments {
    /// The protocol: byzid, byzid-w, paxos or pbft. Without it, all of them are compared.
    #[arg(long, value_name = "P")]
    protocol: Option<Protocol>,

    /// How many nodes may be faulty at once.
    #[arg(long, value_name = "F")]
    f: Option<usize>,

    /// How many nodes there are.
    #[arg(long, value_name = "N")]
    nodes: Option<usize>,

    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Answers the wish on standard output, or refuses it on standard error.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let wish = Wish { protocol: arguments.protocol, f: arguments.f, nodes: arguments.nodes };
    match wish.answer() {
        Err(impossible) => {
            complain!("error: {impossible}");
            Outcome::Refused
        }
        Ok(answer) => {
            if arguments.json {
                say!("{}", as_json(&wish, &answer));
            } else {
                say::answer(format_args!("{}", as_text(&answer)));
            }
            Outcome::Fine
        }
    }
}

fn as_json(wish: &Wish, answer: &Answer) -> Value {
    let plans: Vec<Value> = answer
        .plans
        .iter()
        .map(|plan| {
            json!({
                "protocol": plan.protocol.name(),
                "f": plan.f,
                "nodes_needed": plan.needed(),
                "nodes_extra": plan.extra(),
                "liars_tolerated": plan.liars(),
                "crashes_tolerated": plan.f,
                "replies_needed": plan.protocol.replies_needed(plan.f),
                "trusts_monitor": plan.protocol.monitored(),
            })
        })
        .collect();
    json!({
        "wish": { "protocol": wish.protocol.map(Protocol::name), "f": wish.f, "nodes": wish.nodes },
        "plans": plans,
        "unable": answer.unable.iter().map(|protocol| protocol.name()).collect::<Vec<_>>(),
    })
}

fn as_text(answer: &Answer) -> String {
    match &answer.plans[..] {
        [plan] => one(plan),
        plans => table(plans, &answer.unable),
    }
}

fn one(plan: &Plan) -> String {
    let Plan { protocol, f, .. } = *plan;
    let mut text = format!("{protocol}, f = {f}: {} nodes ({})\n\n", plan.needed(), wish::formula(protocol));
    text += &format!("  tolerates  {}\n", tolerates(plan));
    text += &format!("  rests on   {}\n", rests_on(protocol));
    text += &format!(
        "  a client   believes a result that {} of them {} vouched for\n",
        protocol.replies_needed(f),
        if protocol.replies_needed(f) == 1 { "has" } else { "have" },
    );
    if plan.extra() > 0 {
        text += &format!("  the rest   {}\n", rest(plan));
    }
    text
}

fn table(plans: &[Plan], unable: &[Protocol]) -> String {
    let mut text =
        format!("{:<9} {:>2} {:>6}  {:<36} {}\n", "protocol", "f", "nodes", "tolerates", "rests on");
    for plan in plans {
        let Plan { protocol, f, .. } = *plan;
        text += &format!(
            "{:<9} {:>2} {:>6}  {:<36} {}\n",
            protocol.name(),
            f,
            plan.needed(),
            tolerates(plan),
            rests_on(protocol)
        );
    }
    for protocol in unable {
        text += &format!("{:<9}  -      -  needs {} nodes\n", protocol.name(), wish::formula(*protocol));
    }
    text
}

fn tolerates(plan: &Plan) -> String {
    let nodes = if plan.f == 1 { "1 node".into() } else { format!("{} nodes", plan.f) };
    let (lie, crash) = if plan.f == 1 { ("lies", "crashes") } else { ("lie", "crash") };
    if plan.protocol.tolerates_lies() {
        format!("{nodes} that {lie} or {crash}")
    } else {
        format!("{nodes} that {crash}, none that lies")
    }
}

fn rests_on(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::ByzId | Protocol::ByzIdW => "an honest monitor beside each replica; it may crash, not lie",
        Protocol::Paxos => "every node's honesty",
        Protocol::Pbft => "nothing: nobody is trusted",
    }
}

fn rest(plan: &Plan) -> String {
    let extra = if plan.extra() == 1 { "1 node".into() } else { format!("{} nodes", plan.extra()) };
    if plan.protocol.monitored() {
        format!("{extra} can stand by as spares, to take the place of a member that is replaced")
    } else {
        format!("{extra} would add nothing: {} uses {}", plan.protocol, wish::formula(plan.protocol))
    }
}
