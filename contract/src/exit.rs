//! The exit codes of every command: 0 to 4, and nothing else.

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ExitStatus {
    /// The command did what was asked, and it is proven.
    Ok = 0,
    /// A passing failure: the same command may succeed later.
    Retryable = 1,
    /// The input, the credentials or the environment must be changed first.
    UserError = 2,
    /// A failure that repeating does not mend: investigate.
    Terminal = 3,
    /// A signal ended the command.
    Cancelled = 4,
}

impl ExitStatus {
    /// Every exit status, in the order of its code.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Retryable, Self::UserError, Self::Terminal, Self::Cancelled];

    /// The process exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name in the published table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Retryable => "RETRYABLE",
            Self::UserError => "USER_ERROR",
            Self::Terminal => "TERMINAL",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// What a script should make of it.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "The command did what was asked, and the result was verified.",
            Self::Retryable => "A passing failure, such as a network error or a throttled bucket. Run it again.",
            Self::UserError => "Bad arguments, credentials or environment. Correct them, then run it again.",
            Self::Terminal => "A failure that repeating does not mend. Investigate before you retry.",
            Self::Cancelled => "Interrupted by SIGINT or SIGTERM. Start again when ready.",
        }
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}
