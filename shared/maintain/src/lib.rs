//! Keeps the tables and the WAL small: orphans, old snapshots, segments past their grace.
