"""The tables: engine, schema, numbered migrations, rows in and out. The only room with SQLAlchemy; knows no meaning."""
