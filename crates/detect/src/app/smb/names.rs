//! The names of commands, statuses, dialects and functions, as records have them. What has no name here is told as its number.

use super::transaction::{Command, Status};

pub(super) const SUCCESS: u32 = 0;
/// What session setups with a wrong name or password are answered with: no such user, wrong password, log on failure, locked out.
pub(super) const LOGIN_REFUSED: [u32; 4] = [0xc000_0064, 0xc000_006a, 0xc000_006d, 0xc000_0234];
pub(super) const PENDING: u32 = 0x103;
pub(super) const BUFFER_OVERFLOW: u32 = 0x8000_0005;
pub(super) const END_OF_FILE: u32 = 0xc000_0011;
/// Seconds between 1601, from when Windows counts, and 1970.
const SECONDS_UNTIL_1970: u64 = 11_644_473_600;

/// A time of Windows (tenths of microseconds since 1601) as seconds since 1970, 0 if before.
pub(super) fn seconds(filetime: u64) -> u64 {
    (filetime / 10_000_000).saturating_sub(SECONDS_UNTIL_1970)
}

/// A dialect of SMB 2 and 3.
pub(super) fn dialect(number: u16) -> String {
    let name = match number {
        0x0202 => "2.02",
        0x0210 => "2.10",
        0x0222 => "2.22",
        0x0224 => "2.24",
        0x02ff => "2.??",
        0x0300 => "3.00",
        0x0302 => "3.02",
        0x0310 => "3.10",
        0x0311 => "3.11",
        0 => "unknown",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// A command.
pub(super) fn command(command: Command) -> String {
    match command {
        Command::One(number) => {
            let name = COMMANDS_1.iter().find(|(known, _)| *known == number);
            name.map_or_else(|| number.to_string(), |(_, name)| format!("SMB1_COMMAND_{name}"))
        }
        Command::Two(number) => {
            let name = COMMANDS_2.get(usize::from(number));
            name.map_or_else(|| number.to_string(), |name| format!("SMB2_COMMAND_{name}"))
        }
    }
}

/// A status: its name and its code.
pub(super) fn status(status: Status) -> (String, String) {
    match status {
        Status::Nt(number) => {
            let name = STATUSES.iter().find(|(known, _)| *known == number);
            let name = name.map_or_else(|| number.to_string(), |(_, name)| format!("STATUS_{name}"));
            (name, format!("0x{number:x}"))
        }
        Status::Dos { class, code } => {
            let list = match class {
                1 => DOS_ERRORS,
                2 => SERVER_ERRORS,
                _ => return (format!("UNKNOWN_{class:02x}_{code:04x}"), format!("0x{code:04x}")),
            };
            let name = list.iter().find(|(known, _)| *known == code);
            let name = name.map_or_else(|| code.to_string(), |(_, name)| (*name).to_owned());
            (name, format!("0x{code:04x}"))
        }
    }
}

/// What is to be done with a file that exists, or does not.
pub(super) fn disposition(number: u32) -> &'static str {
    match number {
        0 => "FILE_SUPERSEDE",
        1 => "FILE_OPEN",
        2 => "FILE_CREATE",
        3 => "FILE_OPEN_IF",
        4 => "FILE_OVERWRITE",
        5 => "FILE_OVERWRITE_IF",
        _ => "UNKNOWN",
    }
}

/// What a tree is.
pub(super) fn share_kind(number: u8) -> &'static str {
    match number {
        1 => "FILE",
        2 => "PIPE",
        3 => "PRINT",
        _ => "UNKNOWN",
    }
}

/// A function of ioctl.
pub(super) fn function(number: u32) -> String {
    let name = FUNCTIONS.iter().find(|(known, _)| *known == number);
    name.map_or_else(|| number.to_string(), |(_, name)| format!("FSCTL_{name}"))
}

const COMMANDS_2: [&str; 19] = [
    "NEGOTIATE_PROTOCOL",
    "SESSION_SETUP",
    "SESSION_LOGOFF",
    "TREE_CONNECT",
    "TREE_DISCONNECT",
    "CREATE",
    "CLOSE",
    "FLUSH",
    "READ",
    "WRITE",
    "LOCK",
    "IOCTL",
    "CANCEL",
    "KEEPALIVE",
    "FIND",
    "CHANGE_NOTIFY",
    "GET_INFO",
    "SET_INFO",
    "OPLOCK_BREAK",
];

const COMMANDS_1: &[(u8, &str)] = &[
    (0x00, "CREATE_DIRECTORY"),
    (0x01, "DELETE_DIRECTORY"),
    (0x02, "OPEN"),
    (0x03, "CREATE"),
    (0x04, "CLOSE"),
    (0x05, "FLUSH"),
    (0x06, "DELETE"),
    (0x07, "RENAME"),
    (0x08, "QUERY_INFORMATION"),
    (0x09, "SET_INFORMATION"),
    (0x0a, "READ"),
    (0x0b, "WRITE"),
    (0x0c, "LOCK_BYTE_RANGE"),
    (0x0d, "UNLOCK_BYTE_RANGE"),
    (0x0e, "CREATE_TEMPORARY"),
    (0x0f, "CREATE_NEW"),
    (0x10, "CHECK_DIRECTORY"),
    (0x11, "PROCESS_EXIT"),
    (0x12, "SEEK"),
    (0x13, "LOCK_AND_READ"),
    (0x14, "WRITE_AND_UNLOCK"),
    (0x24, "LOCKING_ANDX"),
    (0x25, "TRANS"),
    (0x2b, "ECHO"),
    (0x2c, "WRITE_AND_CLOSE"),
    (0x2d, "OPEN_ANDX"),
    (0x2e, "READ_ANDX"),
    (0x2f, "WRITE_ANDX"),
    (0x32, "TRANS2"),
    (0x33, "TRANS2_SECONDARY"),
    (0x34, "FIND_CLOSE2"),
    (0x71, "TREE_DISCONNECT"),
    (0x72, "NEGOTIATE_PROTOCOL"),
    (0x73, "SESSION_SETUP_ANDX"),
    (0x74, "LOGOFF_ANDX"),
    (0x75, "TREE_CONNECT_ANDX"),
    (0x80, "QUERY_INFO_DISK"),
    (0xa0, "NT_TRANS"),
    (0xa1, "NT_TRANS_SECONDARY"),
    (0xa2, "NT_CREATE_ANDX"),
    (0xa4, "NT_CANCEL"),
];

const STATUSES: &[(u32, &str)] = &[
    (SUCCESS, "SUCCESS"),
    (PENDING, "PENDING"),
    (0x0000_010b, "NOTIFY_CLEANUP"),
    (0x0000_010c, "NOTIFY_ENUM_DIR"),
    (BUFFER_OVERFLOW, "BUFFER_OVERFLOW"),
    (0x8000_0006, "NO_MORE_FILES"),
    (0x8000_001a, "NO_MORE_ENTRIES"),
    (0xc000_0001, "UNSUCCESSFUL"),
    (0xc000_0002, "NOT_IMPLEMENTED"),
    (0xc000_0003, "INVALID_INFO_CLASS"),
    (0xc000_0004, "INFO_LENGTH_MISMATCH"),
    (0xc000_0008, "INVALID_HANDLE"),
    (0xc000_000d, "INVALID_PARAMETER"),
    (0xc000_000e, "NO_SUCH_DEVICE"),
    (0xc000_000f, "NO_SUCH_FILE"),
    (0xc000_0010, "INVALID_DEVICE_REQUEST"),
    (END_OF_FILE, "END_OF_FILE"),
    (0xc000_0016, "MORE_PROCESSING_REQUIRED"),
    (0xc000_0017, "NO_MEMORY"),
    (0xc000_0022, "ACCESS_DENIED"),
    (0xc000_0023, "BUFFER_TOO_SMALL"),
    (0xc000_0033, "OBJECT_NAME_INVALID"),
    (0xc000_0034, "OBJECT_NAME_NOT_FOUND"),
    (0xc000_0035, "OBJECT_NAME_COLLISION"),
    (0xc000_003a, "OBJECT_PATH_NOT_FOUND"),
    (0xc000_003b, "OBJECT_PATH_SYNTAX_BAD"),
    (0xc000_0043, "SHARING_VIOLATION"),
    (0xc000_0054, "FILE_LOCK_CONFLICT"),
    (0xc000_0055, "LOCK_NOT_GRANTED"),
    (0xc000_0056, "DELETE_PENDING"),
    (0xc000_0061, "PRIVILEGE_NOT_HELD"),
    (0xc000_0064, "NO_SUCH_USER"),
    (0xc000_006a, "WRONG_PASSWORD"),
    (0xc000_006d, "LOGON_FAILURE"),
    (0xc000_006e, "ACCOUNT_RESTRICTION"),
    (0xc000_006f, "INVALID_LOGON_HOURS"),
    (0xc000_0071, "PASSWORD_EXPIRED"),
    (0xc000_0072, "ACCOUNT_DISABLED"),
    (0xc000_007f, "DISK_FULL"),
    (0xc000_009a, "INSUFFICIENT_RESOURCES"),
    (0xc000_00ac, "PIPE_NOT_AVAILABLE"),
    (0xc000_00ad, "INVALID_PIPE_STATE"),
    (0xc000_00ae, "PIPE_BUSY"),
    (0xc000_00b0, "PIPE_DISCONNECTED"),
    (0xc000_00b5, "IO_TIMEOUT"),
    (0xc000_00ba, "FILE_IS_A_DIRECTORY"),
    (0xc000_00bb, "NOT_SUPPORTED"),
    (0xc000_00c9, "NETWORK_NAME_DELETED"),
    (0xc000_00cb, "BAD_DEVICE_TYPE"),
    (0xc000_00cc, "BAD_NETWORK_NAME"),
    (0xc000_00d0, "REQUEST_NOT_ACCEPTED"),
    (0xc000_00e2, "OPLOCK_NOT_GRANTED"),
    (0xc000_0101, "DIRECTORY_NOT_EMPTY"),
    (0xc000_0103, "NOT_A_DIRECTORY"),
    (0xc000_0120, "CANCELLED"),
    (0xc000_0121, "CANNOT_DELETE"),
    (0xc000_0128, "FILE_CLOSED"),
    (0xc000_014b, "PIPE_BROKEN"),
    (0xc000_015b, "LOGON_TYPE_NOT_GRANTED"),
    (0xc000_018d, "TRUSTED_RELATIONSHIP_FAILURE"),
    (0xc000_0193, "ACCOUNT_EXPIRED"),
    (0xc000_019c, "FS_DRIVER_REQUIRED"),
    (0xc000_0203, "USER_SESSION_DELETED"),
    (0xc000_0205, "INSUFF_SERVER_RESOURCES"),
    (0xc000_0224, "PASSWORD_MUST_CHANGE"),
    (0xc000_0225, "NOT_FOUND"),
    (0xc000_0234, "ACCOUNT_LOCKED_OUT"),
    (0xc000_0257, "PATH_NOT_COVERED"),
    (0xc000_0275, "NOT_A_REPARSE_POINT"),
    (0xc000_035c, "NETWORK_SESSION_EXPIRED"),
];

const DOS_ERRORS: &[(u16, &str)] = &[
    (0, "DOS_SUCCESS"),
    (1, "DOS_BAD_FUNC"),
    (2, "DOS_BAD_FILE"),
    (3, "DOS_BAD_PATH"),
    (4, "DOS_TOO_MANY_OPEN_FILES"),
    (5, "DOS_ACCESS_DENIED"),
];

const SERVER_ERRORS: &[(u16, &str)] =
    &[(1, "SRV_ERROR"), (2, "SRV_BADPW"), (3, "SRV_BADTYPE"), (4, "SRV_ACCESS"), (91, "SRV_BADUID")];

const FUNCTIONS: &[(u32, &str)] = &[
    (0x0006_0194, "DFS_GET_REFERRALS"),
    (0x0006_01b0, "DFS_GET_REFERRALS_EX"),
    (0x0009_003c, "GET_COMPRESSION"),
    (0x0009_0060, "FILESYSTEM_GET_STATISTICS"),
    (0x0009_0064, "GET_NTFS_VOLUME_DATA"),
    (0x0009_009c, "GET_OBJECT_ID"),
    (0x0009_00a4, "SET_REPARSE_POINT"),
    (0x0009_00a8, "GET_REPARSE_POINT"),
    (0x0009_00c0, "CREATE_OR_GET_OBJECT_ID"),
    (0x0009_00c4, "SET_SPARSE"),
    (0x0009_027c, "GET_INTEGRITY_INFORMATION"),
    (0x0009_0284, "QUERY_FILE_REGIONS"),
    (0x0009_0300, "QUERY_SHARED_VIRTUAL_DISK_SUPPORT"),
    (0x0009_0304, "SVHDX_SYNC_TUNNEL_REQUEST"),
    (0x0009_0364, "SVHDX_ASYNC_TUNNEL_REQUEST"),
    (0x0009_40cf, "QUERY_ALLOCATED_RANGES"),
    (0x0009_40eb, "READ_FILE_USN_DATA"),
    (0x0009_4264, "OFFLOAD_READ"),
    (0x0009_80c8, "SET_ZERO_DATA"),
    (0x0009_8208, "FILE_LEVEL_TRIM"),
    (0x0009_8268, "OFFLOAD_WRITE"),
    (0x0009_c040, "SET_COMPRESSION"),
    (0x0009_c280, "SET_INTEGRITY_INFORMATION"),
    (0x0011_0018, "PIPE_WAIT"),
    (0x0011_400c, "PIPE_PEEK"),
    (0x0011_c017, "PIPE_TRANSCEIVE"),
    (0x0014_0078, "SRV_REQUEST_RESUME_KEY"),
    (0x0014_01d4, "LMR_REQUEST_RESILIENCY"),
    (0x0014_01fc, "QUERY_NETWORK_INTERFACE_INFO"),
    (0x0014_0200, "VALIDATE_NEGOTIATE_INFO_224"),
    (0x0014_0204, "VALIDATE_NEGOTIATE_INFO"),
    (0x0014_4064, "SRV_ENUMERATE_SNAPSHOTS"),
    (0x0014_40f2, "SRV_COPYCHUNK"),
    (0x0014_41bb, "SRV_READ_HASH"),
    (0x0014_80f2, "SRV_COPYCHUNK_WRITE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_is_told_as_its_number() {
        assert_eq!(command(Command::One(0x72)), "SMB1_COMMAND_NEGOTIATE_PROTOCOL");
        assert_eq!(command(Command::Two(18)), "SMB2_COMMAND_OPLOCK_BREAK");
        assert_eq!(command(Command::Two(99)), "99");
        assert_eq!(status(Status::Nt(0xc000_0022)), ("STATUS_ACCESS_DENIED".into(), "0xc0000022".into()));
        assert_eq!(status(Status::Dos { class: 9, code: 1 }), ("UNKNOWN_09_0001".into(), "0x0001".into()));
        assert_eq!(function(0x0011_c017), "FSCTL_PIPE_TRANSCEIVE");
    }

    #[test]
    fn windows_counts_from_1601() {
        assert_eq!(seconds(116_444_736_000_000_000 + 50_000_000), 5);
        assert_eq!(seconds(3), 0);
    }
}
