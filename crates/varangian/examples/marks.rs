//! What it costs to mark a frame boundary and to be put back to it: by how many flows there are, and by how many were touched in between.
//!
//! Prints a table: the cost must follow the second, not the first.

use detect::Time;
use detect::engine::Worker;
use detect::rule::RuleSet;
use std::sync::Arc;
use std::time::Instant;

const FLOWS: [u64; 3] = [10_000, 100_000, 1_000_000];
const TOUCHED: [u64; 5] = [0, 10, 100, 1_000, 10_000];
const ROUNDS: u32 = 20;
const RAW: u16 = 12;

fn main() {
    println!("{:>9} {:>9} {:>12} {:>12} {:>12}", "flows", "touched", "mark us", "frames us", "put back us");
    for flows in FLOWS {
        let mut worker = Worker::new(Arc::new(RuleSet::empty()), |_| true);
        let mut frames = 0;
        for number in 0..flows {
            frames += 1;
            worker.frame(frames, Time(frames), RAW, &datagram(number, b"first"));
            worker.take();
        }
        for touched in TOUCHED {
            let mut spent = [0u128; 3];
            for _ in 0..ROUNDS {
                let started = Instant::now();
                let mark = worker.mark();
                spent[0] += started.elapsed().as_micros();
                let started = Instant::now();
                for number in 0..touched {
                    // Spread over all that there are.
                    let number = number * (flows / touched.max(1)).max(1) % flows;
                    worker.frame(frames + 1, Time(frames + 1), RAW, &datagram(number, b"again"));
                }
                spent[1] += started.elapsed().as_micros();
                let started = Instant::now();
                worker.put_back(mark);
                spent[2] += started.elapsed().as_micros();
            }
            let [mark, work, back] = spent.map(|spent| spent / u128::from(ROUNDS));
            println!("{:>9} {touched:>9} {mark:>12} {work:>12} {back:>12}", worker.counters().flows_live);
        }
    }
}

/// A datagram of this flow: IPv4 and UDP.
fn datagram(flow: u64, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend(((28 + payload.len()) as u16).to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, 17, 0, 0]);
    packet.extend((flow as u32).wrapping_mul(0x9E37_79B1).to_be_bytes());
    packet.extend([203, 0, 113, 1]);
    packet.extend([0x13, 0x88, 0x27, 0x0f]);
    packet.extend(((8 + payload.len()) as u16).to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(payload);
    packet
}
