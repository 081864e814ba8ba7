"""Looks with boto3 at what crossgate has wired in the sample, runs it, breaks it: the eyes of somebody else.

Usage: look.py look|run|break, with AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE of the sandbox. Prints JSON.
"""

import json
import sys
import time

import boto3

tools, dev = boto3.Session(profile_name="tools"), boto3.Session(profile_name="dev")
pipelines, of_tools, of_dev = tools.client("codepipeline"), tools.client("iam"), dev.client("iam")


def inline(iam, role):
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"] for name in sorted(names)}


def look():
    structure = pipelines.get_pipeline(name="MyPipeline")["pipeline"]
    roles = [role["RoleName"] for role in of_dev.list_roles()["Roles"]]
    return {
        "stages": [stage["name"] for stage in structure["stages"]],
        "roles": sorted(roles),
        "callback": sorted(inline(of_dev, "function-execution-role")),
        "assume": sorted(inline(of_tools, "pipeline-service-role")),
        "actions": sorted(
            action
            for statements in (inline(of_dev, role) for role in roles if role.startswith("crossgate-"))
            for one in statements.values()
            for statement in one
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        ),
    }


def run():
    started = pipelines.start_pipeline_execution(name="MyPipeline")["pipelineExecutionId"]
    named = dict(pipelineName="MyPipeline", pipelineExecutionId=started)
    while (status := pipelines.get_pipeline_execution(**named)["pipelineExecution"]["status"]) == "InProgress":
        time.sleep(0.02)
    return status


def break_it():
    of_tools.delete_role_policy(RoleName="pipeline-service-role", PolicyName="crossgate-demo-assume")
    return run()


print(json.dumps({"look": look, "run": run, "break": break_it}[sys.argv[1]]()))
