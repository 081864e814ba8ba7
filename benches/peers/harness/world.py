"""The two accounts as they are before any gate, what a gate must be in them, and what somebody else may break.

Speaks to the emulator itself, beside the proxy, so that none of this is counted. It judges every contestant by the same
measure: `problems` reads what is there, and names whatever is not as a gate must be.
"""

import contextlib
import io
import json
import zipfile
from functools import partial

import boto3
import botocore.config
import botocore.exceptions

TOOLS, DEV, REGION, PROJECT = "111111111111", "222222222222", "us-east-1", "peers"
GATES_PER_PIPELINE = 10
STAGE, AFTER = "Gates", "Deploy"


def gate(number):
    """Gate 1, 2, …: a function of its own with a role of its own, ten gates to a pipeline."""
    pipeline = f"release-{(number - 1) // GATES_PER_PIPELINE + 1}"
    name = f"gate-{number:02}"
    return {
        "name": name,
        "pipeline": pipeline,
        "stage": STAGE,
        "action": name,
        "after": AFTER,
        "function": name,
        "invoke_role": f"crossgate-{PROJECT}-{name}",
    }


def task(gates):
    """The work, as the scripts get it: what a manifest of crossgate says, in JSON."""
    return {
        "project": PROJECT,
        "region": REGION,
        "accounts": {"tools": {"id": TOOLS, "profile": "tools"}, "dev": {"id": DEV, "profile": "dev"}},
        "gates": [gate(number + 1) for number in range(gates)],
    }


def manifest(gates):
    """The same work as crossgate.toml."""
    text = f'project = "{PROJECT}"\n'
    for name, number in (("tools", TOOLS), ("dev", DEV)):
        text += f'\n[accounts.{name}]\nid = "{number}"\nprofile = "{name}"\n'
    for one in task(gates)["gates"]:
        text += f'\n[[gates]]\nname = "{one["name"]}"\n[gates.pipeline]\naccount = "tools"\nregion = "{REGION}"\n'
        text += "".join(
            f'{key} = "{one[of]}"\n'
            for key, of in (("name", "pipeline"), ("stage", "stage"), ("action", "action"), ("after", "after"))
        )
        text += f'[gates.function]\naccount = "dev"\nname = "{one["function"]}"\n'
    return text


def allow(action, **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]}


def canonical(value):
    """One spelling of a policy document or a part of it: lists sorted, a list of one as its element, no Sid."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items() if key != "Sid"}
    if isinstance(value, list):
        items = sorted((canonical(item) for item in value), key=partial(json.dumps, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return value


class World:
    def __init__(self, endpoint, credentials):
        """`credentials`: key, secret and token by account name."""
        self.credentials, self.before = credentials, {}
        config = botocore.config.Config(region_name=REGION, max_pool_connections=2, retries={"total_max_attempts": 3})

        def client(service, account):
            key, secret, token = credentials[account]
            return boto3.client(
                service,
                config=config,
                endpoint_url=endpoint,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
            )

        self.of_tools, self.of_dev = client("iam", "tools"), client("iam", "dev")
        self.functions, self.pipelines = client("lambda", "dev"), client("codepipeline", "tools")

    def seed(self, gates):
        """Functions, pipelines and their roles, each role with a policy that is nobody's business here."""
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.py", "def handler(event, context):\n    pass\n")
        for name in dict.fromkeys(one["pipeline"] for one in gates):
            role = self.role(
                self.of_tools, f"{name}-service", "codepipeline", allow("s3:GetObject", Resource="arn:aws:s3:::artifacts/*")
            )
            self.pipelines.create_pipeline(pipeline=pipeline(name, role))
            self.before[name] = self.pipelines.get_pipeline(name=name)["pipeline"]
        for one in gates:
            name = one["function"]
            role = self.role(self.of_dev, f"{name}-execution", "lambda", allow("logs:PutLogEvents", Resource="*"))
            self.functions.create_function(
                FunctionName=name, Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": code.getvalue()}
            )

    def role(self, iam, name, service, policy):
        trust = allow("sts:AssumeRole", Principal={"Service": f"{service}.amazonaws.com"})
        made = iam.create_role(RoleName=name, Path="/service-role/", AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        return made["Role"]["Arn"]

    def problems(self, gates, with_actions=True):
        """What is not as it must be, by name; nothing if all gates are wired, and nothing else was changed."""
        found = []
        for one in gates:
            found += self.problems_of_gate(one)
        for name in dict.fromkeys(one["pipeline"] for one in gates):
            there = [one for one in gates if one["pipeline"] == name]
            wanted = allow("sts:AssumeRole", Resource=[f"arn:aws:iam::{DEV}:role/{one['invoke_role']}" for one in there])
            found += self.policy(self.of_tools, f"{name}-service", f"crossgate-{PROJECT}-assume", wanted)
            if with_actions:
                found += self.problems_of_pipeline(name, there)
        return found

    def problems_of_gate(self, one):
        role, function = one["invoke_role"], f"arn:aws:lambda:{REGION}:{DEV}:function:{one['function']}"
        try:
            trust = self.of_dev.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        except self.of_dev.exceptions.NoSuchEntityException:
            return [f"{role}: no such role"]
        wanted = allow(
            "sts:AssumeRole",
            Principal={"AWS": f"arn:aws:iam::{TOOLS}:root"},
            Condition={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{TOOLS}:role/service-role/{one['pipeline']}-service"}},
        )
        found = [] if canonical(trust) == canonical(wanted) else [f"{role}: trust policy"]
        invoke = allow("lambda:InvokeFunction", Resource=[function, function + ":*"])
        invoke["Statement"] += allow("lambda:ListFunctions", Resource="*")["Statement"]
        found += self.policy(self.of_dev, role, f"crossgate-{PROJECT}-invoke", invoke)
        answer = allow(["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], Resource="*")
        return found + self.policy(self.of_dev, f"{one['function']}-execution", f"crossgate-{PROJECT}-callback", answer)

    def policy(self, iam, role, name, wanted):
        try:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        except iam.exceptions.NoSuchEntityException:
            return [f"{role}/{name}: no such policy"]
        return [] if canonical(document) == canonical(wanted) else [f"{role}/{name}: other content"]

    def problems_of_pipeline(self, name, gates):
        there = self.pipelines.get_pipeline(name=name)["pipeline"]
        wanted = json.loads(json.dumps(self.before[name])) | {"version": there["version"]}
        at = 1 + [stage["name"] for stage in wanted["stages"]].index(AFTER)
        wanted["stages"].insert(at, {"name": STAGE, "actions": [action(one) for one in gates]})
        same = canonical(plain(there)) == canonical(plain(wanted))
        return [] if same and names(there) == names(wanted) else [f"{name}: the pipeline"]

    def drift(self, kind, one):
        """What somebody else does to a wired gate; returns what takes it back."""
        service, assume = f"{one['pipeline']}-service", f"crossgate-{PROJECT}-assume"
        if kind == "grant removed":
            kept = self.of_tools.get_role_policy(RoleName=service, PolicyName=assume)["PolicyDocument"]
            self.of_tools.delete_role_policy(RoleName=service, PolicyName=assume)
            return lambda: self.of_tools.put_role_policy(RoleName=service, PolicyName=assume, PolicyDocument=json.dumps(kept))
        if kind == "trust edited":
            kept = self.of_dev.get_role(RoleName=one["invoke_role"])["Role"]["AssumeRolePolicyDocument"]
            opened = allow("sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{TOOLS}:root"})
            self.trust(one, opened)
            return lambda: self.trust(one, kept)
        if kind == "action edited":
            kept = self.pipelines.get_pipeline(name=one["pipeline"])["pipeline"]
            changed = json.loads(json.dumps(kept))
            for stage in changed["stages"]:
                for there in stage["actions"]:
                    if (stage["name"], there["name"]) == (one["stage"], one["action"]):
                        there["configuration"]["FunctionName"] = "another-function"
            self.pipelines.update_pipeline(pipeline=changed)
            return lambda: self.pipelines.update_pipeline(pipeline=kept)
        assert kind == "policy added", kind
        name = dict(RoleName=one["invoke_role"], PolicyName="somebody")
        self.of_dev.put_role_policy(**name, PolicyDocument=json.dumps(allow("s3:*", Resource="*")))

        def take_back():
            with contextlib.suppress(botocore.exceptions.ClientError):
                self.of_dev.delete_role_policy(**name)

        return take_back

    def trust(self, one, document):
        self.of_dev.update_assume_role_policy(RoleName=one["invoke_role"], PolicyDocument=json.dumps(document))


def names(structure):
    return [stage["name"] for stage in structure["stages"]]


def plain(structure):
    """Without the defaults that AWS may add to an action, and that a contestant may or may not write."""
    structure = json.loads(json.dumps(structure))
    for stage in structure["stages"]:
        for one in stage["actions"]:
            defaults = {"runOrder": 1, "inputArtifacts": [], "outputArtifacts": [], "region": REGION}
            for key, value in defaults.items():
                if one.get(key) == value:
                    del one[key]
    return structure


def action(one):
    """The gate's action, as each contestant has to write it."""
    return {
        "name": one["action"],
        "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
        "configuration": {"FunctionName": one["function"]},
        "roleArn": f"arn:aws:iam::{DEV}:role/{one['invoke_role']}",
    }


def pipeline(name, role):
    def one(name, category, provider, configuration, inputs, outputs):
        return {
            "name": name,
            "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
            "runOrder": 1,
            "configuration": configuration,
            "inputArtifacts": [{"name": artifact} for artifact in inputs],
            "outputArtifacts": [{"name": artifact} for artifact in outputs],
        }

    source = one(
        "Fetch", "Source", "S3", {"S3Bucket": "source", "S3ObjectKey": "app.zip", "PollForSourceChanges": "false"}, [], ["App"]
    )
    build = one("Compile", "Build", "CodeBuild", {"ProjectName": "compile"}, ["App"], ["Built"])
    deploy = one("Stage", "Deploy", "S3", {"BucketName": "stage", "Extract": "true"}, ["Built"], [])
    release = one("Release", "Deploy", "S3", {"BucketName": "release", "Extract": "true"}, ["Built"], [])
    stages = [("Source", source), ("Build", build), ("Deploy", deploy), ("Production", release)]
    return {
        "name": name,
        "roleArn": role,
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [{"name": stage, "actions": [one]} for stage, one in stages],
    }
