//! A small disk for one node, so that it can be full or read-only: an image in the cluster's folder, with a file system of its own.
//!
//! Upon full: a file takes all the room there is. Upon freed: the file goes.
//! Upon read-only: possible only while nobody has a file open for writing there.

use crate::ground::run;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File};
use std::io::{ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes of the image: a log, its spares, two snapshots, and what a soak writes between two of them.
const DISK_BYTES: u64 = 1 << 30;

/// Times that a disk is filled anew because the node has given room back meanwhile, at most.
const FILLS_MAX: usize = 20;

/// The disk.
#[derive(Debug)]
pub(crate) struct Disk {
    mount: PathBuf,
}

impl Disk {
    /// Makes a disk and puts it in the place of the folder `mount`, with what is in that.
    pub(crate) fn make(image: &Path, mount: &Path) -> Result<Disk, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", image.display());
        File::create(image).and_then(|file| file.set_len(DISK_BYTES)).map_err(failed)?;
        run(&format!("mkfs.ext4 -q -E root_owner=0:0 -d {} {}", mount.display(), image.display()))?;
        run(&format!("mount -o loop {} {}", image.display(), mount.display()))?;
        let lost = mount.join("lost+found");
        let _ = fs::remove_dir(lost);
        Ok(Disk { mount: mount.to_path_buf() })
    }

    fn filler(&self) -> PathBuf {
        self.mount.join("filler")
    }

    /// Leaves no room.
    pub(crate) fn fill(&self) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.filler().display());
        let mut file = File::create(self.filler()).map_err(failed)?;
        let mut length = 0;
        for _ in 0..FILLS_MAX {
            // In pieces that get smaller, so that nothing is left.
            for piece in [64 << 20, 1 << 20, 4096] {
                while fallocate(&file, FallocateFlags::empty(), length, piece).is_ok() {
                    length += piece;
                }
            }
            // What is left of a block.
            let last = file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(&[0; 4096]));
            match last.and_then(|()| file.sync_all()) {
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(failed(error)),
                Ok(()) => length = file.metadata().map_err(failed)?.len(),
            }
        }
        Err(format!("{} cannot be filled", self.mount.display()))
    }

    /// There is room again.
    pub(crate) fn free(&self) -> Result<(), String> {
        fs::remove_file(self.filler()).map_err(|error| format!("{}: {error}", self.filler().display()))
    }

    /// Nothing can be written any more, or everything again.
    pub(crate) fn set_read_only(&self, on: bool) -> Result<(), String> {
        let how = if on { "ro" } else { "rw" };
        run(&format!("mount -o remount,{how} {}", self.mount.display()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Where it cannot be done now it is done when the namespace goes.
        let _ = run(&format!("umount --lazy {}", self.mount.display()));
    }
}
