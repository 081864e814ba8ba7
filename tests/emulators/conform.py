"""Asks the same of an endpoint as of another, and prints the shape of each answer as JSON: what the sandbox is held against.

Usage: conform.py ENDPOINT ACCOUNT
"""

import io
import json
import sys
import zipfile

import boto3
from botocore.exceptions import ClientError

endpoint, account = sys.argv[1:3]
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


def ask(name, call, **arguments):
    try:
        seen[name] = shape(call(**arguments))
    except ClientError as error:
        seen[name] = [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]


def allow(action, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


iam, functions = client("iam"), client("lambda")
trust = allow("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
role, document = f"arn:aws:iam::{account}:role/conform", allow("s3:GetObject", Resource="*")
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
ask("DeleteRolePolicy", iam.delete_role_policy, RoleName="conform", PolicyName="p")
ask("DeleteRole", iam.delete_role, RoleName="conform")
ask("DeletePolicy", iam.delete_policy, PolicyArn=policy)
print(json.dumps(seen))
