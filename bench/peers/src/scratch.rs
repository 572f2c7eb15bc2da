//! The directory of one run, removed when the run is over.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::options::{Durability, Options, System};

/// A file system in memory, on any Linux that matters here.
const MEMORY_DIR: &str = "/dev/shm";

/// A directory that lives as long as this value.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new directory, where the options want it.
    pub(crate) fn new(options: &Options, system: System) -> Result<Self, Failure> {
        let base = match (options.durability, &options.dir) {
            (Durability::Memory, _) => PathBuf::from(MEMORY_DIR),
            (_, Some(dir)) => dir.clone(),
            (_, None) => std::env::temp_dir(),
        };
        let path = base.join(format!("varangian-peers-{}-{}", system.name(), std::process::id()));
        std::fs::create_dir_all(&path).map_err(Failure::io("the scratch directory"))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("warning: {} stays: {error}", self.0.display());
        }
    }
}
