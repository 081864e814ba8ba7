//! Which command makes which call on which kind of object: one table, from which all permissions follow.
//! It names no resource and builds no policy; a test holds it against every read and write there is.

/// The kind of object that a permission is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    /// The pipelines.
    Pipelines,
    /// These, and those of gates that may share an object with the run's: they are read only.
    SeenPipelines,
    /// The functions.
    Functions,
    /// Their versions and aliases.
    FunctionVersions,
    /// The invoke roles.
    InvokeRoles,
    /// Any role: what stands in a gate's place may name whichever.
    AnyRoles,
    /// Of the invoke roles those for which the manifest names a permissions boundary.
    BoundedInvokeRoles,
    /// Of the invoke roles those for which it names none.
    UnboundedInvokeRoles,
    /// The service roles of the pipelines.
    ServiceRoles,
    /// The functions that the manifest makes.
    MadeFunctions,
    /// These, and those of gates that may share an object with the run's: they are read only.
    SeenMadeFunctions,
    /// The execution roles of the functions.
    ExecutionRoles,
    /// Of these the ones that the manifest makes.
    MadeExecutionRoles,
    /// The ones that it names for functions that it makes.
    NamedExecutionRoles,
    /// Both: the roles that Lambda is handed for functions that the manifest makes.
    PassedExecutionRoles,
    /// The roles that UpdatePipeline hands to CodePipeline.
    PassedRoles,
    /// Managed policies: which ones are attached is not known before reading.
    ManagedPolicies,
    /// The functions' names, in any region: one that is missing may stand in another.
    FunctionsAnywhere,
    /// The buckets of artifacts of gates that have any: the manifest does not say which these are.
    ArtifactBuckets,
    /// The keys of these.
    ArtifactKeys,
    /// Of the buckets those whose policies the manifest manages.
    ManagedBuckets,
    /// Of the keys likewise.
    ManagedKeys,
    /// The buckets of all gates' pipelines, whether they have artifacts or not: statements of ours may be left in their policies.
    SearchedBuckets,
    /// The keys of these.
    SearchedKeys,
    /// The functions' log groups.
    LogGroups,
    /// All pipelines of the account: lists of them are asked for as a whole.
    AllPipelines,
    /// All functions of the account, likewise.
    AllFunctions,
    /// Accounts as a whole: lists of what is in them.
    Accounts,
    /// All roles of the account, where the gates need so many that one list of them costs fewer calls.
    ManyRoles,
    /// Any pipeline of the account.
    AnyPipelines,
    /// Any function of the account.
    AnyFunctions,
    /// Any role of the account, whether gates use it or not: a former service or execution role.
    RolesOfAccount,
    /// Any role, handed to CodePipeline.
    AnyPassedRoles,
    /// The roles with the project's tag.
    OwnRoles,
    /// The functions with the project's tag.
    OwnFunctions,
    /// The organization, as the account sees it through which it is read.
    Organization,
    /// The organization, as the gates' accounts see it: whether they are in one.
    OwnOrganization,
}

impl On {
    /// The statement id.
    pub(super) fn sid(self) -> &'static str {
        match self {
            Self::SeenPipelines => "ReadPipelines",
            Self::Pipelines => "Pipelines",
            Self::Functions => "Functions",
            Self::FunctionVersions => "FunctionVersions",
            Self::InvokeRoles => "InvokeRoles",
            Self::AnyRoles => "AnyRoles",
            Self::BoundedInvokeRoles => "BoundedInvokeRoles",
            Self::UnboundedInvokeRoles => "UnboundedInvokeRoles",
            Self::ServiceRoles => "ServiceRoles",
            Self::MadeFunctions => "MadeFunctions",
            Self::SeenMadeFunctions => "ReadMadeFunctions",
            Self::ExecutionRoles => "ExecutionRoles",
            Self::MadeExecutionRoles => "MadeExecutionRoles",
            Self::NamedExecutionRoles => "NamedExecutionRoles",
            Self::PassedExecutionRoles => "PassedExecutionRoles",
            Self::PassedRoles => "PassedRoles",
            Self::ManagedPolicies => "ManagedPolicies",
            Self::FunctionsAnywhere => "FunctionsAnywhere",
            Self::ArtifactBuckets => "ArtifactBuckets",
            Self::ArtifactKeys => "ArtifactKeys",
            Self::ManagedBuckets => "ManagedBuckets",
            Self::ManagedKeys => "ManagedKeys",
            Self::SearchedBuckets => "SearchedBuckets",
            Self::SearchedKeys => "SearchedKeys",
            Self::LogGroups => "LogGroups",
            Self::AllPipelines => "ListPipelines",
            Self::AllFunctions => "ListFunctions",
            Self::Accounts => "Accounts",
            Self::ManyRoles => "ListRoles",
            Self::AnyPipelines => "AnyPipelines",
            Self::AnyFunctions => "AnyFunctions",
            Self::RolesOfAccount => "RolesOfAccount",
            Self::AnyPassedRoles => "AnyPassedRoles",
            Self::OwnRoles => "OwnRoles",
            Self::OwnFunctions => "OwnFunctions",
            Self::Organization => "Organization",
            Self::OwnOrganization => "OwnOrganization",
        }
    }
}

/// The occasion on which a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A plan is made, of whatever.
    Plan,
    /// A plan puts policies, and how full their roles are is counted first: every plan but that of a whole teardown.
    Put,
    /// Gates are put there.
    Bootstrap,
    /// Gates are taken away.
    Teardown,
    /// Some gates are taken away, others stay and may share objects with them.
    PartialTeardown,
    /// `--remove-unexpected`.
    RemoveUnexpected,
    /// `--remove-unexpected` of a bootstrap: a role that is to go keeps its boundary to the end.
    RemoveBoundary,
    /// `--remove-unexpected` of a teardown: a role that is to go must be empty.
    RemoveWithRole,
    /// `--adopt`.
    Adopt,
    /// `verify --simulate`.
    Simulate,
    /// `verify --organizations`.
    Organizations,
    /// The hops are proven.
    Verify,
    /// A pipeline is started and followed.
    Run,
    /// A gate that does not work is looked at.
    Diagnose,
    /// A manifest is written from what is there.
    Init,
    /// `check --orphans` and `prune`: the manifest's accounts are searched.
    Orphans,
    /// What is left behind is removed.
    Prune,
    /// A saved pipeline document is put back.
    Restore,
    /// `--remove-unexpected` of a prune.
    RemoveLeft,
}

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    /// The IAM action.
    pub(super) action: &'static str,
    /// On what.
    pub(super) on: On,
    /// On which occasions; one is enough.
    pub(super) when: &'static [When],
}

const fn need(action: &'static str, on: On, when: &'static [When]) -> Need {
    Need { action, on, when }
}

/// All permissions. `CreateRole` with tags asks for TagRole as well, `UpdatePipeline` for PassRole on the pipeline's role
/// (api: CreateRole; guide: security_iam_troubleshoot).
pub(super) const NEEDS: &[Need] = {
    use On::{
        Accounts, AllFunctions, AllPipelines, AnyFunctions, AnyPassedRoles, AnyPipelines, AnyRoles,
        ArtifactBuckets, ArtifactKeys, BoundedInvokeRoles, ExecutionRoles, FunctionVersions,
        Functions, FunctionsAnywhere, InvokeRoles, LogGroups, MadeExecutionRoles, MadeFunctions,
        ManagedBuckets, ManagedKeys, ManagedPolicies, ManyRoles, NamedExecutionRoles, Organization,
        OwnFunctions, OwnOrganization, OwnRoles, PassedExecutionRoles, PassedRoles, Pipelines,
        RolesOfAccount, SearchedBuckets, SearchedKeys, SeenMadeFunctions, SeenPipelines,
        ServiceRoles, UnboundedInvokeRoles,
    };
    use When::{
        Adopt, Bootstrap, Diagnose, Init, Organizations, Orphans, PartialTeardown, Plan, Prune,
        Put, RemoveBoundary, RemoveLeft, RemoveUnexpected, RemoveWithRole, Restore, Run, Simulate,
        Teardown, Verify,
    };
    &[
        // Reads of a plan.
        need("codepipeline:GetPipeline", SeenPipelines, &[Plan, Init]),
        need(
            "lambda:GetFunctionConfiguration",
            Functions,
            &[Plan, Verify, Init],
        ),
        need("iam:GetRole", InvokeRoles, &[Plan, Verify]),
        need("iam:ListRolePolicies", InvokeRoles, &[Plan, Verify]),
        need("iam:ListAttachedRolePolicies", InvokeRoles, &[Plan, Verify]),
        need("iam:GetRolePolicy", InvokeRoles, &[Plan, Verify]),
        need("iam:GetRolePolicy", ServiceRoles, &[Plan, Verify]),
        need("iam:GetRolePolicy", ExecutionRoles, &[Plan, Verify]),
        need("iam:ListRolePolicies", ServiceRoles, &[Put, Verify]),
        need("iam:ListRolePolicies", ExecutionRoles, &[Put, Verify]),
        // Functions that the manifest makes: GetFunction says their tags to whoever may list them.
        need("lambda:GetFunction", SeenMadeFunctions, &[Plan]),
        need("lambda:ListTags", SeenMadeFunctions, &[Plan]),
        need("iam:GetRole", MadeExecutionRoles, &[Plan]),
        need("iam:GetRole", NamedExecutionRoles, &[Put]),
        need("iam:ListRolePolicies", MadeExecutionRoles, &[Teardown]),
        need(
            "iam:ListAttachedRolePolicies",
            MadeExecutionRoles,
            &[Teardown],
        ),
        // Reads of a proof beyond those.
        need(
            "codepipeline:GetPipeline",
            Pipelines,
            &[Verify, Run, Restore],
        ),
        need("iam:GetRole", ServiceRoles, &[Verify]),
        need("iam:GetRole", ExecutionRoles, &[Verify]),
        need("iam:ListAttachedRolePolicies", ServiceRoles, &[Verify]),
        need("iam:ListAttachedRolePolicies", ExecutionRoles, &[Verify]),
        need("iam:GetPolicy", ManagedPolicies, &[Verify]),
        need("iam:GetPolicyVersion", ManagedPolicies, &[Verify]),
        need("lambda:GetPolicy", Functions, &[Verify]),
        need("lambda:GetFunctionConcurrency", Functions, &[Verify]),
        need(
            "lambda:GetFunctionConfiguration",
            FunctionVersions,
            &[Verify],
        ),
        need("lambda:GetPolicy", FunctionVersions, &[Verify]),
        need("iam:SimulatePrincipalPolicy", InvokeRoles, &[Simulate]),
        need("iam:SimulatePrincipalPolicy", ServiceRoles, &[Simulate]),
        need("iam:SimulatePrincipalPolicy", ExecutionRoles, &[Simulate]),
        need(
            "organizations:DescribeOrganization",
            Organization,
            &[Organizations],
        ),
        need(
            "organizations:DescribeOrganization",
            OwnOrganization,
            &[Organizations],
        ),
        need("organizations:ListParents", Organization, &[Organizations]),
        need(
            "organizations:ListPoliciesForTarget",
            Organization,
            &[Organizations],
        ),
        need(
            "organizations:DescribePolicy",
            Organization,
            &[Organizations],
        ),
        // Many roles cost fewer calls as a list; a run without this permission asks for each.
        need(
            "iam:GetAccountAuthorizationDetails",
            ManyRoles,
            &[Plan, Verify],
        ),
        // What is left behind may be anywhere in the manifest's accounts.
        need("iam:GetAccountAuthorizationDetails", Accounts, &[Orphans]),
        need("codepipeline:ListPipelines", Accounts, &[Orphans]),
        need("lambda:ListFunctions", Accounts, &[Orphans]),
        need("codepipeline:GetPipeline", AnyPipelines, &[Orphans]),
        need("lambda:GetFunctionConfiguration", AnyFunctions, &[Orphans]),
        need("lambda:GetFunction", AnyFunctions, &[Orphans]),
        need("lambda:ListTags", AnyFunctions, &[Orphans]),
        need("s3:GetBucketPolicy", SearchedBuckets, &[Orphans]),
        need("kms:GetKeyPolicy", SearchedKeys, &[Orphans]),
        // What the policies of artifact buckets and keys let the invoke roles do.
        need("s3:GetBucketPolicy", ArtifactBuckets, &[Plan, Verify]),
        need("kms:GetKeyPolicy", ArtifactKeys, &[Plan, Verify]),
        need("codepipeline:ListPipelines", AllPipelines, &[Init]),
        need("lambda:ListFunctions", AllFunctions, &[Init]),
        // Whose an action is that is to be adopted.
        need("iam:GetRole", AnyRoles, &[Adopt]),
        // Writes.
        need("iam:CreateRole", InvokeRoles, &[Bootstrap]),
        need("iam:TagRole", InvokeRoles, &[Bootstrap]),
        need("iam:UntagRole", InvokeRoles, &[Teardown]),
        need(
            "iam:UpdateAssumeRolePolicy",
            InvokeRoles,
            &[Bootstrap, Teardown],
        ),
        need(
            "iam:PutRolePermissionsBoundary",
            BoundedInvokeRoles,
            &[Bootstrap],
        ),
        need(
            "iam:DeleteRolePermissionsBoundary",
            UnboundedInvokeRoles,
            &[RemoveBoundary],
        ),
        need(
            "iam:PutRolePolicy",
            InvokeRoles,
            &[Bootstrap, PartialTeardown],
        ),
        need(
            "iam:PutRolePolicy",
            ServiceRoles,
            &[Bootstrap, PartialTeardown, Prune],
        ),
        need("iam:PutRolePolicy", ExecutionRoles, &[Bootstrap]),
        need(
            "iam:DeleteRolePolicy",
            InvokeRoles,
            &[Teardown, RemoveUnexpected],
        ),
        need("iam:DeleteRolePolicy", ServiceRoles, &[Teardown]),
        need("iam:DeleteRolePolicy", ExecutionRoles, &[Teardown]),
        need("iam:DetachRolePolicy", InvokeRoles, &[RemoveUnexpected]),
        need("iam:DeleteRole", InvokeRoles, &[Teardown]),
        need(
            "codepipeline:UpdatePipeline",
            Pipelines,
            &[Bootstrap, Teardown, Restore],
        ),
        need("iam:PassRole", PassedRoles, &[Bootstrap, Teardown, Restore]),
        // CreateFunction with tags asks for TagResource as well; a function is handed its role (api: CreateFunction).
        need("lambda:CreateFunction", MadeFunctions, &[Bootstrap]),
        need("lambda:UpdateFunctionCode", MadeFunctions, &[Bootstrap]),
        need(
            "lambda:UpdateFunctionConfiguration",
            MadeFunctions,
            &[Bootstrap],
        ),
        need("lambda:TagResource", MadeFunctions, &[Bootstrap]),
        need("lambda:DeleteFunction", MadeFunctions, &[Teardown]),
        need("iam:PassRole", PassedExecutionRoles, &[Bootstrap]),
        need("iam:CreateRole", MadeExecutionRoles, &[Bootstrap]),
        need("iam:TagRole", MadeExecutionRoles, &[Bootstrap]),
        need(
            "iam:UpdateAssumeRolePolicy",
            MadeExecutionRoles,
            &[Bootstrap],
        ),
        need("iam:PutRolePolicy", MadeExecutionRoles, &[PartialTeardown]),
        need(
            "iam:DetachRolePolicy",
            MadeExecutionRoles,
            &[RemoveWithRole],
        ),
        need("iam:DeleteRole", MadeExecutionRoles, &[Teardown]),
        // What is left behind: roles and functions by their tag, our policies on others, which IAM cannot tell by name.
        need("codepipeline:UpdatePipeline", AnyPipelines, &[Prune]),
        need("iam:PassRole", AnyPassedRoles, &[Prune]),
        need("iam:PutRolePolicy", OwnRoles, &[Prune]),
        need("iam:DeleteRolePolicy", RolesOfAccount, &[Prune]),
        need("iam:UpdateAssumeRolePolicy", OwnRoles, &[Prune]),
        need("iam:UntagRole", OwnRoles, &[Prune]),
        need("iam:DeleteRole", OwnRoles, &[Prune]),
        need("iam:DetachRolePolicy", OwnRoles, &[RemoveLeft]),
        need("lambda:DeleteFunction", OwnFunctions, &[Prune]),
        need("s3:PutBucketPolicy", ManagedBuckets, &[Bootstrap, Teardown]),
        need("s3:DeleteBucketPolicy", ManagedBuckets, &[Teardown]),
        need("kms:PutKeyPolicy", ManagedKeys, &[Bootstrap, Teardown]),
        need("s3:PutBucketPolicy", SearchedBuckets, &[Prune]),
        need("s3:DeleteBucketPolicy", SearchedBuckets, &[Prune]),
        need("kms:PutKeyPolicy", SearchedKeys, &[Prune]),
        // A run that is started and followed.
        need("codepipeline:StartPipelineExecution", Pipelines, &[Run]),
        need("codepipeline:GetPipelineExecution", Pipelines, &[Run]),
        need(
            "codepipeline:ListActionExecutions",
            Pipelines,
            &[Run, Diagnose],
        ),
        need("codepipeline:StopPipelineExecution", Pipelines, &[Run]),
        // What a gate that does not work is asked about, beyond a plan and a proof.
        need("codepipeline:GetPipelineState", Pipelines, &[Diagnose]),
        need(
            "codepipeline:ListPipelineExecutions",
            Pipelines,
            &[Diagnose],
        ),
        need(
            "lambda:GetFunctionEventInvokeConfig",
            Functions,
            &[Diagnose],
        ),
        need(
            "lambda:GetFunctionEventInvokeConfig",
            FunctionVersions,
            &[Diagnose],
        ),
        need(
            "lambda:GetFunctionConfiguration",
            FunctionsAnywhere,
            &[Diagnose],
        ),
        need("logs:FilterLogEvents", LogGroups, &[Diagnose]),
    ]
};
