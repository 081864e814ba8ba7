#!/usr/bin/env python3
"""ministack with two answers put right, so that the policies of design.md can be tried as they are.

For a role session AWS gives `aws:PrincipalArn` as the ARN of the role, path included, never that of the session (IAM user
guide, "AWS global condition context keys"). ministack 1.5.33 gives the session's. And a permission on a role is one on its ARN,
path included (service authorization reference, IAM): ministack asks for the ARN without it. Nothing else is changed.
"""

import sys

# This file has the package's name: its own folder must not be searched for it.
sys.path.pop(0)

from ministack.app import main  # noqa: E402
from ministack.core import iam_actions, iam_evaluator  # noqa: E402
from ministack.services import iam  # noqa: E402

resolve = iam_evaluator._resolve_condition_key


def resolve_as_aws_does(key, context):
    value = resolve(key, context)
    if key.lower() != "aws:principalarn" or not isinstance(value, str):
        return value
    fields = value.split(":", 5)
    if len(fields) != 6 or not fields[5].startswith("assumed-role/"):
        return value
    role = iam._roles.get_scoped(fields[4], None, fields[5].split("/")[1])
    return role["Arn"] if role else value


iam_evaluator._resolve_condition_key = resolve_as_aws_does

extract = iam_actions.extract_resource_arn


def extract_as_aws_does(service, *args, **kwargs):
    arn = extract(service, *args, **kwargs)
    if service != "iam" or not arn.startswith("arn:aws:iam::") or ":role/" not in arn:
        return arn
    account, name = arn.split(":")[4], arn.rsplit("/", 1)[1]
    role = iam._roles.get_scoped(account, None, name)
    return role["Arn"] if role else arn


iam_actions.extract_resource_arn = extract_as_aws_does

if __name__ == "__main__":
    main()
