//! Postgres through its own client tools: connection strings, tool discovery, child processes and control queries.

mod cluster;
mod dsn;
mod failure;
mod inspection;
mod passfile;
mod process;
mod query;
mod tools;

pub use cluster::{ClusterError, ClusterOptions, EphemeralCluster};
pub use dsn::{Dsn, DsnError, Host};
pub use failure::{FailureClass, classify_stderr};
pub use inspection::{Inspection, Listed, Pooling, SourceFacts, inspect};
pub use passfile::{Ambient, LibpqEnv};
pub use process::{RunningTool, Spawn, SpawnError, ToolExit, ToolOutput, ToolStatus, redact};
pub use query::{QueryError, ServerInfo, query, quote_identifier, quote_literal, server_info};
pub use tools::{Advisory, CodecSupport, ToolError, ToolName, ToolVersion, Tools};
