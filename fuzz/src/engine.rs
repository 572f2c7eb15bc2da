//! Frames that nobody honest sent, through whole workers with a small rule set.
//!
//! For any frames (as [`super::frame::given`] reads them):
//!   - no panic, and every alert can be written down;
//!   - two workers that share the shards find what one finds alone;
//!   - a worker that marked some frame boundary, went on for some frames and was put back says in the end what one says that never left.

use super::frame::{Given, given};
use detect::engine::{Found, Judge, Worker};
use detect::rule::{RuleFile, RuleSet, Variables};
use std::sync::{Arc, OnceLock};

/// Rules of all kinds: packets, streams, exchanges, frames, what flows and hosts remember, thresholds.
const RULES: &str = r#"
alert ip any any -> any any (msg:"odd packet"; decode-event:ipv4.frag_overlap; sid:1;)
alert tcp any any -> any any (msg:"a letter"; content:"a"; sid:2;)
alert tcp any any -> any any (msg:"in a stream"; flow:established,only_stream; content:"e"; content:"t"; distance:1; within:40; flowbits:set,seen; sid:3;)
alert tcp any any -> any any (msg:"after it"; flowbits:isset,seen; dsize:>3; sid:4;)
alert tcp any any -> any any (msg:"overlap"; stream-event:reassembly_overlap_different_data; sid:5;)
alert http any any -> any any (msg:"uri"; http.uri; content:"/"; sid:6;)
alert http any any -> any any (msg:"answer"; http.stat_code; content:"2"; file.data; pcre:"/[a-z]{2}/"; sid:7;)
alert dns any any -> any any (msg:"name"; dns.query; content:"."; xbits:set,asked,track ip_src,expire 10; sid:8;)
alert ip any any -> any any (msg:"host"; xbits:isset,asked,track ip_src; threshold:type limit,track by_src,count 2,seconds 5; sid:9;)
alert tls any any -> any any (msg:"sni"; tls.sni; content:"."; sid:10;)
alert smb any any -> any any (msg:"share"; smb.share; content:"\\"; sid:11;)
alert udp any any -> any any (msg:"many"; detection_filter:track by_dst,count 3,seconds 20; sid:12;)
alert icmp any any -> any any (msg:"ping"; itype:8; sid:13;)
alert smtp any any -> any any (msg:"mail"; file.name; content:"."; sid:14;)
alert ftp any any -> any any (msg:"ftp"; content:"USER"; sid:15;)
alert ssh any any -> any any (msg:"ssh"; ssh.software; content:"O"; sid:16;)
alert tcp any any -> any any (msg:"late"; flow:established; stream_size:both,>,40; sid:17;)
"#;
/// Alerts that are compared at most.
const ALERTS_MAX: usize = 4096;

fn rules() -> Arc<RuleSet> {
    static SET: OnceLock<Arc<RuleSet>> = OnceLock::new();
    let set = SET.get_or_init(|| {
        let file = RuleFile { name: "fuzz", text: RULES };
        let set = RuleSet::load(&[file], &Variables::default(), &|_| None);
        let report = set.report();
        assert!(report.refused.is_empty() && report.problems.is_empty(), "{report:?}");
        Arc::new(set)
    });
    Arc::clone(set)
}

/// Checks the promises for `data`, and returns how many alerts there were. The first two bytes say where the mark is and how far the worker strays.
pub fn check(data: &[u8]) -> usize {
    let [at, astray, data @ ..] = data else { return 0 };
    let frames = given(data);
    let set = rules();
    let mut alone = Worker::new(Arc::clone(&set), |_| true);
    feed(&mut alone, &frames, 0..frames.len());
    alone.finish(frames.len() as u64 + 1);
    let wanted = told(&set, alone.take());

    let mut pair = [0, 1].map(|own| Worker::new(Arc::clone(&set), move |shard| shard % 2 == own));
    let mut found = Vec::new();
    for worker in &mut pair {
        feed(worker, &frames, 0..frames.len());
        worker.finish(frames.len() as u64 + 1);
        found.append(&mut worker.take());
    }
    found.sort_by_key(Found::place);
    assert_eq!(told(&set, found), wanted, "two workers say something else");

    let at = usize::from(*at) * frames.len() / 256;
    let until = frames.len().min(at + usize::from(*astray));
    let mut wanderer = Worker::new(Arc::clone(&set), |_| true);
    feed(&mut wanderer, &frames, 0..at);
    let mark = wanderer.mark();
    feed(&mut wanderer, &frames, at..until);
    if astray % 4 == 3 {
        wanderer.finish(until as u64 + 1);
    }
    wanderer.put_back(mark);
    feed(&mut wanderer, &frames, at..frames.len());
    wanderer.finish(frames.len() as u64 + 1);
    assert_eq!(told(&set, wanderer.take()), wanted, "who went back says something else");
    assert_eq!(wanderer.counters(), alone.counters());
    wanted.len()
}

fn feed(worker: &mut Worker, frames: &[Given<'_>], which: core::ops::Range<usize>) {
    for number in which {
        let frame = frames[number];
        worker.frame(number as u64 + 1, frame.time, frame.link, frame.bytes);
    }
}

fn told(set: &Arc<RuleSet>, found: Vec<Found>) -> Vec<String> {
    let mut told = Vec::new();
    Judge::new(Arc::clone(set)).decide(&found, &mut |alert| {
        if told.len() < ALERTS_MAX {
            told.push(detect::eve::alert_record(alert));
        }
    });
    told
}
