//! Addresses of the AWS console: where a person looks at a pipeline, a role or a function.
//! Pure text. An address names no account: the browser shows that of the account it is signed in to.
//!
//! The forms are those that the console shows in the browser, and that AWS's own tools build (aws-toolkit, the CDK's outputs); no
//! page of AWS promises them. Unverified for the China and GovCloud partitions beyond the domains.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::account::{Partition, Region};

/// What stands as it is in a path and behind a `#`.
const SAFE: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A pipeline's page.
pub fn pipeline(region: &Region, name: &str) -> String {
    let base = base(region.partition(), region.as_str());
    let name = encoded(name);
    format!("{base}/codesuite/codepipeline/pipelines/{name}/view?region={region}")
}

/// The page of one execution of a pipeline.
pub fn execution(region: &Region, pipeline: &str, execution: &str) -> String {
    let base = base(region.partition(), region.as_str());
    let (pipeline, execution) = (encoded(pipeline), encoded(execution));
    format!(
        "{base}/codesuite/codepipeline/pipelines/{pipeline}/executions/{execution}/timeline?region={region}"
    )
}

/// A role's page. IAM has no regions: its console is in the partition's global region.
pub fn role(partition: Partition, name: &str) -> String {
    let base = base(partition, partition.global_region());
    format!("{base}/iam/home#/roles/details/{}", encoded(name))
}

/// A function's page.
pub fn function(region: &Region, name: &str) -> String {
    let base = base(region.partition(), region.as_str());
    format!(
        "{base}/lambda/home?region={region}#/functions/{}",
        encoded(name)
    )
}

fn base(partition: Partition, region: &str) -> String {
    let domain = match partition {
        Partition::Aws => "console.aws.amazon.com",
        Partition::AwsCn => "console.amazonaws.cn",
        Partition::AwsUsGov => "console.amazonaws-us-gov.com",
    };
    format!("https://{region}.{domain}")
}

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, &SAFE).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn region(name: &str) -> Region {
        Region::new(name).unwrap()
    }

    #[test]
    fn each_partition_has_its_own_console() {
        for (name, domain) in [
            ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
            ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
            (
                "us-gov-east-1",
                "us-gov-east-1.console.amazonaws-us-gov.com",
            ),
        ] {
            let region = region(name);
            let start = format!("https://{domain}/");
            for address in [
                pipeline(&region, "p"),
                execution(&region, "p", "1"),
                function(&region, "f"),
            ] {
                assert!(address.starts_with(&start), "{address}");
                assert!(address.contains(&format!("?region={name}")), "{address}");
            }
        }
        let role = |partition| role(partition, "r");
        assert_eq!(
            role(Partition::Aws),
            "https://us-east-1.console.aws.amazon.com/iam/home#/roles/details/r"
        );
        assert_eq!(
            role(Partition::AwsCn),
            "https://cn-north-1.console.amazonaws.cn/iam/home#/roles/details/r"
        );
        assert_eq!(
            role(Partition::AwsUsGov),
            "https://us-gov-west-1.console.amazonaws-us-gov.com/iam/home#/roles/details/r"
        );
    }

    #[test]
    fn a_name_cannot_leave_its_place() {
        assert_eq!(
            pipeline(&region("us-east-1"), "a@b/../c?d#e"),
            "https://us-east-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/a%40b%2F..%2Fc%3Fd%23e/view?region=us-east-1"
        );
        let address = role(Partition::Aws, "tem=p,or+ä\u{1b}");
        assert!(
            address.is_ascii() && !address.contains(char::is_control),
            "{address}"
        );
        assert!(address.ends_with("/tem%3Dp%2Cor%2B%C3%A4%1B"), "{address}");
        assert!(
            function(&region("us-east-1"), "My-Function_1").ends_with("#/functions/My-Function_1")
        );
    }
}
