//! Somebody beside a cluster to whom strangers do what they do: who takes connections, and closes them.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long the last connections may take, which tell the threads to end.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// Listens at as many addresses as a cluster has nodes, until it is dropped.
pub(crate) struct Bystander {
    addresses: Vec<SocketAddr>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Bystander {
    /// Begins to listen at `count` addresses.
    pub(crate) fn start(count: usize) -> Result<Bystander, String> {
        let failed = |error: std::io::Error| format!("a bystander: {error}");
        let mut bystander = Bystander { addresses: Vec::new(), stop: Arc::default(), threads: Vec::new() };
        for _ in 0..count {
            let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
            bystander.addresses.push(listener.local_addr().map_err(failed)?);
            let stop = Arc::clone(&bystander.stop);
            bystander.threads.push(thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    drop(listener.accept());
                }
            }));
        }
        Ok(bystander)
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for address in &self.addresses {
            // Each thread waits for one more.
            drop(TcpStream::connect_timeout(address, CONNECT_MAX));
        }
        for thread in self.threads.drain(..) {
            // It cannot panic.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn whoever_connects_is_closed_and_the_end_is_an_end() {
        let bystander = Bystander::start(2).expect("there are ports");
        for address in bystander.addresses() {
            let mut stream = TcpStream::connect(address).expect("somebody listens");
            assert_eq!(stream.read(&mut [0]).expect("it is closed in order"), 0);
        }
        let address = bystander.addresses()[0];
        drop(bystander);
        TcpStream::connect(address).expect_err("nobody listens any more");
    }
}
