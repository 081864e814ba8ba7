"""Puts the gates of a JSON file into two AWS accounts, or with --check says what is not as the file wants it.

Usage: gates.py FILE [--check] [--workers N]. Exit status: 0 in sync or done, 1 failed, 3 drift. Reads before it writes; writes only
what differs; refuses credentials of another account.
"""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import boto3
from botocore.config import Config


class Wiring:
    def __init__(self, task, check, workers):
        self.task, self.check, self.changes = task, check, []
        self.map = ThreadPoolExecutor(workers).map if workers > 1 else map
        config = Config(max_pool_connections=max(workers, 1), retries={"mode": "standard"})
        self.sessions = {
            name: boto3.Session(profile_name=account["profile"], region_name=task["region"])
            for name, account in task["accounts"].items()
        }
        self.of_tools = self.sessions["tools"].client("iam", config=config)
        self.of_dev = self.sessions["dev"].client("iam", config=config)
        self.functions = self.sessions["dev"].client("lambda", config=config)
        self.pipelines = self.sessions["tools"].client("codepipeline", config=config)
        self.sts = {name: session.client("sts", config=config) for name, session in self.sessions.items()}

    def all(self, *calls):
        """Makes the calls, side by side if there are workers; the first failure is raised."""
        return list(self.map(lambda call: call(), calls))

    def run(self):
        gates, pipelines = self.task["gates"], sorted({gate["pipeline"] for gate in self.task["gates"]})
        self.documents, self.execution_roles = {}, {}
        self.all(
            *(partial(self.guard, name) for name in self.task["accounts"]),
            *(partial(self.read_pipeline, name) for name in pipelines),
            *(partial(self.read_function, gate["function"]) for gate in gates),
        )
        self.all(
            *(partial(self.invoke_role, gate) for gate in gates),
            *(partial(self.callback_policy, gate) for gate in gates),
            *(partial(self.assume_grant, name) for name in pipelines),
        )
        self.all(*(partial(self.invoke_policy, gate) for gate in gates))
        # A pipeline must never name a role that is not ready, so the actions come last.
        self.all(*(partial(self.actions, name) for name in pipelines))
        return self.changes

    def guard(self, name):
        account = self.sts[name].get_caller_identity()["Account"]
        if account != (wanted := self.task["accounts"][name]["id"]):
            sys.exit(f"profile {self.task['accounts'][name]['profile']} is for account {account}, not {wanted}")

    def read_pipeline(self, name):
        self.documents[name] = self.pipelines.get_pipeline(name=name)["pipeline"]

    def read_function(self, name):
        role = self.functions.get_function_configuration(FunctionName=name)["Role"]
        self.execution_roles[name] = role.rpartition("/")[2]

    def invoke_policy(self, gate):
        arn = f"arn:aws:lambda:{self.task['region']}:{self.task['accounts']['dev']['id']}:function:{gate['function']}"
        invoke = [allow("lambda:InvokeFunction", Resource=[arn, f"{arn}:*"]), allow("lambda:ListFunctions", Resource="*")]
        self.policy(self.of_dev, gate["invoke_role"], "invoke", invoke)

    def callback_policy(self, gate):
        answer = allow(["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], Resource="*")
        self.policy(self.of_dev, self.execution_roles[gate["function"]], "callback", [answer])

    def invoke_role(self, gate):
        name, service_role = gate["invoke_role"], self.documents[gate["pipeline"]]["roleArn"]
        tools = self.task["accounts"]["tools"]["id"]
        trust = document(
            allow(
                "sts:AssumeRole",
                Principal={"AWS": f"arn:aws:iam::{tools}:root"},
                Condition={"ArnEquals": {"aws:PrincipalArn": service_role}},
            )
        )
        try:
            there = self.of_dev.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        except self.of_dev.exceptions.NoSuchEntityException:
            tags = [{"Key": "project", "Value": self.task["project"]}]
            arguments = dict(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=tags)
            self.change(f"role {name} is missing", self.of_dev.create_role, **arguments)
            return
        if canonical(there) != canonical(trust):
            arguments = dict(RoleName=name, PolicyDocument=json.dumps(trust))
            self.change(f"role {name} has another trust policy", self.of_dev.update_assume_role_policy, **arguments)

    def policy(self, iam, role, kind, statements):
        name = f"crossgate-{self.task['project']}-{kind}"
        wanted, named = document(*statements), dict(RoleName=role, PolicyName=name)
        try:
            there = iam.get_role_policy(**named)["PolicyDocument"]
        except iam.exceptions.NoSuchEntityException:
            there = None
        if there is None or canonical(there) != canonical(wanted):
            self.change(
                f"policy {name} of role {role} is missing or differs",
                iam.put_role_policy,
                **named,
                PolicyDocument=json.dumps(wanted),
            )

    def assume_grant(self, pipeline):
        dev, service_role = self.task["accounts"]["dev"]["id"], self.documents[pipeline]["roleArn"].rpartition("/")[2]
        roles = [
            f"arn:aws:iam::{dev}:role/{gate['invoke_role']}" for gate in self.task["gates"] if gate["pipeline"] == pipeline
        ]
        self.policy(self.of_tools, service_role, "assume", [allow("sts:AssumeRole", Resource=roles)])

    def actions(self, pipeline):
        changed = json.loads(json.dumps(self.documents[pipeline]))
        for gate in self.task["gates"]:
            if gate["pipeline"] == pipeline:
                self.put_action(changed["stages"], gate)
        if changed != self.documents[pipeline]:
            self.change(f"pipeline {pipeline} lacks actions, or has others", self.pipelines.update_pipeline, pipeline=changed)

    def put_action(self, stages, gate):
        stage = next((stage for stage in stages if stage["name"] == gate["stage"]), None)
        if stage is None:
            stage = {"name": gate["stage"], "actions": []}
            after = next(at for at, other in enumerate(stages) if other["name"] == gate["after"])
            stages.insert(after + 1, stage)
        action = next((action for action in stage["actions"] if action["name"] == gate["action"]), None)
        if action is None:
            action = {"name": gate["action"]}
            stage["actions"].append(action)
        action["actionTypeId"] = {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"}
        action.setdefault("configuration", {})["FunctionName"] = gate["function"]
        action["roleArn"] = f"arn:aws:iam::{self.task['accounts']['dev']['id']}:role/{gate['invoke_role']}"

    def change(self, why, call, **arguments):
        self.changes.append(why)
        if not self.check:
            call(**arguments)


def allow(action, **more):
    return {"Effect": "Allow", "Action": action, **more}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def canonical(value):
    """AWS may give lists back in another order, and a list of one as its element."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        items = sorted((canonical(item) for item in value), key=partial(json.dumps, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with open(options.file) as file:
        task = json.load(file)
    changes = Wiring(task, options.check, options.workers).run()
    print("\n".join(changes) if changes else "in sync")
    return 3 if changes and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
