"""Asks the same of an endpoint as of another, and prints the shape of each answer as JSON: what the sandbox is held against.

Usage: conform.py ENDPOINT ACCOUNT SERVICE..., with `lambda` and `codepipeline` as services; IAM and STS are always asked.
"""

import io
import json
import sys
import zipfile

import boto3
from botocore.exceptions import ClientError

endpoint, account, *services = sys.argv[1:]
seen = {}


def client(service):
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=account, aws_secret_access_key="test"
    )


def shape(value, at=""):
    if isinstance(value, dict):
        return sorted({path for key, item in value.items() if key != "ResponseMetadata" for path in shape(item, f"{at}.{key}")})
    if isinstance(value, list):
        return sorted({path for item in value for path in shape(item, at + "[]")}) or [at + "[]"]
    return [at.lstrip(".") + ":" + type(value).__name__]


def ask(name, call, /, **arguments):
    try:
        seen[name] = shape(call(**arguments))
    except ClientError as error:
        seen[name] = [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]


def allow(action, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


iam = client("iam")
trust = allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
role, document = f"arn:aws:iam::{account}:role/conform", allow("s3:GetObject", Resource="*")


def ask_lambda():
    functions = client("lambda")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("index.py", "def handler(event, context):\n    return 1\n")
    code = {"ZipFile": archive.getvalue()}
    ask("CreateFunction", functions.create_function, FunctionName="f", Runtime="python3.12", Role=role, Handler="index.handler", Code=code)
    ask("CreateFunction again", functions.create_function, FunctionName="f", Runtime="python3.12", Role=role, Handler="index.handler", Code=code)
    ask("GetFunctionConfiguration", functions.get_function_configuration, FunctionName="f")
    ask("GetFunctionConfiguration none", functions.get_function_configuration, FunctionName="none")
    ask("GetPolicy of a function none", functions.get_policy, FunctionName="f")
    ask("GetFunctionConcurrency", functions.get_function_concurrency, FunctionName="f")
    ask("DeleteFunction", functions.delete_function, FunctionName="f")


def ask_codepipeline():
    iam.create_role(RoleName="conform-service", AssumeRolePolicyDocument=trust.replace("lambda.", "codepipeline."))
    pipelines = client("codepipeline")

    def action(name, category, provider, configuration, **more):
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": name, "actionTypeId": kind, "configuration": configuration, **more}

    source = {"S3Bucket": "conform", "S3ObjectKey": "app.zip"}
    deploy = {"BucketName": "conform", "Extract": "true"}
    structure = {
        "name": "conform",
        "roleArn": f"arn:aws:iam::{account}:role/conform-service",
        "artifactStore": {"type": "S3", "location": "conform-artifacts"},
        "stages": [
            {"name": "Source", "actions": [action("Fetch", "Source", "S3", source, outputArtifacts=[{"name": "App"}])]},
            {"name": "Deploy", "actions": [action("Copy", "Deploy", "S3", deploy, inputArtifacts=[{"name": "App"}])]},
        ],
    }
    tags = [{"key": "a", "value": "b"}]
    ask("CreatePipeline", pipelines.create_pipeline, pipeline=structure, tags=tags)
    ask("CreatePipeline again", pipelines.create_pipeline, pipeline=structure)
    ask("GetPipeline", pipelines.get_pipeline, name="conform")
    ask("GetPipeline none", pipelines.get_pipeline, name="none")
    arn = f"arn:aws:codepipeline:us-east-1:{account}:conform"
    ask("ListTagsForResource", pipelines.list_tags_for_resource, resourceArn=arn)
    ask("ListTagsForResource none", pipelines.list_tags_for_resource, resourceArn=arn + "none")
    ask("TagResource", pipelines.tag_resource, resourceArn=arn, tags=tags)
    ask("UntagResource", pipelines.untag_resource, resourceArn=arn, tagKeys=["a"])
    read = pipelines.get_pipeline(name="conform")["pipeline"]
    gate = action("Run", "Invoke", "Lambda", {"FunctionName": "f"})
    changed = {**read, "stages": [*read["stages"], {"name": "Gate", "actions": [gate]}]}
    ask("UpdatePipeline", pipelines.update_pipeline, pipeline=changed)
    ask("GetPipeline updated", pipelines.get_pipeline, name="conform")
    ask("UpdatePipeline none", pipelines.update_pipeline, pipeline={**changed, "name": "none"})
    ask("UpdatePipeline of one stage", pipelines.update_pipeline, pipeline={**read, "stages": read["stages"][:1]})
    ask("ListPipelines", pipelines.list_pipelines)
    ask("DeletePipeline", pipelines.delete_pipeline, name="conform")
    iam.delete_role(RoleName="conform-service")


ask("GetCallerIdentity", client("sts").get_caller_identity)
ask("CreateRole", iam.create_role, RoleName="conform", AssumeRolePolicyDocument=trust, Tags=[{"Key": "a", "Value": "b"}])
ask("CreateRole again", iam.create_role, RoleName="conform", AssumeRolePolicyDocument=trust)
ask("GetRole", iam.get_role, RoleName="conform")
ask("GetRole none", iam.get_role, RoleName="none")
ask("ListRoleTags", iam.list_role_tags, RoleName="conform")
ask("PutRolePolicy", iam.put_role_policy, RoleName="conform", PolicyName="p", PolicyDocument=document)
ask("GetRolePolicy", iam.get_role_policy, RoleName="conform", PolicyName="p")
ask("GetRolePolicy none", iam.get_role_policy, RoleName="conform", PolicyName="none")
ask("ListRolePolicies", iam.list_role_policies, RoleName="conform")
ask("ListRolePolicies none", iam.list_role_policies, RoleName="none")
ask("CreatePolicy", iam.create_policy, PolicyName="m", PolicyDocument=document)
policy = f"arn:aws:iam::{account}:policy/m"
ask("GetPolicy", iam.get_policy, PolicyArn=policy)
ask("GetPolicyVersion", iam.get_policy_version, PolicyArn=policy, VersionId="v1")
ask("GetPolicy none", iam.get_policy, PolicyArn=policy + "none")
ask("AttachRolePolicy", iam.attach_role_policy, RoleName="conform", PolicyArn=policy)
ask("ListAttachedRolePolicies", iam.list_attached_role_policies, RoleName="conform")
ask("DeleteRole in use", iam.delete_role, RoleName="conform")
ask("DetachRolePolicy", iam.detach_role_policy, RoleName="conform", PolicyArn=policy)
ask("DetachRolePolicy again", iam.detach_role_policy, RoleName="conform", PolicyArn=policy)
ask("DeleteRolePolicy none", iam.delete_role_policy, RoleName="conform", PolicyName="none")
if "lambda" in services:
    ask_lambda()
if "codepipeline" in services:
    ask_codepipeline()
ask("DeleteRolePolicy", iam.delete_role_policy, RoleName="conform", PolicyName="p")
ask("DeleteRole", iam.delete_role, RoleName="conform")
ask("DeletePolicy", iam.delete_policy, PolicyArn=policy)
print(json.dumps(seen))
