//! SQLite: schema, migrations, queries
