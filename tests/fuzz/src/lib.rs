//! The pure modules of crossgate, mounted by path: what policy documents mean, without AWS.
//! Nothing is defined here.

// What only the rest of the crate calls is not called here.
#![allow(dead_code)]

#[path = "."]
pub mod iam {
    #[path = "../../../src/iam/compare/mod.rs"]
    pub mod compare;
    #[path = "../../../src/iam/evaluate/mod.rs"]
    pub mod evaluate;
    #[path = "../../../src/iam/pairs.rs"]
    pub mod pairs;
    #[path = "../../../src/iam/simulate.rs"]
    pub mod simulate;
}
#[path = "."]
pub mod model {
    #[path = "../../../src/model/account.rs"]
    pub mod account;
    #[path = "../../../src/model/arn.rs"]
    pub mod arn;
    #[path = "../../../src/model/name.rs"]
    pub mod name;
    #[path = "../../../src/model/policy.rs"]
    pub mod policy;
}
