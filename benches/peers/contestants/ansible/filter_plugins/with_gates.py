"""A filter that puts gates into the structure of a pipeline; what is right already stays as it is."""

import copy


def with_gates(structure, gates, dev):
    structure = copy.deepcopy(structure)
    stages = structure["stages"]
    for gate in gates:
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
        action["roleArn"] = f"arn:aws:iam::{dev}:role/{gate['invoke_role']}"
    return structure


class FilterModule:
    def filters(self):
        return {"with_gates": with_gates}
