//! What a survey makes of accounts, one trouble at a time.

use super::*;
use crate::Protocol;
use crate::account::tests::account;
use crate::account::{MemberPart, Raised};
use wire::{Digest, Text};

fn settings() -> Settings {
    Settings { spares: vec![NodeId(7)], ..Settings::new(Protocol::ByzId, 1) }
}

/// Three members in configuration 3, and a spare.
fn all() -> BTreeMap<NodeId, Account> {
    let mut accounts: BTreeMap<NodeId, Account> = [0, 1, 2, 7].map(|node| (NodeId(node), account())).into();
    for account in accounts.values_mut() {
        account.guard.links_up = [0, 1, 2, 7].map(NodeId).to_vec();
    }
    of(&mut accounts, 7).standing = Stands::Forgotten;
    accounts
}

fn of(accounts: &mut BTreeMap<NodeId, Account>, node: u16) -> &mut MonitorPart {
    let account = accounts.get_mut(&NodeId(node)).expect("it is there");
    account.guard.monitor.as_mut().expect("it has one")
}

fn replica(accounts: &mut BTreeMap<NodeId, Account>, node: u16) -> &mut crate::replica::Status {
    let account = accounts.get_mut(&NodeId(node)).expect("it is there");
    &mut account.replica.as_mut().expect("it has one").status
}

fn survey(accounts: &BTreeMap<NodeId, Account>) -> Survey {
    Survey::of(&settings(), accounts)
}

fn role_of(survey: &Survey, node: u16) -> Role {
    survey.places[&NodeId(node)].role
}

#[test]
fn a_cluster_in_order_is_healthy_and_all_that_it_says_is_agreed() {
    let survey = survey(&all());
    assert_eq!((survey.health, survey.remarks.clone()), (Health::Healthy, vec![]));
    let lead = survey.lead.as_ref().expect("somebody leads");
    assert_eq!((lead.view, lead.primary, lead.agreed), (View(3), NodeId(0), true));
    assert_eq!((survey.needed, survey.taking_part, survey.faults), (2, 3, 0));
    let roles = [0, 1, 2, 7].map(|node| role_of(&survey, node));
    assert_eq!(roles, [Role::Primary, Role::Backup, Role::Backup, Role::Spare]);
}

#[test]
fn one_that_does_not_answer_uses_a_fault_and_two_end_the_service() {
    let mut accounts = all();
    accounts.remove(&NodeId(2));
    let one = survey(&accounts);
    assert_eq!((one.health, one.faults, role_of(&one, 2)), (Health::Degraded, 1, Role::Unheard));
    accounts.remove(&NodeId(1));
    let two = survey(&accounts);
    assert_eq!((two.health, two.taking_part), (Health::NotServing, 1));
    assert!(!two.lead.expect("it says so").agreed, "what one says alone is its word");
    assert_eq!(survey(&BTreeMap::new()).health, Health::NotServing);
}

#[test]
fn backups_whose_primary_does_not_answer_are_not_served_by_it() {
    let mut accounts = all();
    accounts.remove(&NodeId(0));
    let survey = survey(&accounts);
    assert_eq!((survey.health, survey.taking_part), (Health::NotServing, 2));
    assert_eq!(survey.lead.expect("both say so").primary, NodeId(0));
}

#[test]
fn a_lying_replica_changes_neither_who_leads_nor_who_is_slow() {
    let mut accounts = all();
    let status = replica(&mut accounts, 2);
    *status = crate::replica::Status {
        view: View(9),
        primary: NodeId(2),
        executed: Sequence(u64::MAX),
        ..status.clone()
    };
    let survey = survey(&accounts);
    assert_eq!(survey.lead.as_ref().expect("two say so").primary, NodeId(0));
    assert_eq!((role_of(&survey, 2), survey.health), (Role::Joining, Health::Degraded));
    assert_eq!(survey.places[&NodeId(1)].lag, Some(0), "behind nobody that f+1 have reached");
}

#[test]
fn who_is_behind_is_told_by_how_much() {
    let mut accounts = all();
    replica(&mut accounts, 2).executed = Sequence(40);
    assert_eq!(survey(&accounts).places[&NodeId(2)].lag, Some(60));
}

#[test]
fn a_split_is_named_and_the_smaller_part_of_it_does_not_agree() {
    let mut accounts = all();
    let monitor = of(&mut accounts, 2);
    (monitor.view, monitor.wants) = (View(2), View(2));
    replica(&mut accounts, 2).view = View(2);
    let survey = survey(&accounts);
    assert!(
        matches!(&survey.remarks[..], [Remark::Split(lead)] if lead.view == View(2) && lead.said_by == [NodeId(2)])
    );
    assert_eq!(survey.health, Health::Degraded);
    assert!(survey.places[&NodeId(1)].agrees && !survey.places[&NodeId(2)].agrees);
}

#[test]
fn two_states_at_one_place_are_said_aloud() {
    let mut accounts = all();
    replica(&mut accounts, 1).state = Digest([6; 32]);
    let survey = survey(&accounts);
    let nodes = [NodeId(0), NodeId(1)];
    assert!(survey.remarks.contains(&Remark::StatesDiffer { at: Sequence(100), nodes }));
    assert_eq!(survey.health, Health::Degraded);
}

#[test]
fn a_replica_that_is_down_or_silent_takes_no_part_whatever_it_said_last() {
    for change in [
        |account: &mut Account| account.guard.replica.up = false,
        |account: &mut Account| account.guard.replica.silent_ms = SILENT_MS_MAX + 1,
        |account: &mut Account| account.replica = None,
    ] {
        let mut accounts = all();
        change(accounts.get_mut(&NodeId(1)).expect("it is there"));
        let survey = survey(&accounts);
        assert_eq!((role_of(&survey, 1), survey.faults, survey.health), (Role::Down, 1, Health::Degraded));
    }
}

#[test]
fn what_monitors_hold_against_somebody_is_told() {
    let mut accounts = all();
    of(&mut accounts, 1).wants = View(4);
    let guilty = of(&mut accounts, 2);
    (guilty.standing, guilty.guilty) = (Stands::Quarantined, Some(Text::cut("no gap")));
    let survey = survey(&accounts);
    assert_eq!(role_of(&survey, 2), Role::Quarantined);
    for remark in [
        Remark::Suspects { node: NodeId(1), primary: NodeId(0), wants: View(4) },
        Remark::Guilty { node: NodeId(2), rule: "no gap".to_string() },
    ] {
        assert!(survey.remarks.contains(&remark), "{remark}");
    }
}

#[test]
fn a_spare_that_became_a_member_is_one_and_an_old_alarm_is_no_fault() {
    let mut accounts = all();
    let members = [0, 1, 7].map(|node| MemberPart { node: NodeId(node), incarnation: 0 });
    for node in [0, 1, 7] {
        let monitor = of(&mut accounts, node);
        (monitor.members, monitor.standing) = (members.to_vec(), Stands::Member);
    }
    accounts.remove(&NodeId(2));
    let raised = Raised { rule: Text::cut("no gap"), proof: true, view: View(2), times: 1, ago_ms: 9 };
    accounts.get_mut(&NodeId(0)).expect("it is there").guard.alarms.push(raised);
    let survey = survey(&accounts);
    assert_eq!((survey.taking_part, survey.faults), (3, 0));
    assert_eq!(survey.health, Health::Degraded, "node 2 is still in the files, and does not answer");
}

#[test]
fn backups_that_fail_open_follow_and_a_primary_that_does_cannot_lead() {
    let mut accounts = all();
    let fails_open =
        |monitor: &mut MonitorPart| (monitor.standing, monitor.fails_open) = (Stands::Forgotten, true);
    fails_open(of(&mut accounts, 1));
    let one = survey(&accounts);
    assert_eq!((one.health, one.taking_part, role_of(&one, 1)), (Health::Degraded, 3, Role::Unmonitored));
    assert!(one.remarks.contains(&Remark::Unmonitored(NodeId(1))));
    fails_open(of(&mut accounts, 0));
    assert_eq!(survey(&accounts).health, Health::NotServing, "all three take part, and nobody orders");
}

#[test]
fn without_monitors_the_word_of_the_replica_counts() {
    let settings = Settings::new(Protocol::Pbft, 1);
    let mut accounts: BTreeMap<NodeId, Account> = [0, 1, 2, 3].map(|node| (NodeId(node), account())).into();
    for account in accounts.values_mut() {
        account.guard.monitor = None;
        account.guard.links_up = [0, 1, 2, 3].map(NodeId).to_vec();
    }
    assert_eq!(Survey::of(&settings, &accounts).health, Health::Healthy);
    replica(&mut accounts, 3).normal = false;
    let survey = Survey::of(&settings, &accounts);
    assert_eq!((survey.needed, survey.health, role_of(&survey, 3)), (3, Health::Degraded, Role::Joining));
    accounts.remove(&NodeId(2));
    assert_eq!(Survey::of(&settings, &accounts).health, Health::NotServing);
}
