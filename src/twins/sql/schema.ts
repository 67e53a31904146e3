import { Database } from "bun:sqlite"

/** What a request knows of the application: all of it holds the canary and nothing else does. */
export interface Session {
  readonly version: string
  readonly user: string
  readonly database: string
  /** What a file of the database's machine holds. */
  readonly file: string
}

export function sessionOf(canary: string): Session {
  return {
    version: `8.0.36-${canary}`,
    user: `app-${canary}@localhost`,
    database: `shop_${canary}`,
    file: `root:x:0:0:${canary}:/root:/bin/sh`,
  }
}

/**
 * The application's tables, the one-row table `twin_once` that keeps calls lazy, and the catalogues
 * of other engines as far as payloads read them.
 *
 * The id is no INTEGER PRIMARY KEY, so that the order of storing is none of the usual orders.
 */
const SCHEMA = `
  CREATE TABLE users (id INTEGER, name TEXT, password TEXT, email TEXT, role TEXT);
  CREATE TABLE secrets (id INTEGER, value TEXT);
  CREATE TABLE posts (id INTEGER, author TEXT, body TEXT, rating INTEGER);
  CREATE TABLE twin_once (one INTEGER);
  CREATE TABLE twin_files (path TEXT, content TEXT);
  CREATE TABLE twin_session (version TEXT, user TEXT, name TEXT);
  CREATE VIEW twin_tables AS SELECT name FROM sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'twin%' AND name NOT LIKE 'sqlite%';
  CREATE VIEW information_schema_schemata AS
    SELECT name AS schema_name, 'def' AS catalog_name FROM twin_session;
  CREATE VIEW information_schema_tables AS SELECT 'def' AS table_catalog,
    (SELECT name FROM twin_session) AS table_schema, name AS table_name, 'BASE TABLE' AS table_type,
    3 AS table_rows FROM twin_tables;
  CREATE VIEW information_schema_columns AS SELECT
    (SELECT name FROM twin_session) AS table_schema, t.name AS table_name, c.name AS column_name,
    lower(c.type) AS data_type, c.type AS column_type, c.cid + 1 AS ordinal_position,
    'def' AS table_catalog FROM twin_tables t, pragma_table_info(t.name) c;
  CREATE VIEW information_schema_processlist AS
    SELECT 1 AS id, user, 'localhost' AS host, name AS db, 'SELECT' AS info FROM twin_session;
  CREATE VIEW mysql_user AS SELECT 'localhost' AS host, user, version AS password,
    version AS authentication_string, 'Y' AS file_priv, 'Y' AS super_priv FROM twin_session;
  CREATE VIEW mysql_db AS SELECT 'localhost' AS host, name AS db, user FROM twin_session;
  CREATE VIEW pg_tables AS SELECT 'public' AS schemaname, name AS tablename FROM twin_tables;
  CREATE VIEW pg_class AS SELECT name AS relname, 'r' AS relkind, 1 AS oid FROM twin_tables;
  CREATE VIEW pg_database AS SELECT name AS datname FROM twin_session;
  CREATE VIEW pg_user AS SELECT user AS usename, version AS passwd, 't' AS usesuper FROM twin_session;
  CREATE VIEW pg_shadow AS SELECT user AS usename, version AS passwd FROM twin_session;
  CREATE VIEW sysobjects AS SELECT name, 'U' AS xtype, 'U' AS type, 1 AS id FROM twin_tables;
  CREATE VIEW syscolumns AS SELECT c.name, 1 AS id FROM twin_tables t, pragma_table_info(t.name) c;
  CREATE VIEW sysdatabases AS SELECT name, 1 AS dbid FROM twin_session;
  CREATE VIEW syslogins AS SELECT user AS name, version AS password FROM twin_session;
  CREATE VIEW sysusers AS SELECT user AS name, version AS password, 1 AS uid FROM twin_session;
  CREATE VIEW sys_tables AS SELECT name, 1 AS object_id FROM twin_tables;
  CREATE VIEW sys_objects AS SELECT name, 'U' AS type, 1 AS object_id FROM twin_tables;
  CREATE VIEW sys_columns AS SELECT c.name, 1 AS object_id
    FROM twin_tables t, pragma_table_info(t.name) c;
  CREATE VIEW sys_databases AS SELECT name, 1 AS database_id FROM twin_session;
  CREATE VIEW sys_sql_logins AS SELECT user AS name, version AS password_hash FROM twin_session;
  CREATE VIEW all_tables AS SELECT upper(name) AS table_name, 'APP' AS owner FROM twin_tables;
  CREATE VIEW user_tables AS SELECT upper(name) AS table_name FROM twin_tables;
  CREATE VIEW all_tab_columns AS SELECT upper(table_name) AS table_name,
    upper(column_name) AS column_name, data_type, 'APP' AS owner FROM information_schema_columns;
  CREATE VIEW user_tab_columns AS SELECT * FROM all_tab_columns;
  CREATE VIEW all_users AS SELECT user AS username FROM twin_session;
  CREATE VIEW v$version AS SELECT version AS banner FROM twin_session;
  CREATE VIEW v$instance AS SELECT version, name AS instance_name FROM twin_session;
  CREATE VIEW dual AS SELECT 'X' AS dummy;
  INSERT INTO twin_once VALUES (1);
`

/** Stored in this order: by name it is another one, and by id a third. */
const USERS = [
  { id: 3, name: "carol", role: "editor" },
  { id: 1, name: "admin", role: "admin" },
  { id: 4, name: "bob", role: "user" },
  { id: 2, name: "alice", role: "user" },
] as const

let emptyCopy: Uint8Array | undefined

/** What a payload takes for granted: the value that it begins with is one that the table has. */
export interface SeedValue {
  readonly name: string | undefined
  readonly id: number | undefined
}

/** A database of one request: rows with canaries, and rows of the values that are presumed. */
export function seededDatabase(canary: string, seed: SeedValue): Database {
  emptyCopy ??= emptyDatabase()
  const database = Database.deserialize(emptyCopy)
  const insertUser = database.prepare("INSERT INTO users VALUES (?, ?, ?, ?, ?)")
  for (const { id, name, role } of rowsWith(seed)) {
    insertUser.run(id, name, `pw-${canary}-${id}`, `u${id}-${canary}@shop.test`, role)
  }
  insertUser.finalize()
  database.run("INSERT INTO secrets VALUES (1, ?), (2, ?)", [`s1-${canary}`, `s2-${canary}`])
  database.run("INSERT INTO posts VALUES (1, 'alice', 'hello', 5), (2, 'bob', 'good morning', 4)")
  const { version, user, database: name, file } = sessionOf(canary)
  database.run("INSERT INTO twin_session VALUES (?, ?, ?)", [version, user, name])
  database.run("INSERT INTO twin_files VALUES ('file', ?)", [file])
  return database
}

function rowsWith(seed: SeedValue) {
  const rows: { id: number; name: string; role: string }[] = [...USERS]
  const { name, id } = seed
  if (name !== undefined && !rows.some((row) => row.name === name)) {
    rows.push({ id: 5, name, role: "user" })
  }
  if (id !== undefined && !rows.some((row) => row.id === id)) {
    rows.push({ id, name: "dave", role: "user" })
  }
  return rows
}

function emptyDatabase(): Uint8Array {
  const database = new Database(":memory:")
  database.run(SCHEMA)
  const bytes = database.serialize()
  database.close()
  return bytes
}
