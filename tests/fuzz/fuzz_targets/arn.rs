//! Any bytes, as the ARNs, names, patterns and policies of resources that AWS returns: what is taken is written back as it was.
#![no_main]

use crossgate_fuzz::iam::evaluate::Principal;
use crossgate_fuzz::model::account::{AccountId, Region};
use crossgate_fuzz::model::arn::RoleArn;
use crossgate_fuzz::model::artifact::{BucketName, KeyArn};
use crossgate_fuzz::model::name::{FunctionName, PipelineName, RoleName, RolePath};
use crossgate_fuzz::model::part::Part;
use crossgate_fuzz::model::resource_policy::ResourcePolicy;
use crossgate_fuzz::model::{console, glob};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    match RoleArn::parse(one) {
        Ok(arn) => {
            assert_eq!(arn.to_string(), one, "one spelling");
            let page = console::role(arn.partition, arn.name.as_str());
            assert!(page.is_ascii() && !page.contains(char::is_whitespace));
        }
        Err(error) => drop(error.to_string()),
    }
    if let Some(arn) = KeyArn::parse(one) {
        assert_eq!(arn.to_string(), one, "one spelling");
    }
    if let Some(name) = BucketName::new(one) {
        assert_eq!(name.as_str(), one);
    }
    for taken in [
        AccountId::new(one).is_ok_and(|id| id.as_str() == one),
        Region::new(one).is_ok_and(|region| region.as_str() == one),
        RoleName::new(one).is_ok_and(|name| name.as_str() == one),
        RolePath::new(one).is_ok_and(|path| path.as_str() == one),
        FunctionName::new(one).is_ok_and(|name| name.as_str() == one),
        PipelineName::new(one).is_ok_and(|name| name.as_str() == one),
    ] {
        // No name that is taken acts on a terminal, leaves a folder, or ends a header.
        assert!(!taken || (one.is_ascii() && !one.contains(|c: char| c.is_ascii_control())));
    }
    if let Ok(part) = Part::parse(one)
        && let Ok(id) = AccountId::new(other)
    {
        drop(part.holds(&id));
    }
    if let Ok(principal) = Principal::parse(one) {
        drop(principal.with_role_arn(other));
    }
    if glob::is_pattern(one) {
        drop(glob::matches(one, other));
    }
    if let Ok(policy) = ResourcePolicy::parse(Some(&text)) {
        // With nothing of ours in it, nothing of it is touched.
        let sids = ["crossgateFuzzRead".to_owned()];
        if policy.with_sid(&sids[0]).next().is_none() {
            assert_eq!(policy.with(&sids, &[]).as_ref(), policy.raw());
        }
    }
});
