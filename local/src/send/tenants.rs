use icegate_model::{InvalidTenant, TenantId};

use super::random::{Random, Stream};

/// Who sends which request.
#[derive(Clone, Debug)]
pub(crate) struct Tenants {
    base: TenantId,
    count: u64,
    seed: u64,
}

impl Tenants {
    /// One tenant under its own name, or more of them as `<base>-1` to `<base>-<count>`.
    ///
    /// # Errors
    /// [`InvalidTenant`] where the longest name is longer than a tenant's may be.
    pub(crate) fn new(base: TenantId, count: u64, seed: u64) -> Result<Self, InvalidTenant> {
        let tenants = Self { base, count, seed };
        if count > 1 {
            tenants.named(count)?;
        }
        Ok(tenants)
    }

    /// The tenant of a request; the same number gives the same tenant.
    pub(crate) fn of(&self, request: u64) -> Result<TenantId, InvalidTenant> {
        if self.count > 1 {
            self.named(1 + Random::of(self.seed, Stream::Tenant, request).below(self.count))
        } else {
            Ok(self.base.clone())
        }
    }

    fn named(&self, number: u64) -> Result<TenantId, InvalidTenant> {
        format!("{}-{number}", self.base).parse()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_single_tenant_keeps_its_name_and_several_are_numbered_from_one() {
        let one = Tenants::new("shop".parse().unwrap(), 1, 1).unwrap();
        assert_eq!(one.of(7).unwrap().as_str(), "shop");
        let three = Tenants::new("shop".parse().unwrap(), 3, 1).unwrap();
        let seen: BTreeSet<String> = (0..100).map(|request| three.of(request).unwrap().to_string()).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["shop-1", "shop-2", "shop-3"]);
        assert_eq!(three.of(5).unwrap(), three.of(5).unwrap());
    }

    #[test]
    fn a_name_without_room_for_its_number_is_refused_at_the_start() {
        assert!(Tenants::new("x".repeat(63).parse().unwrap(), 10, 1).is_err());
        assert!(Tenants::new("x".repeat(64).parse().unwrap(), 1, 1).is_ok());
    }
}
