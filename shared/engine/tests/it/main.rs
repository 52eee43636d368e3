//! The engine over real tables and a real WAL in memory.

mod bounds;
mod exactly_once;
mod isolation;
mod pruning;
mod pushdown;
mod rows;
mod stale;
mod stores;
mod world;
