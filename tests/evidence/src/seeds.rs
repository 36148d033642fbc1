//! What fuzzing begins with: one file each of what strangers hand in, in a directory for each target.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use walwarden_contract::token::{TokenPayload, issue};

use crate::archive;
use crate::setting::Setting;

/// Writes the seeds.
pub fn write(directory: &Path) -> Result<()> {
    let setting = Setting::new();
    let put = |target: &str, name: &str, content: &[u8]| {
        let folder = directory.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), content).with_context(|| format!("cannot write the seed {name} of {target}"))
    };
    for number in 0..setting.honest.backups.len() {
        let files = setting.bundle(number);
        // Uncompressed, since a fuzzer finds nothing behind a checksum; the target compresses.
        put("bundle", &format!("bundle-{number}"), &archive::tar(&files.0))?;
        put("manifest", &format!("manifest-{number}"), &setting.honest.backups[number].manifest)?;
        for (name, content) in &files.0 {
            put("manifest", &format!("{number}-{name}"), content)?;
        }
    }
    for (size, note) in setting.honest.checkpoints.iter().chain(&setting.neighbour.checkpoints) {
        put("checkpoint", &format!("checkpoint-{size}"), note.as_bytes())?;
    }
    for mode in ["new_database", "in_place"] {
        let payload: Result<TokenPayload, _> = serde_json::from_value(json!({
            "orgId": setting.honest.org_id,
            "databaseId": setting.honest.database_id,
            "manifestHash": setting.honest.backups[0].manifest_hash(),
            "mode": mode,
            "jobIntentId": "rst_00000000000000000000000000000009",
            "exp": "2026-01-31T02:00:00.000Z",
        }));
        if let Ok(payload) = payload {
            put("token", mode, issue(&payload, &[3; 32]).as_bytes())?;
            put("token", &format!("{mode}.json"), &serde_json::to_vec(&payload)?)?;
        }
    }
    Ok(())
}
