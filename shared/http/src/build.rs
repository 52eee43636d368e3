/// Which build serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildInfo {
    /// Its version.
    pub version: String,
    /// The commit that it was built from; may be empty.
    pub revision: String,
}
