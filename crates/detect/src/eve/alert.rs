//! An alert as EVE writes it.

use super::Object;
use super::head::{Head, has_ports, head};
use crate::engine::Alert;
use crate::rule::{Action, Target};
use crate::{Direction, Time};
use core::net::IpAddr;

/// The record of an alert, one line without its end.
#[must_use]
pub fn alert_record(alert: &Alert<'_>) -> String {
    let mut record = head(&Head {
        time: alert.time,
        flow: alert.flow.map(|flow| flow.id),
        frame: Some(alert.frame),
        kind: "alert",
        vlan: alert.vlan,
        source: alert.source,
        destination: alert.destination,
        protocol: alert.protocol,
        icmp: alert.icmp,
        is_of_packets: true,
    });
    if let Some((id, _)) = alert.exchange {
        record.number("tx_id", id);
    }
    record.object("alert", rule(alert));
    if let Some((_, said)) = alert.exchange {
        record.include(said);
    }
    if let Some(layer) = alert.layer {
        record.text("app_proto", layer);
    }
    record.text(
        "direction",
        match alert.direction {
            Direction::ToServer => "to_server",
            Direction::ToClient => "to_client",
        },
    );
    if let Some(flow) = alert.flow {
        let mut object = Object::new();
        object.number("pkts_toserver", flow.packets[0]);
        object.number("pkts_toclient", flow.packets[1]);
        object.number("bytes_toserver", flow.bytes[0]);
        object.number("bytes_toclient", flow.bytes[1]);
        object.text("start", &timestamp(flow.began));
        object.text("src_ip", &flow.client.0.to_string());
        object.text("dest_ip", &flow.server.0.to_string());
        if has_ports(alert.protocol) {
            object.number("src_port", u64::from(flow.client.1));
            object.number("dest_port", u64::from(flow.server.1));
        }
        record.object("flow", object);
    }
    if let Some(behaviour) = alert.behaviour {
        let mut own = Object::new();
        own.object("behaviour", behaviour.record());
        record.object("varangian", own);
    }
    record.finish()
}

/// One of the two ends.
fn end((address, port): (IpAddr, u16), protocol: u8) -> Object {
    let mut object = Object::new();
    object.text("ip", &address.to_string());
    if has_ports(protocol) {
        object.number("port", u64::from(port));
    }
    object
}

fn rule(alert: &Alert<'_>) -> Object {
    let meta = alert.meta;
    let mut object = Object::new();
    object.text(
        "action",
        match meta.action {
            // Whoever is rejected is told so, in whatever mode. What a sensor drops goes on all the same.
            Action::Reject => "blocked",
            Action::Alert | Action::Pass | Action::Drop | Action::Config => "allowed",
        },
    );
    object.number("gid", u64::from(meta.gid));
    object.number("signature_id", u64::from(meta.sid));
    object.number("rev", u64::from(meta.rev));
    object.text("signature", &meta.msg);
    object.text("category", &meta.class);
    object.number("severity", u64::from(meta.priority));
    if let Some(target) = meta.target {
        let (attacker, victim) = match target {
            Target::Source => (alert.destination, alert.source),
            Target::Destination => (alert.source, alert.destination),
        };
        object.object("source", end(attacker, alert.protocol));
        object.object("target", end(victim, alert.protocol));
    }
    if !meta.references.is_empty() {
        object.texts("references", meta.references.iter().map(String::as_str));
    }
    if !meta.metadata.is_empty() {
        let mut metadata = Object::new();
        let mut keys: Vec<&str> = meta.metadata.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            metadata.texts(
                key,
                meta.metadata.iter().filter(|(known, _)| known == key).map(|(_, word)| word.as_str()),
            );
        }
        object.object("metadata", metadata);
    }
    object
}

/// `2026-11-28T22:40:00.123456+0000`.
#[must_use]
pub fn timestamp(time: Time) -> String {
    let (days, second) = (time.seconds() / 86_400, time.seconds() % 86_400);
    let (year, month, day) = date(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}+0000",
        second / 3600,
        second / 60 % 60,
        second % 60,
        time.micros()
    )
}

/// The date that lies so many days after the first of January 1970, by the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that the leap day is the last; 400 years have 146,097 days.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(action: Action, target: Option<Target>, protocol: u8) -> String {
        let meta = crate::rule::Meta {
            action,
            sid: 7,
            gid: 1,
            rev: 2,
            msg: "m".to_owned(),
            class: String::new(),
            priority: 3,
            metadata: Vec::new(),
            references: vec!["https://example.org/a".to_owned()],
            target,
        };
        alert_record(&Alert {
            frame: 1,
            time: Time(0),
            meta: &meta,
            source: (IpAddr::from([10, 0, 0, 1]), 4000),
            destination: (IpAddr::from([10, 0, 0, 2]), 80),
            protocol,
            icmp: None,
            vlan: &[],
            direction: Direction::ToServer,
            flow: None,
            layer: None,
            exchange: None,
            behaviour: None,
        })
    }

    #[test]
    fn what_a_sensor_drops_goes_on_and_who_is_rejected_is_told_so() {
        for (action, words) in [
            (Action::Alert, "allowed"),
            (Action::Pass, "allowed"),
            (Action::Drop, "allowed"),
            (Action::Reject, "blocked"),
        ] {
            let record = alert(action, None, 6);
            assert!(record.contains(&format!("\"action\":\"{words}\"")), "{record}");
        }
    }

    #[test]
    fn the_ends_of_an_attack_are_told_where_the_rule_says_which_is_which() {
        let record = alert(Action::Alert, Some(Target::Source), 6);
        let ends = r#""source":{"ip":"10.0.0.2","port":80},"target":{"ip":"10.0.0.1","port":4000}"#;
        assert!(record.contains(ends), "{record}");
        let record = alert(Action::Alert, Some(Target::Destination), 1);
        assert!(record.contains(r#""source":{"ip":"10.0.0.1"},"target":{"ip":"10.0.0.2"}"#), "{record}");
        assert!(record.contains(r#""references":["https://example.org/a"]"#), "{record}");
        assert!(record.contains(r#""ip_v":4"#), "{record}");
        assert!(!alert(Action::Alert, None, 6).contains("target"), "{record}");
    }

    #[test]
    fn times_are_written_as_dates() {
        assert_eq!(timestamp(Time(0)), "1970-01-01T00:00:00.000000+0000");
        assert_eq!(timestamp(Time(951_782_400_000_001_000)), "2000-02-29T00:00:00.000001+0000");
        assert_eq!(timestamp(Time(1_795_905_600_123_456_789)), "2026-11-28T22:40:00.123456+0000");
        assert_eq!(timestamp(Time(4_107_542_399_000_000_000)), "2100-02-28T23:59:59.000000+0000");
    }
}
