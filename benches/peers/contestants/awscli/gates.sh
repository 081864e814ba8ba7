#!/usr/bin/env bash
# Puts the gates of a JSON file into two AWS accounts, or with --check says what is not as the file wants it.
# Usage: gates.sh FILE [--check]. Exit status: 0 in sync or done, 1 failed, 3 drift. Needs the aws CLI and jq.
# Reads before it writes, and writes only what differs. Gates are done side by side, one for each processor.
set -euo pipefail

file=$1 check=${2:-}
project=$(jq -r .project "$file")
export AWS_DEFAULT_REGION AWS_PAGER=
AWS_DEFAULT_REGION=$(jq -r .region "$file")
tools=$(jq -r .accounts.tools.id "$file") dev=$(jq -r .accounts.dev.id "$file")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tools() { aws --profile tools --output json "$@"; }
dev() { aws --profile dev --output json "$@"; }

# AWS may give lists back in another order, and a list of one as its element.
canonical() { jq -S 'walk(if type == "array" then (sort | if length == 1 then .[0] else . end) else . end)'; }
same() { [[ "$(canonical <<<"$1")" == "$(canonical <<<"$2")" ]]; }

# change WHY COMMAND...: says why, and makes the change unless this is a check.
change() {
  echo "$1"
  echo "$1" >>"$work/changes"
  if [[ $check != --check ]]; then "${@:2}" >/dev/null; fi
}

# read_or_nothing COMMAND...: the answer; nothing where AWS says that there is no such entity.
read_or_nothing() {
  local error
  error=$(mktemp -p "$work")
  if ! "$@" 2>"$error"; then
    grep -q NoSuchEntity "$error" || { cat "$error" >&2; return 1; }
  fi
}

guard() {
  local account
  account=$("$1" sts get-caller-identity --query Account --output text)
  [[ $account == "$2" ]] || { echo "profile $1 is for account $account, not $2" >&2; return 1; }
}

policy() { # SIDE ROLE NAME DOCUMENT
  local there
  there=$(read_or_nothing "$1" iam get-role-policy --role-name "$2" --policy-name "$3" --query PolicyDocument)
  if [[ -z $there ]] || ! same "$there" "$4"; then
    change "policy $3 of role $2 is missing or differs" "$1" iam put-role-policy --role-name "$2" --policy-name "$3" --policy-document "$4"
  fi
}

invoke_role() { # NAME TRUST
  local there
  there=$(read_or_nothing dev iam get-role --role-name "$1" --query Role.AssumeRolePolicyDocument)
  if [[ -z $there ]]; then
    change "role $1 is missing" dev iam create-role --role-name "$1" --assume-role-policy-document "$2" --tags "Key=project,Value=$project"
  elif ! same "$there" "$2"; then
    change "role $1 has another trust policy" dev iam update-assume-role-policy --role-name "$1" --policy-document "$2"
  fi
}

gate() { # GATE as JSON
  local pipeline function role service_role execution_role arn trust invoke answer
  pipeline=$(jq -r .pipeline <<<"$1") function=$(jq -r .function <<<"$1") role=$(jq -r .invoke_role <<<"$1")
  service_role=$(jq -r .roleArn "$work/$pipeline.json")
  execution_role=$(dev lambda get-function-configuration --function-name "$function" --query Role --output text)
  arn=arn:aws:lambda:$AWS_DEFAULT_REGION:$dev:function:$function
  trust=$(jq -n --arg tools "$tools" --arg role "$service_role" '{Version: "2012-10-17", Statement: [{Effect: "Allow",
    Action: "sts:AssumeRole", Principal: {AWS: "arn:aws:iam::\($tools):root"}, Condition: {ArnEquals: {"aws:PrincipalArn": $role}}}]}')
  invoke=$(jq -n --arg arn "$arn" '{Version: "2012-10-17", Statement: [
    {Effect: "Allow", Action: "lambda:InvokeFunction", Resource: [$arn, $arn + ":*"]},
    {Effect: "Allow", Action: "lambda:ListFunctions", Resource: "*"}]}')
  answer='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
    "Action": ["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"]}]}'
  invoke_role "$role" "$trust"
  policy dev "$role" "crossgate-$project-invoke" "$invoke"
  policy dev "${execution_role##*/}" "crossgate-$project-callback" "$answer"
}

assume_grant() { # PIPELINE
  local role document
  role=$(jq -r '.roleArn | split("/")[-1]' "$work/$1.json")
  document=$(jq --arg pipeline "$1" --arg dev "$dev" '{Version: "2012-10-17", Statement: [{Effect: "Allow", Action: "sts:AssumeRole",
    Resource: [.gates[] | select(.pipeline == $pipeline) | "arn:aws:iam::\($dev):role/\(.invoke_role)"]}]}' "$file")
  policy tools "$role" "crossgate-$project-assume" "$document"
}

actions() { # PIPELINE
  jq --arg pipeline "$1" --arg dev "$dev" --slurpfile task "$file" '
    reduce ($task[0].gates[] | select(.pipeline == $pipeline)) as $gate (.;
      if any(.stages[]; .name == $gate.stage) then . else
        (1 + (.stages | map(.name) | index($gate.after))) as $at
        | .stages |= .[:$at] + [{name: $gate.stage, actions: []}] + .[$at:]
      end
      | (.stages[] | select(.name == $gate.stage) | .actions) |= (
          (map(.name) | index($gate.action) // length) as $at
          | .[$at].name = $gate.action
          | .[$at].actionTypeId = {category: "Invoke", owner: "AWS", provider: "Lambda", version: "1"}
          | .[$at].configuration.FunctionName = $gate.function
          | .[$at].roleArn = "arn:aws:iam::\($dev):role/\($gate.invoke_role)"))' "$work/$1.json" >"$work/$1.new.json"
  if [[ "$(jq -S . "$work/$1.json")" != "$(jq -S . "$work/$1.new.json")" ]]; then
    change "pipeline $1 lacks actions, or has others" tools codepipeline update-pipeline --pipeline "file://$work/$1.new.json"
  fi
}

# side_by_side FUNCTION: for each line of standard input, one for each processor at a time; fails if one fails.
side_by_side() {
  local line running=0 failed=0
  while IFS= read -r line; do
    if ((running == $(nproc))); then
      wait -n || failed=1
      running=$((running - 1))
    fi
    "$1" "$line" &
    running=$((running + 1))
  done
  while ((running > 0)); do
    wait -n || failed=1
    running=$((running - 1))
  done
  return $failed
}

read_pipeline() { tools codepipeline get-pipeline --name "$1" --query pipeline >"$work/$1.json"; }
check_account() { guard "$1" "$(jq -r ".accounts.$1.id" "$file")"; }

pipelines=$(jq -r '[.gates[].pipeline] | unique[]' "$file")
printf 'tools\ndev\n' | side_by_side check_account
side_by_side read_pipeline <<<"$pipelines"
jq -c '.gates[]' "$file" | side_by_side gate
side_by_side assume_grant <<<"$pipelines"
# A pipeline must never name a role that is not ready, so the actions come last.
side_by_side actions <<<"$pipelines"

if [[ ! -e $work/changes ]]; then
  echo "in sync"
elif [[ $check == --check ]]; then
  exit 3
fi
