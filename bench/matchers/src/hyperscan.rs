//! Hyperscan or Vectorscan, by as much of its interface as it takes: compile literals, scan a block, count.
//!
//! The only module of the tool with `unsafe`: the library is C. Every pointer handed over belongs to a value that lives
//! through the call; what the library made is given back when the matcher is dropped.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr;

use pattern::Pattern;

use crate::matcher::Matcher;

const SUCCESS: c_int = 0;
const FLAG_CASELESS: c_uint = 1;
const MODE_BLOCK: c_uint = 1;

#[repr(C)]
struct CompileError {
    message: *mut c_char,
    expression: c_int,
}

type OnMatch = extern "C" fn(c_uint, c_ulonglong, c_ulonglong, c_uint, *mut c_void) -> c_int;

#[link(name = "hs")]
unsafe extern "C" {
    fn hs_compile_lit_multi(
        expressions: *const *const c_char,
        flags: *const c_uint,
        ids: *const c_uint,
        lengths: *const usize,
        count: c_uint,
        mode: c_uint,
        platform: *const c_void,
        database: *mut *mut c_void,
        error: *mut *mut CompileError,
    ) -> c_int;
    fn hs_free_compile_error(error: *mut CompileError) -> c_int;
    fn hs_database_size(database: *const c_void, size: *mut usize) -> c_int;
    fn hs_alloc_scratch(database: *const c_void, scratch: *mut *mut c_void) -> c_int;
    fn hs_scratch_size(scratch: *const c_void, size: *mut usize) -> c_int;
    fn hs_scan(
        database: *const c_void,
        data: *const c_char,
        length: c_uint,
        flags: c_uint,
        scratch: *mut c_void,
        on_match: OnMatch,
        context: *mut c_void,
    ) -> c_int;
    fn hs_free_scratch(scratch: *mut c_void) -> c_int;
    fn hs_free_database(database: *mut c_void) -> c_int;
}

struct Hyperscan {
    database: *mut c_void,
    scratch: *mut c_void,
}

pub(crate) fn build(patterns: &[Pattern]) -> Result<Box<dyn Matcher>, String> {
    let expressions: Vec<*const c_char> =
        patterns.iter().map(|pattern| pattern.bytes.as_ptr().cast()).collect();
    let flags: Vec<c_uint> =
        patterns.iter().map(|pattern| if pattern.nocase { FLAG_CASELESS } else { 0 }).collect();
    let ids: Vec<c_uint> = (0..).zip(patterns).map(|(id, _)| id).collect();
    let lengths: Vec<usize> = patterns.iter().map(|pattern| pattern.bytes.len()).collect();
    let mut built = Hyperscan { database: ptr::null_mut(), scratch: ptr::null_mut() };
    let mut error: *mut CompileError = ptr::null_mut();
    // SAFETY: four arrays with as many elements as are announced, whose expressions are as long as announced; two
    // places for results.
    let outcome = unsafe {
        hs_compile_lit_multi(
            expressions.as_ptr(),
            flags.as_ptr(),
            ids.as_ptr(),
            lengths.as_ptr(),
            patterns.len() as c_uint,
            MODE_BLOCK,
            ptr::null(),
            &mut built.database,
            &mut error,
        )
    };
    if outcome != SUCCESS {
        return Err(describe(error, outcome));
    }
    // SAFETY: the database was compiled.
    let outcome = unsafe { hs_alloc_scratch(built.database, &mut built.scratch) };
    if outcome == SUCCESS { Ok(Box::new(built)) } else { Err(format!("no scratch: {outcome}")) }
}

fn describe(error: *mut CompileError, outcome: c_int) -> String {
    if error.is_null() {
        return format!("error {outcome}");
    }
    // SAFETY: a failed compilation leaves an error with a message, which ends with a zero, and which is freed once.
    unsafe {
        let message = CStr::from_ptr((*error).message).to_string_lossy().into_owned();
        hs_free_compile_error(error);
        message
    }
}

extern "C" fn count_one(_: c_uint, _: c_ulonglong, _: c_ulonglong, _: c_uint, context: *mut c_void) -> c_int {
    // SAFETY: `context` is the counter that `count` handed over, and nobody else has it meanwhile.
    unsafe { *context.cast::<u64>() += 1 };
    0
}

impl Matcher for Hyperscan {
    fn memory_bytes(&self) -> usize {
        let (mut database, mut scratch) = (0, 0);
        // SAFETY: both were made by the library.
        unsafe {
            hs_database_size(self.database, &mut database);
            hs_scratch_size(self.scratch, &mut scratch);
        }
        database + scratch
    }

    fn count(&mut self, text: &[u8]) -> u64 {
        let mut count = 0_u64;
        let context = (&raw mut count).cast();
        // SAFETY: a text of the announced length, and a counter that lives through the call.
        let outcome = unsafe {
            let length = text.len() as c_uint;
            hs_scan(self.database, text.as_ptr().cast(), length, 0, self.scratch, count_one, context)
        };
        assert_eq!(outcome, SUCCESS, "the scan failed");
        count
    }
}

impl Drop for Hyperscan {
    fn drop(&mut self) {
        // SAFETY: made by the library, or null, which it takes; freed once.
        unsafe {
            hs_free_scratch(self.scratch);
            hs_free_database(self.database);
        }
    }
}
