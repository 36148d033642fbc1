WITH relations AS (
    SELECT c.oid, c.relkind, c.relpersistence, c.relrowsecurity, c.reltablespace, n.oid AS schema,
           format('%I.%I', n.nspname, c.relname) AS name, format('%I', n.nspname) AS schema_name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(catalog|toast|temp)'
      -- What an extension made is not dumped, but for the tables that it names.
      AND (NOT EXISTS (SELECT 1 FROM pg_depend d
                       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
           OR EXISTS (SELECT 1 FROM pg_extension e WHERE c.oid = ANY (e.extconfig)))
), schemas AS (
    SELECT DISTINCT schema AS oid, schema_name AS name FROM relations
), objects AS (
    SELECT o.oid::text AS name,
           NOT (r.rolsuper OR current_setting('lo_compat_privileges')::boolean OR pg_has_role(o.lomowner, 'USAGE')
                OR EXISTS (SELECT 1 FROM aclexplode(o.lomacl) a
                           WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))
           ) AS refused
    FROM pg_largeobject_metadata o, pg_roles r WHERE r.rolname = current_user
    LIMIT 10001
), roles AS (
    SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'
), spaces AS (
    SELECT DISTINCT t.spcname FROM pg_tablespace t
    WHERE t.spcname NOT IN ('pg_default', 'pg_global')
      AND (t.oid IN (SELECT c.reltablespace FROM pg_class c)
           OR t.oid = (SELECT d.dattablespace FROM pg_database d WHERE d.datname = current_database()))
)
SELECT json_build_object(
    'versionNum', current_setting('server_version_num')::bigint,
    'versionText', current_setting('server_version'),
    'databaseName', current_database()::text,
    'sizeBytes', pg_database_size(current_database()),
    'role', current_user::text,
    'inRecovery', pg_is_in_recovery(),
    'idleSessionTimeout', coalesce(current_setting('idle_session_timeout', true), '0'),
    'schemas', (SELECT json_build_object('total', count(*),
        'refused', count(*) FILTER (WHERE NOT has_schema_privilege(oid, 'USAGE')),
        'names', coalesce((array_agg(name ORDER BY name) FILTER (WHERE NOT has_schema_privilege(oid, 'USAGE')))[1:20], '{}'))
        FROM schemas),
    'tables', (SELECT json_build_object('total', count(*),
        'refused', count(*) FILTER (WHERE NOT has_table_privilege(oid, 'SELECT')),
        'names', coalesce((array_agg(name ORDER BY name) FILTER (WHERE NOT has_table_privilege(oid, 'SELECT')))[1:20], '{}'))
        FROM relations WHERE relkind IN ('r', 'p')),
    'sequences', (SELECT json_build_object('total', count(*),
        'refused', count(*) FILTER (WHERE NOT has_sequence_privilege(oid, 'SELECT')),
        'names', coalesce((array_agg(name ORDER BY name) FILTER (WHERE NOT has_sequence_privilege(oid, 'SELECT')))[1:20], '{}'))
        FROM relations WHERE relkind = 'S'),
    'hiddenRows', (SELECT json_build_object('total', count(*),
        'refused', count(*) FILTER (WHERE row_security_active(oid)),
        'names', coalesce((array_agg(name ORDER BY name) FILTER (WHERE row_security_active(oid)))[1:20], '{}'))
        FROM relations WHERE relkind = 'r' AND relrowsecurity),
    'largeObjects', (SELECT json_build_object('total', count(*), 'refused', count(*) FILTER (WHERE refused),
        'names', coalesce((array_agg(name ORDER BY name) FILTER (WHERE refused))[1:20], '{}')) FROM objects),
    'unlogged', (SELECT json_build_object('total', count(*), 'refused', 0,
        'names', coalesce((array_agg(name ORDER BY name))[1:20], '{}'))
        FROM relations WHERE relkind = 'r' AND relpersistence = 'u'),
    'roles', (SELECT json_build_object('total', count(*), 'refused', 0,
        'names', coalesce((array_agg(format('%I', rolname) ORDER BY rolname))[1:20], '{}')) FROM roles),
    'tablespaces', (SELECT json_build_object('total', count(*), 'refused', 0,
        'names', coalesce((array_agg(format('%I', spcname) ORDER BY spcname))[1:20], '{}')) FROM spaces),
    'extensions', (SELECT json_build_object('total', count(*), 'refused', 0,
        'names', coalesce((array_agg(extname || ' ' || extversion ORDER BY extname))[1:50], '{}')) FROM pg_extension),
    'traits', (SELECT coalesce(array_agg(name), '{}') FROM (
        SELECT rolname::text AS name FROM roles
        WHERE rolname IN ('neon_superuser', 'supabase_admin', 'rds_superuser')
        UNION ALL SELECT DISTINCT 'aurora_version' FROM pg_proc WHERE proname = 'aurora_version') AS told)
)
