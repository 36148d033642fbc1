-- How each source was when it was last looked at, as JSON; NULL when it never was.

ALTER TABLE databases ADD COLUMN source_check TEXT;
