//! Versions of the tools, and what is known to be wrong with some of them.

use std::fmt;

/// A tool's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolVersion {
    /// Major version, such as 17.
    pub major: u32,
    /// Minor version, such as 6; 0 for betas and development builds.
    pub minor: u32,
    /// The version as the tool spells it, packaging included.
    pub text: String,
}

/// Known vulnerabilities of a tool's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advisory {
    /// CVE numbers.
    pub cves: &'static [&'static str],
    /// First version of this major in which all of them are fixed.
    pub fixed_in: (u32, u32),
}

impl fmt::Display for Advisory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = self.fixed_in;
        write!(formatter, "upgrade to {major}.{minor} or later: {}", self.cves.join(", "))
    }
}

/// Major version, first minor without CVE-2025-8714 and 8715, first minor without CVE-2026-6477.
const FIXED: &[(u32, u32, u32)] = &[(15, 14, 18), (16, 10, 14), (17, 6, 10), (18, 0, 4)];

impl ToolVersion {
    /// Reads the first line of `--version`, such as `pg_dump (PostgreSQL) 17.6 (Debian 17.6-1)`.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (_, text) = line.split_once(") ")?;
        let text = text.trim();
        let number = |text: &str| {
            let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
            (text[..end].parse::<u32>().ok(), text[end..].to_owned())
        };
        let (major, rest) = number(text);
        let minor = rest.strip_prefix('.').and_then(|rest| number(rest).0).unwrap_or(0);
        Some(Self { major: major?, minor, text: text.to_owned() })
    }

    /// The known vulnerabilities of this version, if any; majors before 15 and after 18 are not covered.
    #[must_use]
    pub fn advisory(&self) -> Option<Advisory> {
        let (major, first, second) = *FIXED.iter().find(|(major, ..)| *major == self.major)?;
        let cves: &[&str] = match self.minor {
            minor if minor < first => &["CVE-2025-8714", "CVE-2025-8715", "CVE-2026-6477"],
            minor if minor < second => &["CVE-2026-6477"],
            _ => return None,
        };
        Some(Advisory { cves, fixed_in: (major, second) })
    }
}

impl fmt::Display for ToolVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
