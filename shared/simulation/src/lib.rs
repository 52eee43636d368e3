//! The real write and read path under seeded faults.
