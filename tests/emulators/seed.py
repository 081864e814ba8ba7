#!/usr/bin/env python3
"""Two accounts as a team would have them before it hears of crossgate, for `./try`.

`seed.py seed MINISTACK MOTO` makes a pipeline in 111111111111 and a function in 222222222222.
`seed.py change MINISTACK MOTO` does what a colleague might: deletes a policy, and points the pipeline at another function.
Speaks only to the two loopback ports it is given.
"""

import io
import json
import sys
import zipfile

import boto3

TOOLS, DEV, REGION = "111111111111", "222222222222", "us-east-1"
SERVICE_ROLE, EXECUTION_ROLE = "AWSCodePipelineServiceRole-MyPipeline", "MyFunction-role-x1"
HANDLER = """\
import boto3

def handler(event, context):
    job = event["CodePipeline.job"]["id"]
    boto3.client("codepipeline").put_job_success_result(jobId=job)
"""


def client(service, port, account):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key="test",
    )


def trust(service):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(iam, name, service):
    iam.create_role(RoleName=name, Path="/service-role/", AssumeRolePolicyDocument=trust(service))


def action(name, category, provider, configuration, inputs, outputs):
    return {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "runOrder": 1,
        "configuration": configuration,
        "inputArtifacts": [{"name": artifact} for artifact in inputs],
        "outputArtifacts": [{"name": artifact} for artifact in outputs],
    }


def pipeline():
    source = action("Fetch", "Source", "S3", {"S3Bucket": "source", "S3ObjectKey": "app.zip"}, [], ["App"])
    build = action("Compile", "Build", "CodeBuild", {"ProjectName": "compile"}, ["App"], ["Built"])
    deploy = action("Release", "Deploy", "S3", {"BucketName": "release", "Extract": "true"}, ["Built"], [])
    return {
        "name": "MyPipeline",
        "roleArn": f"arn:aws:iam::{TOOLS}:role/service-role/{SERVICE_ROLE}",
        "artifactStore": {"type": "S3", "location": "artifacts-of-tools"},
        "stages": [
            {"name": "Source", "actions": [source]},
            {"name": "Build", "actions": [build]},
            {"name": "Deploy", "actions": [deploy]},
        ],
    }


def seed(ministack, moto):
    # moto makes a pipeline only where its own IAM has the service role.
    for port in (ministack, moto):
        role(client("iam", port, TOOLS), SERVICE_ROLE, "codepipeline.amazonaws.com")
    role(client("iam", ministack, DEV), EXECUTION_ROLE, "lambda.amazonaws.com")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", HANDLER)
    client("lambda", ministack, DEV).create_function(
        FunctionName="MyFunction",
        Runtime="python3.12",
        Handler="index.handler",
        Role=f"arn:aws:iam::{DEV}:role/service-role/{EXECUTION_ROLE}",
        Code={"ZipFile": code.getvalue()},
    )
    client("codepipeline", moto, TOOLS).create_pipeline(pipeline=pipeline())


def change(ministack, moto):
    iam = client("iam", ministack, DEV)
    iam.delete_role_policy(RoleName=EXECUTION_ROLE, PolicyName="crossgate-checkout-callback")
    codepipeline = client("codepipeline", moto, TOOLS)
    structure = codepipeline.get_pipeline(name="MyPipeline")["pipeline"]
    structure["stages"][-1]["actions"][0]["configuration"]["FunctionName"] = "AnotherFunction"
    codepipeline.update_pipeline(pipeline=structure)


if __name__ == "__main__":
    {"seed": seed, "change": change}[sys.argv[1]](*map(int, sys.argv[2:4]))
