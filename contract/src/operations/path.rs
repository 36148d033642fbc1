//! The parameters in the paths of operations.

use super::build::schema_of as of;
use super::{Operation, SchemaOf};
use crate::id::{BackupJobId, DatabaseId, DestinationId, RestoreJobId, StreamId, WindowId};
use crate::model::EventNumber;

/// A name in braces in a path, and what stands in its place.
#[derive(Debug, Clone, Copy)]
pub struct PathParameter {
    /// The name.
    pub name: &'static str,
    /// What it names, for the reference.
    pub about: &'static str,
    /// The identifier's type.
    pub schema: SchemaOf,
}

const PARAMETERS: &[PathParameter] = &[
    PathParameter { name: "databaseId", about: "The protected database.", schema: of::<DatabaseId> },
    PathParameter { name: "destinationId", about: "The destination.", schema: of::<DestinationId> },
    PathParameter { name: "backupJobId", about: "The backup job.", schema: of::<BackupJobId> },
    PathParameter { name: "restoreJobId", about: "The restore job.", schema: of::<RestoreJobId> },
    PathParameter { name: "windowId", about: "The recovery window.", schema: of::<WindowId> },
    PathParameter { name: "streamId", about: "The audit stream.", schema: of::<StreamId> },
    PathParameter { name: "seq", about: "The event's number in its stream, from 1.", schema: of::<EventNumber> },
];

/// The names in braces, in order.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

impl Operation {
    /// The parameters of its path, in order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static PathParameter> {
        names(self.path).filter_map(|name| PARAMETERS.iter().find(|parameter| parameter.name == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capabilities::CAPABILITIES;
    use crate::operations::OPERATIONS;

    #[test]
    fn every_name_in_braces_is_known() {
        let planned = CAPABILITIES.iter().filter_map(|capability| Some(capability.route?.path));
        for path in OPERATIONS.iter().map(|operation| operation.path).chain(planned) {
            let unknown = names(path).find(|name| !PARAMETERS.iter().any(|parameter| parameter.name == *name));
            assert_eq!(unknown, None, "{path}");
            assert_eq!(names(path).count(), path.matches('{').count(), "{path}");
        }
    }
}
