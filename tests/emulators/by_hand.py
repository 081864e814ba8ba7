"""Wires the sample by boto3 alone, runs it, breaks it, mends it, and takes everything away: what crossgate must not be needed for.

Usage: by_hand.py, with AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE of the sandbox. Prints what the gate came to, as JSON.
"""

import json
import time

import boto3

TOOLS, DEV = "111111111111", "222222222222"
FUNCTION = f"arn:aws:lambda:us-east-1:{DEV}:function:MyFunction"
tools, dev = boto3.Session(profile_name="tools"), boto3.Session(profile_name="dev")
pipelines, of_tools, of_dev = tools.client("codepipeline"), tools.client("iam"), dev.client("iam")
said = []


def document(action, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]})


def gate():
    """Runs the pipeline to its end; adds its status, the gate's and the gate's error."""
    started = pipelines.start_pipeline_execution(name="MyPipeline")["pipelineExecutionId"]
    named = dict(pipelineName="MyPipeline", pipelineExecutionId=started)
    while (status := pipelines.get_pipeline_execution(**named)["pipelineExecution"]["status"]) == "InProgress":
        time.sleep(0.02)
    listed = pipelines.list_action_executions(pipelineName="MyPipeline", filter={"pipelineExecutionId": started})
    run = next(one for one in listed["actionExecutionDetails"] if one["actionName"] == "Validate")
    error = run["output"]["executionResult"].get("errorDetails", {})
    said.append([status, run["status"], error.get("message", "")])


def structure():
    return pipelines.get_pipeline(name="MyPipeline")["pipeline"]


before = structure()
trust = document(
    "sts:AssumeRole",
    Principal={"AWS": f"arn:aws:iam::{TOOLS}:root"},
    Condition={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{TOOLS}:role/pipeline-service-role"}},
)
role = of_dev.create_role(RoleName="by-hand", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
invoke = document("lambda:InvokeFunction", Resource=[FUNCTION, FUNCTION + ":*"])
of_dev.put_role_policy(RoleName="by-hand", PolicyName="invoke", PolicyDocument=invoke)
of_dev.put_role_policy(RoleName="by-hand", PolicyName="list", PolicyDocument=document("lambda:ListFunctions", Resource="*"))
answer = document(["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], Resource="*")
of_dev.put_role_policy(RoleName="function-execution-role", PolicyName="answer", PolicyDocument=answer)
assume = document("sts:AssumeRole", Resource=role)
of_tools.put_role_policy(RoleName="pipeline-service-role", PolicyName="assume", PolicyDocument=assume)
wired = structure()
action = {
    "name": "Validate",
    "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
    "configuration": {"FunctionName": "MyFunction"},
    "roleArn": role,
}
wired["stages"].insert(2, {"name": "Gate", "actions": [action]})
given = pipelines.update_pipeline(pipeline=wired)["pipeline"]
assert given["version"] == before["version"] + 1
gate()

of_dev.update_assume_role_policy(RoleName="by-hand", PolicyDocument=trust.replace("pipeline-service-role", "another-role"))
gate()
of_dev.update_assume_role_policy(RoleName="by-hand", PolicyDocument=trust)
of_dev.delete_role_policy(RoleName="function-execution-role", PolicyName="answer")
gate()
of_dev.put_role_policy(RoleName="function-execution-role", PolicyName="answer", PolicyDocument=answer)
gate()

pipelines.update_pipeline(pipeline=before)
for policy in of_dev.list_role_policies(RoleName="by-hand")["PolicyNames"]:
    of_dev.delete_role_policy(RoleName="by-hand", PolicyName=policy)
of_dev.delete_role(RoleName="by-hand")
of_dev.delete_role_policy(RoleName="function-execution-role", PolicyName="answer")
of_tools.delete_role_policy(RoleName="pipeline-service-role", PolicyName="assume")
print(json.dumps(said))
