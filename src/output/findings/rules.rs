//! The rules that findings go by: a stable id, a title, and what to do about any finding of the kind.
//! Ids are a contract with whoever suppresses or counts them; a test holds every code of the program to this table.

use crate::model::chain::HopId;
use crate::model::change::ChangeKind;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::output) struct Rule {
    /// Stable: the change's kind, the problem's code or the hop.
    pub(in crate::output) id: &'static str,
    /// What is the matter, in a few words.
    pub(in crate::output) title: &'static str,
    /// What it means and what to do.
    pub(in crate::output) help: &'static str,
}

const fn rule(id: &'static str, title: &'static str, help: &'static str) -> Rule {
    Rule { id, title, help }
}

/// A code that the table does not know: its text says the rest.
static OTHER: Rule = rule(
    "other",
    "something needs attention",
    "The message says what it is.",
);

static IAM_ROLE: Rule = rule(
    "iam_role",
    "a role of the gate is missing or not needed any more",
    "The pipeline takes the invoke role in the function's account; a function that the manifest makes runs as its execution role. \
     `crossgate bootstrap` makes them, `crossgate teardown` removes them.",
);
static IAM_TRUST_POLICY: Rule = rule(
    "iam_trust_policy",
    "a role's trust policy differs",
    "It says who may take the role: too narrow, and the pipeline cannot; too wide, and others can. `crossgate bootstrap` puts it \
     right.",
);
static IAM_ROLE_TAGS: Rule = rule(
    "iam_role_tags",
    "the invoke role's tags differ",
    "By its tags crossgate knows the role as its own. `crossgate bootstrap` sets them.",
);
static IAM_PERMISSIONS_BOUNDARY: Rule = rule(
    "iam_permissions_boundary",
    "the invoke role's permissions boundary differs",
    "A boundary that the manifest does not name may forbid the call of the function. Name it in [gates.invoke_role], or run \
     `crossgate bootstrap` (with --remove-unexpected to take one off).",
);
static IAM_INLINE_POLICY: Rule = rule(
    "iam_inline_policy",
    "an inline policy of the gate is missing or differs",
    "One hop of the gate stands on this policy. `crossgate bootstrap` puts it right; `crossgate verify` says what it breaks.",
);
static IAM_UNEXPECTED_POLICY: Rule = rule(
    "iam_unexpected_policy",
    "the invoke role has a policy that crossgate did not put there",
    "Whoever takes the role can do what the policy allows. `crossgate bootstrap --remove-unexpected` removes it.",
);
static LAMBDA_FUNCTION: Rule = rule(
    "lambda_function",
    "the gate's function is missing or not needed any more",
    "The manifest makes the function of its `source`. `crossgate bootstrap` makes it, `crossgate teardown` removes it.",
);
static LAMBDA_FUNCTION_CODE: Rule = rule(
    "lambda_function_code",
    "the function has other code than `source`",
    "Somebody deployed other code, or the source was changed. `crossgate bootstrap` deploys what the manifest names.",
);
static LAMBDA_FUNCTION_CONFIGURATION: Rule = rule(
    "lambda_function_configuration",
    "the function's configuration differs",
    "Runtime, handler, timeout, memory, environment or role are not those of the manifest. `crossgate bootstrap` puts it right.",
);
static LAMBDA_FUNCTION_TAGS: Rule = rule(
    "lambda_function_tags",
    "the function's tags differ",
    "By its tags crossgate knows the function as its own. `crossgate bootstrap` sets them.",
);
static S3_BUCKET_POLICY: Rule = rule(
    "s3_bucket_policy",
    "the artifact bucket's policy does not hold just what the gates need",
    "With `manage = true` crossgate keeps its own statements in the bucket's policy, which let the invoke roles use artifacts. \
     `crossgate bootstrap` puts them right and leaves the others as they are.",
);
static KMS_KEY_POLICY: Rule = rule(
    "kms_key_policy",
    "the policy of the artifacts' key does not hold just what the gates need",
    "With `manage = true` crossgate keeps its own statements in the key's policy, which let the invoke roles use artifacts. \
     `crossgate bootstrap` puts them right and leaves the others as they are.",
);
static PIPELINE_ACTION: Rule = rule(
    "pipeline_action",
    "the gate's action is missing in the pipeline or differs",
    "Without its action the pipeline does not ask the function. It is often lost when the pipeline is deployed anew by another \
     tool. `crossgate bootstrap` puts it back.",
);

static PIPELINE: Rule = rule(
    "pipeline",
    "the pipeline is not as a saved document has it",
    "Only `crossgate restore` compares whole documents. It shows the difference, and puts the saved document back.",
);

static HOPS: [Rule; 7] = [
    rule(
        "hop_0",
        "CodePipeline may not take the pipeline's service role",
        "The service role's trust policy must let codepipeline.amazonaws.com take it.",
    ),
    rule(
        "hop_1",
        "the service role may not take the invoke role",
        "Both sides must allow sts:AssumeRole: a policy on the service role, and the invoke role's trust policy.",
    ),
    rule(
        "hop_2",
        "the invoke role may not call the function",
        "A policy on the invoke role must allow lambda:InvokeFunction, and nothing may deny it.",
    ),
    rule(
        "hop_2_list",
        "the invoke role may not list functions",
        "CodePipeline lists functions before it calls one: lambda:ListFunctions on * must be allowed.",
    ),
    rule(
        "hop_3",
        "the function may not answer the pipeline",
        "The function's execution role must allow codepipeline:PutJobSuccessResult and PutJobFailureResult on *; without it the \
         gate hangs until it times out.",
    ),
    rule(
        "hop_4",
        "the invoke role may not use the artifact bucket",
        "A policy on the invoke role and, across accounts, the bucket's policy must allow it: `manage = true` in [gates.artifacts] \
         keeps both.",
    ),
    rule(
        "hop_5",
        "the invoke role may not use the artifacts' key",
        "A policy on the invoke role and the key's policy must allow it: `manage = true` in [gates.artifacts] keeps both.",
    ),
];

/// The codes of problems and of what `verify` finds beside the hops, sorted.
static CODES: &[Rule] = &[
    rule(
        "account_unreachable",
        "an account could not be reached",
        "Nothing in it was seen. See to its credentials (profile, role, sign-in) and run the command again.",
    ),
    rule(
        "action_conflict",
        "an action of the gate's name is somebody else's",
        "crossgate changes no action that is not its own. Give the gate another action name, or adopt it with --adopt.",
    ),
    rule(
        "action_differs",
        "the action names another role or function",
        "The hops are those of the action as it is. Run `crossgate check`.",
    ),
    rule(
        "action_left_behind",
        "an action would lose its grant",
        "A gate was taken out of the manifest before it was torn down. Put it back and tear it down, or remove the action.",
    ),
    rule(
        "action_missing",
        "the gate has no action in the pipeline",
        "The pipeline does not ask the function. Run `crossgate bootstrap`.",
    ),
    rule(
        "action_not_named",
        "an action runs through a gate's role and is no gate",
        "It is what is left where a gate was renamed. Remove the action, or name it in the manifest.",
    ),
    rule(
        "action_timeout",
        "the action may wait longer than CodePipeline does",
        "CodePipeline gives up after 20 minutes without a reply: let the function answer with a continuationToken.",
    ),
    rule(
        "action_timeout_short",
        "the action is given up before the function is done",
        "Raise `timeout_minutes` in [gates.pipeline], or lower the function's timeout.",
    ),
    rule(
        "action_twice",
        "the action's name is taken twice in its stage",
        "Names of actions are unique in a stage: give one of them another name.",
    ),
    rule(
        "artifact_bucket_policy",
        "the artifact bucket's policy does not let the invoke role in",
        "Set `manage = true` in [gates.artifacts], or let whoever keeps the bucket's policy allow the invoke role.",
    ),
    rule(
        "artifact_in_use",
        "an artifact of the action is used by others",
        "Taking it away would break the actions that read it.",
    ),
    rule(
        "artifact_key_alias",
        "the artifact store's key is named by an alias",
        "An alias works in its own account only: name the key by its ARN in the pipeline's artifact store.",
    ),
    rule(
        "artifact_key_elsewhere",
        "the key of the artifacts is of an account that the manifest does not name",
        "Its policy cannot be managed: take `manage` out, and let whoever keeps the key allow the invoke role.",
    ),
    rule(
        "artifact_key_invalid",
        "the artifact store names no key",
        "Name the key by its ARN in the pipeline's artifact store.",
    ),
    rule(
        "artifact_key_missing",
        "the artifact store has no customer managed key",
        "Another account cannot read artifacts under the AWS managed key: give the artifact store a key of your own.",
    ),
    rule(
        "artifact_key_not_found",
        "the key of the artifact store does not exist",
        "Correct `encryptionKey` of the pipeline's artifact store.",
    ),
    rule(
        "artifact_key_policy",
        "the policy of the artifacts' key does not let the invoke role in",
        "Set `manage = true` in [gates.artifacts], or let whoever keeps the key allow the invoke role.",
    ),
    rule(
        "artifact_name_taken",
        "an artifact's name is taken",
        "Each artifact is made by one action: give the output artifact another name.",
    ),
    rule(
        "artifact_not_produced",
        "no earlier action makes an input artifact",
        "Correct `input_artifacts`, or place the gate behind the action that makes it.",
    ),
    rule(
        "artifact_policy_unread",
        "the policy of the artifact bucket or of its key could not be read",
        "Whether it lets the invoke role use artifacts is not known: allow s3:GetBucketPolicy and kms:GetKeyPolicy.",
    ),
    rule(
        "artifact_store_missing",
        "the pipeline has no artifact store for the gate's region",
        "Give the pipeline an artifact store for the region of the gate's action, or take the artifacts from the gate.",
    ),
    rule(
        "before_source_stage",
        "a stage cannot stand before the source stage",
        "The first stage of a pipeline holds its sources: place the gate behind it.",
    ),
    rule(
        "concurrency_unreadable",
        "the function's reserved concurrency could not be read",
        "A function with a reserved concurrency of 0 never runs. Allow lambda:GetFunctionConcurrency.",
    ),
    rule(
        "execution_role_changed",
        "the function ran as another role until now",
        "What crossgate put on that role stays there: remove it if no other gate needs it.",
    ),
    rule(
        "execution_role_not_assumable",
        "Lambda may not take the function's execution role",
        "Its trust policy must allow sts:AssumeRole to lambda.amazonaws.com, or the manifest must name another `role`.",
    ),
    rule(
        "execution_role_not_found",
        "the function's execution role does not exist",
        "Make the role again, or give the function another one.",
    ),
    rule(
        "execution_role_not_trusting",
        "Lambda may not take the function's execution role",
        "The execution role's trust policy must let lambda.amazonaws.com take it.",
    ),
    rule(
        "failed",
        "the command failed",
        "The message says why; nothing was changed.",
    ),
    rule(
        "function_conflict",
        "a function of that name is not this project's",
        "crossgate takes over no function: drop `source` to use it as it is, or choose another name.",
    ),
    rule(
        "function_environment_unreadable",
        "the function's environment variables could not be read",
        "AWS could not decrypt them: allow kms:Decrypt on the function's key.",
    ),
    rule(
        "function_is_image",
        "the function is a container image",
        "Whether its repository still holds the image was not looked at.",
    ),
    rule(
        "function_left",
        "a function that crossgate made stays",
        "Write `source` again and run teardown, or remove the function and its role by hand.",
    ),
    rule(
        "function_not_active",
        "the function is not active",
        "Look at its StateReason in Lambda, and deploy it again.",
    ),
    rule(
        "function_not_found",
        "the function does not exist",
        "Correct [gates.function], or make the function first.",
    ),
    rule(
        "function_pending",
        "the function is still being made",
        "Run the command again in a minute.",
    ),
    rule(
        "function_throttled",
        "the function never runs",
        "Its reserved concurrency is 0: raise or remove it.",
    ),
    rule(
        "function_timeout",
        "the function may run as long as Lambda allows",
        "Stopped there, it does not answer: let it answer with a continuationToken before that time.",
    ),
    rule(
        "function_update_failed",
        "the function's last update failed",
        "What answers is what was there before it: deploy it again.",
    ),
    rule(
        "inline_policy_limit",
        "a role would hold more inline policies than IAM allows",
        "Let gates share an invoke role, or turn other inline policies of the role into managed ones.",
    ),
    rule(
        "key_policy_lockout",
        "the key's policy would be empty",
        "Give the key a policy that allows its own account first.",
    ),
    rule(
        "logs_stay",
        "the function's logs stay",
        "Look into their group; delete it if nobody needs it.",
    ),
    rule(
        "manifest",
        "the manifest cannot be used",
        "Mend what the message names; AWS was not asked.",
    ),
    rule(
        "masked_secret",
        "the pipeline holds a secret that AWS masks",
        "It is sent back masked and keeps its value; --secret sends a new one.",
    ),
    rule(
        "namespace_in_use",
        "the action's namespace is used by others",
        "Taking it away would break the actions that read its variables.",
    ),
    rule(
        "namespace_taken",
        "the namespace is taken",
        "Namespaces are unique in a pipeline: give the gate another one.",
    ),
    rule(
        "partition_shared",
        "two partitions would write the same object",
        "Write it without --partition, or with --gate for all gates of a pipeline.",
    ),
    rule(
        "pipeline_moved",
        "the pipeline was changed since the plan",
        "The change was made to the document as it is now.",
    ),
    rule(
        "pipeline_not_found",
        "the pipeline does not exist",
        "Correct [gates.pipeline], or make the pipeline first.",
    ),
    rule(
        "pipeline_overwritten",
        "somebody else wrote the pipeline at the same moment",
        "AWS offers no compare-and-swap: the lost version is saved; `crossgate restore` shows what is missing.",
    ),
    rule(
        "placement_cycle",
        "stages are placed behind one another in a circle",
        "Correct `after` and `before` of the gates.",
    ),
    rule(
        "placement_ignored",
        "the stage stands elsewhere",
        "A stage that is there is not moved.",
    ),
    rule(
        "policy_moved",
        "somebody wrote the policy of a bucket or key since the plan",
        "The change was made anew from it: nothing of it is lost.",
    ),
    rule(
        "policy_unreadable",
        "a policy could not be understood",
        "crossgate does not compare or overwrite what it cannot read: mend it in IAM.",
    ),
    rule(
        "principal_deleted",
        "a policy names a principal that was deleted",
        "The id in it belongs to nobody any more: run `crossgate bootstrap`, or mend the policy.",
    ),
    rule(
        "read_failed",
        "something could not be read",
        "`crossgate permissions check` prints the permissions that the command needs.",
    ),
    rule(
        "region_without_bucket",
        "the pipeline has no artifact bucket for the function's region",
        "An action in another region needs one in `artifactStores`.",
    ),
    rule(
        "resource_policy_limit",
        "the policy of a bucket or key would be too long",
        "Let gates share an invoke role, or shorten the policy's other statements.",
    ),
    rule(
        "restore_changes_gate",
        "restoring changes a gate's action",
        "`crossgate check` says how the gate stands after it.",
    ),
    rule(
        "restore_needs_role",
        "a restored action needs a role that restore does not make",
        "See that the role is there and trusts the pipeline's account.",
    ),
    rule(
        "restore_removes_gate",
        "restoring takes a gate's action away",
        "Its roles and policies stay: `crossgate bootstrap` puts the action back, `crossgate teardown` removes the rest.",
    ),
    rule(
        "restore_returns_gate",
        "restoring brings a gate's action back",
        "`crossgate check` says whether all that the gate needs is there.",
    ),
    rule(
        "restore_service_role",
        "restoring changes the pipeline's service role",
        "`crossgate check` says what the gates miss on it.",
    ),
    rule(
        "restore_takes_back",
        "restoring takes back what others have changed",
        "Ask whoever changed it; the document as it is now is saved first.",
    ),
    rule(
        "role_conflict",
        "a role of the invoke role's name is not this project's",
        "Choose another name in [gates.invoke_role], or adopt the role with --adopt.",
    ),
    rule(
        "role_path",
        "the invoke role has another path",
        "IAM cannot move a role: correct `path` in [gates.invoke_role], or choose another name.",
    ),
    rule(
        "secret_gone",
        "a masked secret of the saved document is not in the pipeline any more",
        "Send its real value with `--secret`.",
    ),
    rule(
        "secret_not_masked",
        "--secret names nothing that is masked",
        "Correct STAGE/ACTION/KEY: only what AWS shows as **** can be sent.",
    ),
    rule(
        "service_role_invalid",
        "the pipeline's service role is not one of its account",
        "Give the pipeline a service role of its own account.",
    ),
    rule(
        "service_role_not_found",
        "the pipeline's service role does not exist",
        "Make the role again, or give the pipeline another one.",
    ),
    rule(
        "source_stage",
        "a gate cannot stand in the source stage",
        "The first stage of a pipeline holds source actions only.",
    ),
    rule(
        "stage_not_found",
        "a stage that the manifest names is not there",
        "Correct `after` or `before` of the gate.",
    ),
    rule(
        "timeout_on_lambda",
        "a timeout on a Lambda action is not documented",
        "AWS documents `timeoutInMinutes` for manual approvals only.",
    ),
    rule(
        "too_few_stages",
        "the pipeline would have too few stages",
        "A pipeline has two stages at least.",
    ),
    rule(
        "too_many_actions",
        "the stage would have too many actions",
        "A stage has 50 actions at most.",
    ),
    rule(
        "too_many_stages",
        "the pipeline would have too many stages",
        "A pipeline has 50 stages at most.",
    ),
    rule(
        "trust_policy_limit",
        "a trust policy would be longer than IAM allows",
        "Let fewer pipelines share the invoke role.",
    ),
    rule(
        "usage",
        "the command line cannot be used",
        "`crossgate COMMAND --help` shows what may be written.",
    ),
    rule(
        "wrong_account",
        "the credentials are of another account",
        "Correct the account's id in the manifest, or use credentials of the account that is meant.",
    ),
];

impl Rule {
    /// The rule of a kind of change.
    pub(super) fn of_kind(kind: ChangeKind) -> &'static Self {
        match kind {
            ChangeKind::IamRole => &IAM_ROLE,
            ChangeKind::IamTrustPolicy => &IAM_TRUST_POLICY,
            ChangeKind::IamRoleTags => &IAM_ROLE_TAGS,
            ChangeKind::IamPermissionsBoundary => &IAM_PERMISSIONS_BOUNDARY,
            ChangeKind::IamInlinePolicy => &IAM_INLINE_POLICY,
            ChangeKind::IamUnexpectedPolicy => &IAM_UNEXPECTED_POLICY,
            ChangeKind::LambdaFunction => &LAMBDA_FUNCTION,
            ChangeKind::LambdaFunctionCode => &LAMBDA_FUNCTION_CODE,
            ChangeKind::LambdaFunctionConfiguration => &LAMBDA_FUNCTION_CONFIGURATION,
            ChangeKind::LambdaFunctionTags => &LAMBDA_FUNCTION_TAGS,
            ChangeKind::S3BucketPolicy => &S3_BUCKET_POLICY,
            ChangeKind::KmsKeyPolicy => &KMS_KEY_POLICY,
            ChangeKind::PipelineAction => &PIPELINE_ACTION,
            ChangeKind::Pipeline => &PIPELINE,
        }
    }

    /// The rule of a hop.
    pub(super) fn of_hop(hop: HopId) -> &'static Self {
        let [zero, one, two, list, three, four, five] = &HOPS;
        match hop {
            HopId::Zero => zero,
            HopId::One => one,
            HopId::Two => two,
            HopId::TwoPrime => list,
            HopId::Three => three,
            HopId::Four => four,
            HopId::Five => five,
        }
    }

    /// The rule of a problem's or a chain finding's code.
    pub(super) fn of_code(code: &str) -> &'static Self {
        let found = CODES.binary_search_by(|rule| rule.id.cmp(code));
        found
            .ok()
            .and_then(|index| CODES.get(index))
            .unwrap_or(&OTHER)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn the_table_is_sorted_and_no_id_comes_twice() {
        assert!(CODES.is_sorted_by(|a, b| a.id < b.id));
        let fixed = [
            &IAM_ROLE,
            &IAM_TRUST_POLICY,
            &IAM_ROLE_TAGS,
            &IAM_PERMISSIONS_BOUNDARY,
            &IAM_INLINE_POLICY,
            &IAM_UNEXPECTED_POLICY,
            &LAMBDA_FUNCTION,
            &LAMBDA_FUNCTION_CODE,
            &LAMBDA_FUNCTION_CONFIGURATION,
            &LAMBDA_FUNCTION_TAGS,
            &S3_BUCKET_POLICY,
            &KMS_KEY_POLICY,
            &PIPELINE_ACTION,
            &PIPELINE,
            &OTHER,
        ];
        for rule in fixed.into_iter().chain(&HOPS) {
            assert!(CODES.iter().all(|code| code.id != rule.id), "{}", rule.id);
        }
    }

    #[test]
    fn a_code_is_found_and_an_unknown_one_is_told_as_such() {
        for rule in CODES {
            assert_eq!(Rule::of_code(rule.id), rule);
        }
        assert_eq!(Rule::of_code("no_such_code"), &OTHER);
    }

    /// Words of that form that are no codes: keys of documents, flags of the manifest.
    const NO_CODES: &[&str] = &[
        "memory_mb",
        "permissions_boundary",
        "stands_after",
        "timeout_seconds",
        "trust_policy",
    ];

    /// Every `snake_case` string of the modules that make problems has its line, so that no finding comes without help.
    #[test]
    fn every_code_of_the_program_has_a_rule() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files: Vec<PathBuf> = vec![root.join("apply.rs")];
        for folder in ["plan", "verify", "model/pipeline"] {
            let entries = fs::read_dir(root.join(folder)).into_iter().flatten();
            files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        }
        let mut codes = Vec::new();
        for file in files.iter().filter(|file| file.is_file()) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            if !name.contains("tests") {
                let text = fs::read_to_string(file).unwrap_or_default();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                codes.extend(snake_case(code));
            }
        }
        assert!(codes.len() > 40, "the codes were found: {codes:?}");
        codes.retain(|code| !NO_CODES.contains(&code.as_str()));
        codes.retain(|code| Rule::of_code(code) == &OTHER);
        assert_eq!(codes, Vec::<String>::new(), "codes without a rule");
    }

    /// The string literals of at least two lower-case words joined by `_`.
    fn snake_case(code: &str) -> Vec<String> {
        let literals = code.split('"');
        let is_code = |text: &&str| {
            text.contains('_')
                && text
                    .split('_')
                    .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        };
        literals.filter(is_code).map(str::to_owned).collect()
    }
}
