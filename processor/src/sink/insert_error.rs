//! Classifies failed inserts. This is the only place that knows ClickHouse's error codes for them.

use clickhouse::error::Error;

/// How to react to a failed insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It will pass: retry the same batch with growing delays, without limit.
    Transient,
    /// It needs a human: stop, and leave the offsets where they are.
    Fatal,
    /// A row of the batch cannot be stored: find it and dead-letter it.
    PoisonRow,
}

impl Class {
    /// The name in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Fatal => "fatal",
            Self::PoisonRow => "poison",
        }
    }
}

/// The codes that are classified; names as in ClickHouse's `ErrorCodes.cpp`.
///
/// Any other code is transient: a permanent error that is retried shows as degraded readiness and loses nothing, whereas
/// a passing error that stopped the worker would wake somebody at night. Transient codes are listed because they are
/// known to happen; listing them makes no difference.
#[rustfmt::skip]
const CODES: &[(u32, &str, Class)] = &[
    // The table is missing or not as expected. Run `processor migrate`.
    (8,   "THERE_IS_NO_COLUMN",                  Class::Fatal),
    (10,  "NOT_FOUND_COLUMN_IN_BLOCK",           Class::Fatal),
    (15,  "DUPLICATE_COLUMN",                    Class::Fatal),
    (16,  "NO_SUCH_COLUMN_IN_TABLE",             Class::Fatal),
    (20,  "NUMBER_OF_COLUMNS_DOESNT_MATCH",      Class::Fatal),
    (44,  "ILLEGAL_COLUMN",                      Class::Fatal),
    (47,  "UNKNOWN_IDENTIFIER",                  Class::Fatal),
    (50,  "UNKNOWN_TYPE",                        Class::Fatal),
    (53,  "TYPE_MISMATCH",                       Class::Fatal),
    (60,  "UNKNOWN_TABLE",                       Class::Fatal),
    (81,  "UNKNOWN_DATABASE",                    Class::Fatal),
    // The server does not understand the statement, a format or a setting: it is too old or has an unusual profile.
    (36,  "BAD_ARGUMENTS",                       Class::Fatal),
    (48,  "NOT_IMPLEMENTED",                     Class::Fatal),
    (62,  "SYNTAX_ERROR",                        Class::Fatal),
    (73,  "UNKNOWN_FORMAT",                      Class::Fatal),
    (115, "UNKNOWN_SETTING",                     Class::Fatal),
    (344, "SUPPORT_IS_DISABLED",                 Class::Fatal),
    (452, "SETTING_CONSTRAINT_VIOLATION",        Class::Fatal),
    // The user lacks a right.
    (164, "READONLY",                            Class::Fatal),
    (192, "UNKNOWN_USER",                        Class::Fatal),
    (193, "WRONG_PASSWORD",                      Class::Fatal),
    (194, "REQUIRED_PASSWORD",                   Class::Fatal),
    (195, "IP_ADDRESS_NOT_ALLOWED",              Class::Fatal),
    (291, "DATABASE_ACCESS_DENIED",              Class::Fatal),
    (392, "QUERY_IS_PROHIBITED",                 Class::Fatal),
    (446, "FUNCTION_NOT_ALLOWED",                Class::Fatal),
    (497, "ACCESS_DENIED",                       Class::Fatal),
    (516, "AUTHENTICATION_FAILED",               Class::Fatal),

    // A value cannot be read or stored. A broken connection can give some of these codes, too; splitting the batch
    // tells the two apart, because then no single row fails.
    (6,   "CANNOT_PARSE_TEXT",                   Class::PoisonRow),
    (26,  "CANNOT_PARSE_QUOTED_STRING",          Class::PoisonRow),
    (27,  "CANNOT_PARSE_INPUT_ASSERTION_FAILED", Class::PoisonRow),
    (32,  "ATTEMPT_TO_READ_AFTER_EOF",           Class::PoisonRow),
    (33,  "CANNOT_READ_ALL_DATA",                Class::PoisonRow),
    (38,  "CANNOT_PARSE_DATE",                   Class::PoisonRow),
    (41,  "CANNOT_PARSE_DATETIME",               Class::PoisonRow),
    (69,  "ARGUMENT_OUT_OF_BOUND",               Class::PoisonRow),
    (70,  "CANNOT_CONVERT_TYPE",                 Class::PoisonRow),
    (72,  "CANNOT_PARSE_NUMBER",                 Class::PoisonRow),
    (117, "INCORRECT_DATA",                      Class::PoisonRow),
    (128, "TOO_LARGE_ARRAY_SIZE",                Class::PoisonRow),
    (131, "TOO_LARGE_STRING_SIZE",               Class::PoisonRow),
    (190, "SIZES_OF_ARRAYS_DONT_MATCH",          Class::PoisonRow),
    (321, "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",  Class::PoisonRow),
    (349, "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN", Class::PoisonRow),
    (407, "DECIMAL_OVERFLOW",                    Class::PoisonRow),
    (467, "CANNOT_PARSE_BOOL",                   Class::PoisonRow),
    (469, "VIOLATED_CONSTRAINT",                 Class::PoisonRow),
    (691, "UNKNOWN_ELEMENT_OF_ENUM",             Class::PoisonRow),

    // The connection.
    (3,   "UNEXPECTED_END_OF_FILE",              Class::Transient),
    (23,  "CANNOT_READ_FROM_ISTREAM",            Class::Transient),
    (209, "SOCKET_TIMEOUT",                      Class::Transient),
    (210, "NETWORK_ERROR",                       Class::Transient),
    (279, "ALL_CONNECTION_TRIES_FAILED",         Class::Transient),
    // The server is overloaded or short of memory or disk.
    (159, "TIMEOUT_EXCEEDED",                    Class::Transient),
    (160, "TOO_SLOW",                            Class::Transient),
    (173, "CANNOT_ALLOCATE_MEMORY",              Class::Transient),
    (201, "QUOTA_EXCEEDED",                      Class::Transient),
    (202, "TOO_MANY_SIMULTANEOUS_QUERIES",       Class::Transient),
    (203, "NO_FREE_CONNECTION",                  Class::Transient),
    (241, "MEMORY_LIMIT_EXCEEDED",               Class::Transient),
    (243, "NOT_ENOUGH_SPACE",                    Class::Transient),
    (252, "TOO_MANY_PARTS",                      Class::Transient),
    (290, "LIMIT_EXCEEDED",                      Class::Transient),
    (439, "CANNOT_SCHEDULE_TASK",                Class::Transient),
    (692, "TOO_MANY_MUTATIONS",                  Class::Transient),
    // The server is being stopped, started or altered.
    (218, "TABLE_IS_DROPPED",                    Class::Transient),
    (236, "ABORTED",                             Class::Transient),
    (394, "QUERY_WAS_CANCELLED",                 Class::Transient),
    (473, "DEADLOCK_AVOIDED",                    Class::Transient),
    (696, "ASYNC_LOAD_CANCELED",                 Class::Transient),
    (722, "ASYNC_LOAD_WAIT_FAILED",              Class::Transient),
    (733, "TABLE_IS_BEING_RESTARTED",            Class::Transient),
    // Replicas, Keeper, storage.
    (225, "NO_ZOOKEEPER",                        Class::Transient),
    (242, "TABLE_IS_READ_ONLY",                  Class::Transient),
    (254, "NO_ACTIVE_REPLICAS",                  Class::Transient),
    (285, "TOO_FEW_LIVE_REPLICAS",               Class::Transient),
    (286, "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE", Class::Transient),
    (289, "REPLICA_IS_NOT_IN_QUORUM",            Class::Transient),
    (319, "UNKNOWN_STATUS_OF_INSERT",            Class::Transient),
    (415, "ALL_REPLICAS_LOST",                   Class::Transient),
    (416, "REPLICA_STATUS_CHANGED",              Class::Transient),
    (425, "SYSTEM_ERROR",                        Class::Transient),
    (499, "S3_ERROR",                            Class::Transient),
    (529, "NOT_A_LEADER",                        Class::Transient),
    (999, "KEEPER_EXCEPTION",                    Class::Transient),
    (1000, "POCO_EXCEPTION",                     Class::Transient),
    (1001, "STD_EXCEPTION",                      Class::Transient),
    (1002, "UNKNOWN_EXCEPTION",                  Class::Transient),
];

/// The class of an error of the client.
pub(crate) fn classify(error: &Error) -> Class {
    match error {
        Error::BadResponse(text) => code(text).map_or(Class::Transient, class_of_code),

        // The columns of the table, as returned by DESCRIBE, do not fit our row.
        Error::SchemaMismatch(_) | Error::InvalidColumnsHeader(_)
        // The address in the configuration is not valid.
        | Error::InvalidParams(_) | Error::Unsupported(_) => Class::Fatal,

        // The client reports a request that it cancelled as Custom. All other Custom errors, and the other variants
        // here, mean a row that cannot be serialized.
        Error::Custom(text) if text.starts_with("unexpected error") => Class::Transient,
        Error::Custom(_)
        | Error::SequenceMustHaveLength
        | Error::InvalidTagEncoding(_)
        | Error::VariantDiscriminatorIsOutOfBound(_) => Class::PoisonRow,

        // No answer, or half of one. The enum is non-exhaustive; a variant that is new will most likely be transient,
        // too.
        _ => Class::Transient,
    }
}

fn class_of_code(code: u32) -> Class {
    CODES
        .iter()
        .find_map(|&(known, _, class)| (known == code).then_some(class))
        .unwrap_or(Class::Transient)
}

/// ClickHouse's error code, if the server refused the insert.
pub(crate) fn code_of(error: &Error) -> Option<u32> {
    match error {
        Error::BadResponse(text) => code(text),
        _ => None,
    }
}

/// The number in `Code: 60. DB::Exception: …`. A proxy in front of the server answers without one.
fn code(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("Code: ")?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Error {
        Error::BadResponse(text.to_owned())
    }

    #[test]
    fn classes() {
        use Class::{Fatal, PoisonRow, Transient};
        let down = || "connection refused".into();
        #[rustfmt::skip]
        let cases = [
            // Seen on 26.7.
            (answer("Code: 60. DB::Exception: Table courier.push does not exist. (UNKNOWN_TABLE) (version 26.7.2.1)"), Fatal),
            (answer("Code: 81. DB::Exception: Database courier does not exist. (UNKNOWN_DATABASE)"), Fatal),
            (answer("Code: 16. DB::Exception: No such column x in table courier.push. (NO_SUCH_COLUMN_IN_TABLE)"), Fatal),
            (answer("Code: 516. DB::Exception: sink: Authentication failed. (AUTHENTICATION_FAILED)"), Fatal),
            (answer("Code: 497. DB::Exception: sink: Not enough privileges. (ACCESS_DENIED)"), Fatal),
            (answer("Code: 252. DB::Exception: Too many parts (3000). (TOO_MANY_PARTS)"), Transient),
            (answer("Code: 241. DB::Exception: (total) memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)"), Transient),
            (answer("Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)"), Transient),
            (answer("Code: 999. Coordination::Exception: Session expired. (KEEPER_EXCEPTION)"), Transient),
            (answer("Code: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)"), Transient),
            (answer("Code: 469. DB::Exception: Constraint `c` is violated. (VIOLATED_CONSTRAINT)"), PoisonRow),
            (answer("Code: 117. DB::Exception: Unexpected data. (INCORRECT_DATA)"), PoisonRow),
            // The client's message when the body of the answer cannot be read.
            (answer("Code: 60"), Fatal),
            // An unknown code.
            (answer("Code: 77777. DB::Exception: something new"), Transient),
            (answer("502 Bad Gateway"), Transient),
            (answer(""), Transient),
            (answer("Code: "), Transient),
            (answer("Code: 99999999999999999999."), Transient),
            // A code that the text only quotes is not the code of the answer.
            (answer("upstream said Code: 60."), Transient),
            // Without an answer.
            (Error::Network(down()), Transient),
            (Error::TimedOut, Transient),
            (Error::Decompression(down()), Transient),
            (Error::Other(down()), Transient),
            (Error::Custom("unexpected error: task was cancelled".to_owned()), Transient),
            // Before the request.
            (Error::SchemaMismatch("no column named x".to_owned()), Fatal),
            (Error::InvalidParams(down()), Fatal),
            (Error::Unsupported("scheme is not http".to_owned()), Fatal),
            (Error::Custom("cannot be serialized".to_owned()), PoisonRow),
            (Error::SequenceMustHaveLength, PoisonRow),
        ];
        for (error, expected) in cases {
            assert_eq!(classify(&error), expected, "{error}");
        }
    }

    #[test]
    fn every_code_has_one_class() {
        for (at, (code, name, class)) in CODES.iter().enumerate() {
            assert_eq!(
                CODES.iter().position(|(other, _, _)| other == code),
                Some(at),
                "{code} twice"
            );
            assert_eq!(
                classify(&answer(&format!("Code: {code}. DB::Exception: … ({name})"))),
                *class
            );
        }
    }
}
