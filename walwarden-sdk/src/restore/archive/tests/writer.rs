//! Archives for the tests, of any supported version.

/// Writes archives of any supported version, as `pg_backup_archiver.c` does.
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    pub(super) minor: u8,
}

/// What an archive should hold.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) dump_id: i32,
    /// Chunks of data, `None` for an entry without data; large objects by their oid.
    pub(super) data: Option<Vec<Vec<u8>>>,
    pub(super) large_objects: bool,
}

impl Writer {
    pub(super) fn integer(&mut self, value: i32) {
        self.bytes.push(u8::from(value < 0));
        self.bytes.extend(value.unsigned_abs().to_le_bytes());
    }

    pub(super) fn text(&mut self, text: Option<&str>) {
        self.integer(text.map_or(-1, |text| i32::try_from(text.len()).expect("short")));
        self.bytes.extend(text.unwrap_or_default().bytes());
    }

    pub(super) fn header(&mut self) {
        self.bytes.extend(b"PGDMP");
        self.bytes.extend([1, self.minor, 0, 4, 8, 1]);
        if self.minor >= 15 {
            self.bytes.push(3);
        } else {
            self.integer(-1);
        }
        (0..7).for_each(|field| self.integer(field));
        for text in ["shop", "17.6", "17.7"] {
            self.text(Some(text));
        }
    }

    pub(super) fn entry(&mut self, item: &Item) {
        self.integer(item.dump_id);
        self.integer(i32::from(item.data.is_some()));
        for text in ["1259", "16384", "tag", "TABLE DATA"] {
            self.text(Some(text));
        }
        self.integer(3);
        for text in [Some(""), None, Some("COPY …"), Some("public"), Some("")] {
            self.text(text);
        }
        if self.minor >= 14 {
            self.text(Some("heap"));
        }
        if self.minor >= 16 {
            self.integer(114);
        }
        for text in [Some("owner"), Some("false"), Some("12"), Some("13"), None] {
            self.text(text);
        }
        self.bytes.push(if item.data.is_some() { 1 } else { 3 });
        self.bytes.extend([0; 8]);
    }

    pub(super) fn chunks(&mut self, chunks: &[Vec<u8>]) {
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            self.integer(i32::try_from(chunk.len()).expect("short"));
            self.bytes.extend(chunk);
        }
        self.integer(0);
    }

    pub(super) fn block(&mut self, item: &Item) {
        let Some(data) = &item.data else { return };
        self.bytes.push(if item.large_objects { 3 } else { 1 });
        self.integer(item.dump_id);
        if item.large_objects {
            // The second oid is one which is negative as a signed integer.
            for oid in [7, i32::MIN + 1] {
                self.integer(oid);
                self.chunks(data);
            }
            self.integer(0);
        } else {
            self.chunks(data);
        }
    }
}

pub(super) fn write(minor: u8, items: &[Item]) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new(), minor };
    writer.header();
    writer.integer(i32::try_from(items.len()).expect("few"));
    for item in items {
        writer.entry(item);
    }
    for item in items {
        writer.block(item);
    }
    writer.bytes
}
