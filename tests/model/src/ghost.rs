//! What must never be. A ghost watches every write and every turn of nature, and remembers.

/// An import of something that was never verified for this upgrade.
pub const IMPORT_UNVERIFIED: u32 = 1;
/// Data overwritten of which no export holds a copy.
pub const OVERWRITTEN: u32 = 1 << 1;
/// A stage entered that the same attempt had left.
pub const BACKWARDS: u32 = 1 << 3;
/// A version opened data that had moved on from it.
pub const DOWNGRADED: u32 = 1 << 4;
/// Users see data that lacks an acknowledged write.
pub const LOST_WRITE: u32 = 1 << 5;
/// A write that changes something when it is repeated.
pub const NOT_IDEMPOTENT: u32 = 1 << 6;
/// The finalizer went while something of ours was left.
pub const FINALIZER_EARLY: u32 = 1 << 7;
/// The last copy of the data was deleted.
pub const STORE_DELETED: u32 = 1 << 8;
/// An import reached another backend than it was meant for.
pub const WRONG_TARGET: u32 = 1 << 9;
/// A copy was verified of a store that somebody had open.
pub const TORN: u32 = 1 << 10;
/// A copy was opened that is not whole.
pub const HALF_OPENED: u32 = 1 << 11;
/// Users felt an upgrade whose image was not proven.
pub const FELT_UNPROVEN: u32 = 1 << 12;
/// Something irreplaceable was made anew.
pub const MADE_ANEW: u32 = 1 << 13;
/// A child of another instance was written.
pub const FOREIGN_TOUCHED: u32 = 1 << 14;
